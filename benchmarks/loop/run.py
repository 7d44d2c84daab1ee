"""Measures the loop on a real Label Studio: label to new predictions, and answers meanwhile.

python benchmarks/loop/run.py --data sib200.parquet --out benchmarks/loop/results.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from load import Latencies, Stream, basic, run
from watch import has_newer, last_round, phase, shown, wait

from xlt.data.examples import Example
from xlt.tasks.kinds import infer_task
from xlt.tasks.task import Suggestion
from xlt_backend.demo.stack import Stack, running
from xlt_backend.demo.topics import SHIPPED, Limits, load
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.convert import Unusable, texts_of, to_example
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.labelstudio.wire import SECRET_HEADER
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.snapshot import in_audit
from xlt_backend.setup.connect import connect

USER, PASSWORD, SECRET = "bench", "bench", "bench-secret"
#: Phases of a round in which the processor is not busy with a model.
AFTER = ("publish", "switch", "prune", "done", "None")


def main() -> int:
    """Run both measurements and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=SHIPPED, help="texts, languages and labels")
    parser.add_argument("--source", default="eng")
    parser.add_argument("--languages", type=lambda s: s.split(","), default=None)
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--more", type=int, default=20, help="labels of the second round")
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--venv", type=Path, default=Path(".xlt/label-studio"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    examples = pool(args)
    folder = Path(tempfile.mkdtemp(prefix="xlt-bench-"))
    try:
        env = {
            "XLT_BASIC_AUTH_USER": USER,
            "XLT_BASIC_AUTH_PASS": PASSWORD,
            "XLT_WEBHOOK_SECRET": SECRET,
        }
        with running(folder, venv=args.venv, env=env, progress=say) as stack:
            result = measure(stack, examples, args)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(result, indent=2)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    return 0


def say(words: str) -> None:
    """Progress, on standard error."""
    print(words, file=sys.stderr, flush=True)


def pool(args: argparse.Namespace) -> list[Example]:
    """`pool + labels` texts; a small data set is repeated with a number before each text."""
    texts = load(
        args.data,
        {},
        source=args.source,
        languages=args.languages,
        limits=Limits(source=10**6, target=10**6, held_out=1, held_out_share=0.01),
        rng=np.random.default_rng(13),
    )
    wanted = args.pool + args.labels
    rounds = -(-wanted // len(texts.pool))
    copies = [
        e if i == 0 else replace(e, id=f"{i}-{e.id}", texts=(f"{i}. {e.text}",))
        for i in range(rounds)
        for e in texts.pool
    ]
    return copies[:wanted]


def measure(stack: Stack, examples: list[Example], args: argparse.Namespace) -> dict[str, object]:
    """Label, wait for the first model and for the next; ask for another under load."""
    client = Client(stack.label_studio.url, stack.label_studio.account.token)
    task = infer_task(examples)
    project = client.create_project("benchmark", template(task.kind, task.labels))
    client.import_tasks(
        project.id,
        [{"data": {"text": e.text, "lang": e.lang, "ref": e.id}} for e in examples],
    )
    share = ProjectOptions().audit_share  # of the labels judges and does not train
    options = ProjectOptions(
        source_languages=(args.source,),
        min_labels=round(args.labels * (1 - share)),
        retrain_after_labels=args.more,
        retrain_after_s=86400,
    )
    connect(client, stack.service.settings, project_id=project.id, options=options)
    answers = {e.id: e.answer for e in examples}
    interface = Interface.from_label_config(client.project(project.id).label_config)
    wait(lambda: shown(client, project.id).startswith("start-"), "the first order")
    first = timed_round(
        stack,
        client,
        project.id,
        lambda: label_for_first(client, project.id, interface, options, answers),
    )
    say(f"submitting {args.more} more labels")
    following = timed_round(
        stack,
        client,
        project.id,
        lambda: len(
            [annotate_next(client, project.id, interface, answers) for _ in range(args.more)]
        ),
    )
    annotate_next(client, project.id, interface, answers)  # else there is nothing new to train on
    latencies = under_load(stack, client, project.id, interface)
    return {
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or "unknown"},
        "python": platform.python_version(),
        "data": args.data.name,
        "label_to_predictions": first,
        "next_label_to_predictions": following,
        "while_training": {name: found.summary() for name, found in latencies.items()},
    }


