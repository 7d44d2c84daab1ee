"""Checks of the installation: Redis, workers, model folder, encoder and tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Sized
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from xlt.errors import StoreError
from xlt.store.places import try_out
from xlt_backend.errors import UnreachableError
from xlt_backend.setup.checks import Check, fail, ok


def check_redis(ping: Callable[[], object], address: str) -> Check:
    """Checks that Redis answers.

    Args:
        ping: Raises a `QueueError` if it does not.
        address: Its address, for the report.
    """
    start = time.perf_counter()
    ping()
    return ok("Redis", f"answers in {1000 * (time.perf_counter() - start):.0f} ms ({address})")


def check_workers(workers: Callable[[], int]) -> Check:
    """Checks that a worker runs.

    Args:
        workers: Returns the number of running workers.
    """
    count = workers()
    if not count:
        return fail(
            "worker",
            "no worker is running, so nothing is trained",
            "start `xlt up` or `xlt worker`",
        )
    return ok("worker", f"{count} running")


def check_model_folder(url: str) -> Check:
    """Checks that files can be written, read and deleted in the folder of the model versions.

    Args:
        url: Path or fsspec URL of the folder.
    """
    name = "model folder"
    try:
        try_out(url)
    except StoreError as error:
        fix = "set XLT_MODEL_DIR to a folder or fsspec URL that this process may write to"
        return fail(name, str(error), fix)
    return ok(name, f"can write to {url}")


def check_encoder(name: str, load: Callable[[str], object]) -> Check:
    """Checks that the encoder of new models can be loaded.

    Args:
        name: The encoder as in XLT_ENCODER.
        load: Raises an `EncoderError` if it cannot be loaded.
    """
    start = time.perf_counter()
    load(name)
    return ok("encoder", f"{name} loads in {time.perf_counter() - start:.1f} s")


def check_table(name: str, path: Path, read: Callable[[Path], Sized]) -> Check:
    """Checks that a table of translations can be read.

    Args:
        name: The setting with its path.
        path: Path of the table.
        read: Raises a `DataError` if it cannot be read.
    """
    return ok(name, f"{len(read(path)):,} translations in {path}")


def count_events(url: str, action: str, auth: tuple[str, str] | None) -> float:
    """Returns the number of events of a kind that our web server accepted, from its /metrics.

    Raises:
        UnreachableError: If /metrics does not answer.
    """
    try:
        answer = httpx.get(f"{url}/metrics", auth=auth, timeout=3.0)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableError(f"no answer at {url}/metrics ({error})") from error
    if answer.status_code != 200:
        raise UnreachableError(f"{url}/metrics answers {answer.status_code}")
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "xlt_events_total" and sample.labels.get("action") == action
    )
