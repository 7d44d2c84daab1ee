"""Checks of our own side: Redis, workers, the model folder, the encoder."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sized
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import httpx
from prometheus_client.parser import text_string_to_metric_families

from xlt_backend.errors import UnreachableError
from xlt_backend.setup.checks import Check, fail, ok


def check_redis(ping: Callable[[], object], where: str) -> Check:
    """Redis answers.

    Args:
        ping: Raises a `QueueError` where it does not.
        where: Its address, for people.
    """
    begun = time.perf_counter()
    ping()
    return ok("Redis", f"answers in {1000 * (time.perf_counter() - begun):.0f} ms ({where})")


def check_workers(workers: Callable[[], int]) -> Check:
    """Somebody does the work.

    Args:
        workers: How many workers are alive.
    """
    count = workers()
    if not count:
        return fail(
            "worker", "none is running: nothing is trained", "start `xlt up` or `xlt worker`"
        )
    return ok("worker", f"{count} running")


def check_model_folder(url: str) -> Check:
    """A file can be written, read and deleted where the model versions are.

    Args:
        url: A path or an fsspec URL.
    """
    name = "model folder"
    probe, content = f".doctor-{secrets.token_hex(6)}", secrets.token_bytes(64)
    try:
        system, folder = fsspec.core.url_to_fs(url)
        system.makedirs(folder, exist_ok=True)
        path = f"{folder.rstrip('/')}/{probe}"
        system.pipe_file(path, content)
        found = system.cat_file(path)
        system.rm_file(path)
    except (OSError, ValueError, ImportError) as error:
        mend = "XLT_MODEL_DIR must be a folder or fsspec URL that this process may write to"
        return fail(name, f"cannot write to {url}: {error}", mend)
    if found != content:
        return fail(name, f"{url} gives back something else than was written", "look at that disk")
    return ok(name, f"{url} can be written")


def check_encoder(name: str, load: Callable[[str], object]) -> Check:
    """The encoder that new models start from can be loaded.

    Args:
        name: As in XLT_ENCODER.
        load: Raises an `EncoderError` where it cannot.
    """
    begun = time.perf_counter()
    load(name)
    return ok("encoder", f"{name} loads in {time.perf_counter() - begun:.1f} s")


def check_table(name: str, path: Path, read: Callable[[Path], Sized]) -> Check:
    """A table that encoders are adapted with can be read.

    Args:
        name: The setting that names it.
        path: The table.
        read: Raises a `DataError` where it cannot.
    """
    return ok(name, f"{len(read(path)):,} translations in {path}")


def events_heard(url: str, action: str, auth: tuple[str, str] | None) -> float:
    """How many events of a kind our server has accepted, by its /metrics.

    Raises:
        UnreachableError: If it does not say.
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
