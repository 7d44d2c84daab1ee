r"""Spans learned in English and judged in other languages: xlt beside Hugging Face's recipe.

    python benchmarks/spans/compare.py --data DATA_DIR --learners hf hf-case xlt --seeds 2

DATA_DIR holds uner.parquet. Learners run one after the other in one process, with the same number
of threads, so that their times compare.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from data import LABELS, SOURCE, Sentence, f1, judging, labelled
from recipe import Recipe

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.data.spans import Span
from xlt.models.predictor import Predictor
from xlt.tasks.spans.task import Spans
from xlt.training.train import train

LEARNERS = ("hf", "hf-case", "xlt", "xlt-joint")
#: Codes of two letters, as in the data, under which xlt knows the languages.
_SOURCE_LANGUAGE = "en"


class Learned:
    """What xlt trains on the sentences' texts; it knows no words."""

    def __init__(self, encoder: str, seed: int, learner: str) -> None:
        self._config = TrainConfig(encoder=encoder, seed=seed, learner=learner)
        self._folder = tempfile.TemporaryDirectory()
        self._predictor: Predictor | None = None

    def train(self, sentences: Sequence[Sentence]) -> None:
        """Trains on the sentences, all of one language."""
        task, folder = Spans(labels=LABELS), Path(self._folder.name) / "model"
        train(_examples(sentences, _SOURCE_LANGUAGE), (), task, self._config, folder)
        self._predictor = Predictor.load(folder)

    def predict(self, sentences: Sequence[Sentence], lang: str) -> list[tuple[Span, ...]]:
        """Returns the spans of the sentences of one language."""
        assert self._predictor is not None
        found = self._predictor.predict(_examples(sentences, lang))
        return [suggestion.answer for suggestion in found.suggestions]  # type: ignore[misc]


def _examples(sentences: Sequence[Sentence], lang: str) -> list[Example]:
    return [
        Example(id=f"{lang}-{i}", texts=(s.text,), lang=lang, answer=s.spans)
        for i, s in enumerate(sentences)
    ]


def measure(
    learner: str,
    seed: int,
    folder: Path,
    encoder: str,
    *,
    most: int,
    most_labelled: int,
    split: str,
) -> dict[str, object]:
    """Trains a learner; returns its F1 by treebank, and what training took."""
    sentences = labelled(folder)[:most_labelled]
    clock, processor = time.perf_counter(), time.process_time()
    plain = learner.startswith("hf")
    model: Recipe | Learned
    if plain:
        model = Recipe(encoder, seed, with_case=learner == "hf-case")
    else:
        model = Learned(encoder, seed, "joint" if learner == "xlt-joint" else "frozen")
    model.train(sentences)
    row: dict[str, object] = {
        "learner": learner,
        "seed": seed,
        "seconds": round(time.perf_counter() - clock, 1),
        "processor_s": round(time.process_time() - processor, 1),
    }
    scores = {}
    for (lang, bank), test in judging(folder, most, split).items():
        found = model.predict(test) if isinstance(model, Recipe) else model.predict(test, lang)
        scores[f"{lang} {bank}"] = round(f1([sentence.spans for sentence in test], found), 4)
    return row | {"f1": scores}


def table(rows: Sequence[dict[str, object]]) -> str:
    """Returns the means over seeds as a Markdown table, a line per treebank."""
    learners = list(dict.fromkeys(str(row["learner"]) for row in rows))
    of = {name: [row for row in rows if row["learner"] == name] for name in learners}
    banks = sorted({bank for row in rows for bank in row["f1"]})  # type: ignore[attr-defined]

    def mean(name: str, bank: str) -> float:
        values = [row["f1"][bank] for row in of[name]]  # type: ignore[index]
        return float(sum(values) / len(values))

    lines = [
        f"| | {' | '.join(f'`{name}`' for name in learners)} |",
        "|---" + "|--:" * len(learners) + "|",
    ]
    for bank in banks:
        lines.append(f"| {bank} | " + " | ".join(f"{mean(n, bank):.3f}" for n in learners) + " |")
    others = [bank for bank in banks if SOURCE[0].split("-")[0] not in bank]
    if others:
        means = [sum(mean(n, bank) for bank in others) / len(others) for n in learners]
        lines.append("| mean without English | " + " | ".join(f"{m:.3f}" for m in means) + " |")
    for name in ("seconds", "processor_s"):
        values = [sum(float(str(row[name])) for row in of[n]) / len(of[n]) for n in learners]
        lines.append(f"| {name} | " + " | ".join(f"{value:.0f}" for value in values) + " |")
    return "\n".join(lines)


def main() -> None:
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=["hf", "hf-case", "xlt"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--most", type=int, default=10_000, help="sentences of a treebank")
    parser.add_argument("--most-labelled", type=int, default=10_000, help="sentences to learn from")
    parser.add_argument("--split", choices=("test", "dev"), default="test")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for seed in range(options.seeds):
        for learner in options.learners:
            row = measure(
                learner,
                seed,
                options.data,
                options.encoder,
                most=options.most,
                most_labelled=options.most_labelled,
                split=options.split,
            )
            rows.append(row)
            print(json.dumps(row), flush=True)
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
