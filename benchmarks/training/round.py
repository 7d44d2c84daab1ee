"""Times the work of one round: train on 300 labels with a pool of 3,000, then score 3,150 texts.

    export OMP_WAIT_POLICY=passive  # threads that wait do not spin
    python benchmarks/training/round.py --json benchmarks/training/round.json

Texts of about 40 tokens, made of the sentences of a JSONL file. Besides seconds it gives processor
seconds, which other work on the machine changes less; last, one short text on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LABELLED, POOL, SCORED = 300, 3000, 3150


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


def timed(work: Callable[[], object]) -> tuple[object, dict[str, float]]:
    """What a piece of work gives, its seconds and its processor seconds."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    result = work()
    return result, {
        "s": time.perf_counter() - began_s,
        "cpu_s": time.process_time() - began_cpu_s,
    }


def main() -> int:
    """Train, score, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--texts", type=Path, default=Path("backend/xlt_backend/demo/texts/topics.jsonl")
    )
    parser.add_argument("--words", type=int, default=18, help="words per text")
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    def load() -> None:
        import xlt.models.predictor
        import xlt.training.loop  # noqa: F401

    _, importing = timed(load)
    from xlt.config import TrainConfig
    from xlt.data.jsonl import from_row
    from xlt.models.predictor import Predictor
    from xlt.tasks.kinds import infer_task
    from xlt.training.train import train

    rows = long_texts(args.texts, LABELLED + POOL, args.words)
    examples = [from_row({"id": str(i), **row}) for i, row in enumerate(rows)]
    task = infer_task(examples)
    config = TrainConfig(encoder=args.encoder)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "model"
        result, training = timed(
            lambda: train(examples[:LABELLED], examples[LABELLED:], task, config, out)
        )
        predictor, loading = timed(lambda: Predictor.load(out))
    scored = examples[:SCORED]
    _, scoring = timed(lambda: predictor.score(scored))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    import torch

    torch.set_num_threads(1)
    short = [timed(lambda i=i: predictor.score([examples[i * 7]]))[1] for i in range(40)]
    tokens = predictor.tokenize([example.input for example in scored])
    document = {
        "tokens_per_text": statistics.mean(len(t) for t in tokens),
        "import": importing,
        "train": training,
        "steps": result.steps,
        "precision": result.precision,
        "load": loading,
        "score": scoring,
        "one_text_one_thread_ms": 1000 * statistics.median(x["s"] for x in short[5:]),
        "one_text_one_thread_cpu_ms": 1000 * statistics.median(x["cpu_s"] for x in short[5:]),
        "peak_mb": peak_mb,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    if args.json:
        args.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
