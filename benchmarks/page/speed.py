"""How long do pages of a large project take? In one process, without a network."""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from redis import Redis

from tests.fakes import CONFIG
from tests.xlt_backend.service.test_registry import Loader
from tests.xlt_backend.web.server import make_parts
from xlt.store.versions import Store, VersionMeta
from xlt_backend.queue.connection import embedded, socket_path
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds.known import EXAMPLES
from xlt_backend.trainer.folder import write_json
from xlt_backend.web.app import create_app

KEY = "1.1795330494"
#: Language codes of the project.
CODES = [
    "hau",
    "yor",
    "ibo",
    "swh",
    "zul",
    "xho",
    "sna",
    "amh",
    "orm",
    "som",
    "tir",
    "lin",
    "lug",
    "kin",
    "wol",
    "ful",
    "bam",
    "ewe",
    "twi",
    "fon",
    "nso",
    "tsn",
    "ven",
    "ssw",
    "nya",
    "tso",
    "run",
    "sag",
    "kon",
    "mos",
]
LABELS = ("sport", "music", "food")


def versions(store: Store, count: int, langs: list[str], audit: int) -> str:
    """Makes versions whose accuracy rises; returns the newest, which is the active one."""
    project, rng, name = store.project(KEY), np.random.default_rng(0), ""
    for number in range(1, count + 1):
        share = 0.85 - 0.3 * number**-0.5
        scores = {}
        for lang in langs:
            right = int(rng.binomial(audit, share))
            value = right / audit
            scores[lang] = {"n": audit, "correct": right, "accuracy": value, "low": max(value - 0.1, 0), "high": min(value + 0.1, 1)}  # fmt: skip  # noqa: E501
        meta = VersionMeta(
            data_hash=str(number),
            label_counts={lang: 10 * number for lang in langs},
            metrics={"audit": scores},
            details={"kind": "single_label", "labels": list(LABELS)},
        )
        drawn = rng.integers(0, 3, size=(audit * len(langs), 2)).tolist()
        rows = {
            str(at): {
                "answer": LABELS[a],
                "said": LABELS[b],
                "confidence": round(float(rng.random()), 4),
                "lang": langs[at % len(langs)],
                "digest": "d",
                "audit": True,
            }
            for at, (a, b) in enumerate(drawn)
        }
        with project.stage() as stage:
            (stage / "model").write_text("x")
            write_json(stage / EXAMPLES, rows)
            name = project.commit(stage, meta)
        project.promote(name, "better")
    return name


def state(langs: list[str], newest: str, audit: int) -> dict[str, Any]:
    """The state of the project."""
    score = {"n": audit, "correct": 30, "accuracy": 0.75, "low": 0.6, "high": 0.86}
    measured = {
        "last_labels": {"labels": 20, "value": 0.02, "low": -0.01, "high": 0.05},
        "saved": {"more": {"value": 41.0, "low": 5.0, "high": 96.2}},
        "forecast": {"gain": 0.02, "value": 80.0, "low": 60.0, "high": 110.0},
    }
    return {
        "key": KEY,
        "title": "Topics",
        "label_config": CONFIG,
        "model": newest,
        "labels": dict.fromkeys(langs, 500),
        "audit_labels": dict.fromkeys(langs, audit),
        "accuracy": dict.fromkeys(langs, score),
        "payoff": {"choosing": {}, "languages": dict.fromkeys(langs, measured)},
        "tasks": 100_000,
        "open_tasks": 80_000,
        "weeks": {lang: {"2026-11-02": 30, "2026-11-09": 20} for lang in langs},
        "people": {
            str(who): {
                lang: {"answers": 9, "compared": 2, "agreement": 0.5, "low": 0.1, "high": 0.9}
                for lang in langs
            }
            for who in range(10)
        },
    }


def timed(browser: TestClient, path: str, times: int) -> dict[str, float]:
    """Opens a page; the first time, the median of the others, and its size.

    Processor time is that of server and browser together, and does not depend on other work.
    """
    taken, busy, size = [], [], 0
    for _ in range(times + 1):
        start, start_cpu = time.perf_counter(), time.process_time()
        answer = browser.get(path, headers={"Accept": "text/html"})
        taken.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.process_time() - start_cpu))
        assert answer.status_code == 200, answer.text[:500]
        size = len(answer.content)
    rest = taken[1:]
    return {
        "first_ms": round(taken[0], 1),
        "median_ms": round(statistics.median(rest), 1),
        "highest_ms": round(max(rest), 1),
        "first_cpu_ms": round(busy[0], 1),
        "median_cpu_ms": round(statistics.median(busy[1:]), 1),
        "bytes": size,
    }


def main() -> None:
    """Makes a project, opens its pages, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=50)
    parser.add_argument("--languages", type=int, default=30)
    parser.add_argument("--audit", type=int, default=40, help="audit labels of each language")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--profile", help="path of a page whose calls are printed")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    langs = CODES[: args.languages]
    with tempfile.TemporaryDirectory() as folder, embedded(Path(folder)):
        redis = Redis(unix_socket_path=str(socket_path(Path(folder))))
        store = Store(Path(folder) / "models")
        newest = versions(store, args.versions, langs, args.audit)
        StateStore(redis).put("1", **state(langs, newest, args.audit))
        app = create_app(make_parts(redis, store, Loader()))
        with TestClient(app) as browser:
            paths = ("/", "/projects/1", f"/projects/1?lang={langs[0]}", "/projects/1/versions",
                     "/projects/1/annotators", "/projects/1/queue")  # fmt: skip
            found = {path: timed(browser, path, args.times) for path in paths}
            if args.profile:
                profile = cProfile.Profile()
                profile.runcall(timed, browser, args.profile, args.times)
                pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
    text = json.dumps(found, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
