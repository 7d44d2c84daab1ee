"""Measures what publishing costs Label Studio: all predictions in bulk, or each change alone.

python benchmarks/loop/publish.py --out benchmarks/loop/publish.json
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from xlt.tasks.task import Suggestion
from xlt_backend.demo.studio import LabelStudioServer, free_port
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.labelstudio.interface import Interface, template

VERSIONS = ("v0001-20270101T000000", "v0002-20270101T000001")


def main() -> int:
    """Imports tasks, publishes two orders, changes predictions one by one; prints one object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--venv", type=Path, default=Path(".xlt/label-studio"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="xlt-bench-"))
    try:
        with LabelStudioServer(folder, venv=args.venv, port=free_port()) as server:
            result = measure(Client(server.url, server.account.token), args.tasks, args.changes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def measure(client: Client, count: int, changes: int) -> dict[str, float]:
    """Returns seconds of each kind of request, and how many changes cost as much as all at once."""
    project = client.create_project("benchmark", template("single_label", ("a", "b")))
    texts = [{"data": {"text": f"This is text number {i}. " * 5}} for i in range(count)]
    client.import_tasks(project.id, texts)
    interface = Interface.from_label_config(client.project(project.id).label_config)
    ids = [int(task["id"]) for task in client.tasks(project.id)]
    bulk = []
    for version in VERSIONS:
        rows = [row(interface, task, (at + 0.5) / count) for at, task in enumerate(ids)]
        bulk.append(seconds(lambda v=version, r=rows: client.publish(project.id, v, r)))
        client.switch(project.id, version)
    path = "/api/predictions/"
    stored = client.http.request("GET", path, params={"project": project.id})
    shown = [p for p in stored if p["model_version"] == VERSIONS[-1]][:changes]
    alone = [
        seconds(
            lambda p=p: client.http.request(
                "PATCH", f"{path}{p['id']}/", json={"score": p["score"], "result": p["result"]}
            )
        )
        for p in shown
    ]
    change_s, all_s = statistics.median(alone), statistics.mean(bulk)
    return {
        "tasks": count,
        "all_in_bulk_s": all_s,
        "one_change_s": change_s,
        "changes_that_cost_as_much": all_s / change_s,
        "read_tasks_s": seconds(lambda: client.tasks(project.id)),
        "read_places_alone_s": seconds(lambda: client.scores(project.id, VERSIONS[-1])),
    }


def row(interface: Interface, task: int, score: float) -> PublishRow:
    """Returns a prediction of a task."""
    result = interface.results(Suggestion(answer="a", confidence=0.5), ("",))
    return PublishRow(task_id=task, score=score, answer="a", result=result or [])


def seconds(work: Callable[[], object]) -> float:
    """Returns how long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
