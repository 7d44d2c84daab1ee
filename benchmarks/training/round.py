"""Times the training process of a round: 300 labels, a pool of 3,000; texts new, then known.

    export OMP_WAIT_POLICY=passive  # threads that wait do not spin
    python benchmarks/training/round.py --json benchmarks/training/round.json

Texts of about 40 tokens, made of the sentences of a JSONL file. The same round runs without a cache
of what the encoder says of texts, with an empty one, and with one that has all texts, each in a
process of its own, as the worker runs it. Besides seconds it gives processor seconds, which other
work on the machine changes less.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xlt.data.examples import Example
from xlt.data.jsonl import from_row
from xlt.tasks.kinds import infer_task
from xlt.tasks.outputs import Scores
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.supervise import run_trainer
from xlt_backend.trainer.workspace import Workspace

LABELLED, AUDIT, POOL = 270, 30, 3000
#: Larger than what the encoder says of all texts.
CACHE_BYTES = 2**30


def long_texts(path: Path, n: int, n_words: int) -> list[dict[str, str]]:
    """Rows with a text of `n_words` words or a few more, sentences of one label put together."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    by_kind: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        by_kind.setdefault((row["lang"], row["label"]), []).append(row["text"])
    kinds = sorted(by_kind)
    made = []
    for i in range(n):
        lang, label = kinds[i % len(kinds)]
        texts, words, k = by_kind[lang, label], [], i // len(kinds)
        while len(words) < n_words:
            words += texts[k % len(texts)].split()
            k += 1
        made.append({"lang": lang, "label": label, "text": " ".join(words[: n_words + i % 9 - 4])})
    return made


def used() -> tuple[float, float]:
    """Returns the seconds now, and the processor seconds of the processes that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), children.ru_utime + children.ru_stime


def main() -> int:
    """Runs the round three times, and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--texts", type=Path, default=Path("backend/xlt_backend/demo/texts/topics.jsonl")
    )
    parser.add_argument("--words", type=int, default=18, help="words per text")
    parser.add_argument("--pool", type=int, default=POOL, help="texts without a label")
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--threads", type=int, default=0, help="0: one per core")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = long_texts(args.texts, LABELLED + AUDIT + args.pool, args.words)
    examples = [from_row({"id": str(i), **row}) for i, row in enumerate(rows)]
    known = LABELLED + AUDIT
    examples[known:] = [replace(example, answer=None) for example in examples[known:]]
    with tempfile.TemporaryDirectory() as scratch:
        found = rounds(examples, args, Path(scratch))
    print(json.dumps(found, indent=1))
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def rounds(examples: list[Example], args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Returns the measurements of each round, and how many times as fast the last one is."""
    measured: dict[str, Any] = {}
    scores: dict[str, Scores] = {}
    sibling: Path | None = None
    for name, cache in (("no cache", None), ("new texts", "texts"), ("known texts", "texts")):
        workspace = Workspace(
            folder=scratch / name,
            task=infer_task(examples[:LABELLED]),
            config={"encoder": args.encoder, "precision": args.precision},
            threads=args.threads,
            nice=0,
            run=lambda folder: run_trainer(folder, timeout_s=3600),
            cache=None if cache is None else scratch / cache,
            cache_bytes=CACHE_BYTES,
        )
        print(name, file=sys.stderr, flush=True)
        began_s, began_cpu_s = used()
        folder = workspace.train(
            examples[:LABELLED],
            examples[LABELLED : LABELLED + AUDIT],
            examples[LABELLED + AUDIT :],
            data="0" * 16,
            active=sibling,
            sibling=sibling,
        )
        ended_s, ended_cpu_s = used()
        scores[name] = Scores.load(folder / files.POOL_SCORES)
        sibling = folder / files.MODEL
        measured[name] = {
            "s": ended_s - began_s,
            "cpu_s": ended_cpu_s - began_cpu_s,
            "peak_mb": workspace.measured["peak_rss_bytes"] / 2**20,
            "phases_s": workspace.measured["seconds"],
        }
    first, last = measured["no cache"], measured["known texts"]
    return {
        "pool": args.pool,
        "cache_mb": (scratch / "texts").stat().st_size / 2**20,
        "rounds": measured,
        "times_as_fast": {key: first[key] / last[key] for key in ("s", "cpu_s")},
        "largest_difference": float(
            np.abs(scores["no cache"].outputs.values - scores["known texts"].outputs.values).max()
        ),
    }


if __name__ == "__main__":
    raise SystemExit(main())