def timed_round(
    stack: Stack, client: Client, project_id: int, label: Callable[[], int]
) -> dict[str, Any]:
    """Labels; returns seconds from then until predictions that learned from all, and the round."""
    before = shown(client, project_id)
    labels = label()
    begun = time.monotonic()
    wait(lambda: has_newer(client, project_id, before), "a model", pause_s=0.1)
    seconds, version = time.monotonic() - begun, shown(client, project_id)
    wait(lambda: last_round(stack, project_id).get("version") == version, "the round's end")
    return {
        "labels": labels,
        "pool": client.versions(project_id)[version],
        "seconds": round(seconds, 1),
        "round": last_round(stack, project_id),
    }


def label_for_first(
    client: Client,
    project_id: int,
    interface: Interface,
    options: ProjectOptions,
    answers: dict[str, Hashable],
) -> int:
    """Labels as many as the first training needs; returns their number."""
    say(f"submitting labels until {options.min_labels} can train a model")
    key, training, labels = client.project(project_id).key, 0, 0
    while training < options.min_labels:
        task = annotate_next(client, project_id, interface, answers)
        example = to_example(task, interface, options)
        assert isinstance(example, Example)
        labels += 1
        training += not in_audit(example, options, key)
    return labels


def annotate_next(
    client: Client, project_id: int, interface: Interface, answers: dict[str, Hashable]
) -> dict[str, Any]:
    """Labels the task that Label Studio serves next, rightly; returns it."""
    task = client.next_task(project_id)
    assert task is not None
    suggestion = Suggestion(answer=answers[task["data"]["ref"]], confidence=1.0)
    texts = texts_of(task, interface)
    assert not isinstance(texts, Unusable)
    client.annotate(int(task["id"]), interface.results(suggestion, texts) or [])
    return task


def under_load(
    stack: Stack, client: Client, project_id: int, interface: Interface
) -> dict[str, Latencies]:
    """Latencies of the service from the start of a training until its order is published."""
    credentials = basic(USER, PASSWORD)
    project = {"id": project_id, "title": "benchmark"}
    key = client.project(project_id).key
    before = shown(client, project_id)
    task = client.next_task(project_id)
    assert task is not None
    text = task["data"]["text"]
    start = Stream(
        name="start", method="POST", path="/webhook", rate_per_s=1, headers=credentials,
        body=lambda i: {"action": "START_TRAINING", "project": project},
    )  # fmt: skip
    run(stack.service.settings.public_url, start, once())
    wait(lambda: phase(stack, project_id) not in ("snapshot", *AFTER), "the training to begin")
    say("loading the service while it trains")
    ended = threading.Event()
    streams = [
        Stream(name="/health", method="GET", path="/health", rate_per_s=10),
        Stream(
            name="/setup", method="POST", path="/setup", rate_per_s=10, headers=credentials,
            body=lambda i: {
                "project": key, "schema": interface.label_config,
                "hostname": client.url, "access_token": "", "extra_params": None,
            },
        ),
        Stream(
            name="/webhook", method="POST", path="/webhook", rate_per_s=100,
            headers={SECRET_HEADER: SECRET},
            body=lambda i: {"action": "ANNOTATION_UPDATED", "project": project, "task": task,
                            "annotation": {"id": i, "result": []}},
        ),
        Stream(
            name="/predict", method="POST", path="/predict", rate_per_s=4, headers=credentials,
            body=lambda i: {
                "tasks": [{"id": i, "data": {"text": f"{i} {text}", "lang": "eng"}}],
                "project": key, "label_config": interface.label_config,
                "params": {"context": None},
            },
            accept=lambda answer: bool(json.loads(answer)["results"][0]["result"]),
        ),
    ]  # fmt: skip
    found: dict[str, Latencies] = {}
    threads = [
        threading.Thread(
            target=lambda s=stream: found.update(
                {s.name: run(stack.service.settings.public_url, s, ended.is_set)}
            )
        )
        for stream in streams
    ]
    for thread in threads:
        thread.start()
    try:
        wait(lambda: phase(stack, project_id) in AFTER, "the training to end")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    wait(lambda: shown(client, project_id) != before, "the second model")
    return {stream.name: found[stream.name] for stream in streams}


def once() -> Callable[[], bool]:
    """True from the second call on."""
    calls = iter([False])
    return lambda: next(calls, True)


if __name__ == "__main__":
    sys.exit(main())
