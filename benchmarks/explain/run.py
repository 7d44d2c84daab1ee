r"""Faithfulness and time of explanations, by what deleting the words that they name changes.

    OMP_NUM_THREADS=1 python benchmarks/explain/run.py --data DATA_DIR --json result.json

DATA_DIR holds sib200.parquet. A frozen model learns from 701 English training rows and 50 of each
other language; test rows of ten languages are explained by each method. Words are deleted from a
text: the five that the method names first, and five drawn at random, the mean of ten draws. What
counts is by how much the label's probability changes. Intervals are bootstrapped over texts, all
methods on the same ones.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.exported import Encoders
from xlt.explain.changes import smallest_change
from xlt.explain.explanation import Explanation, Word, without
from xlt.explain.gradients import by_gradients
from xlt.explain.network import Network
from xlt.explain.occlusion import occluded
from xlt.models.export import export_model
from xlt.models.model import Model
from xlt.models.predictor import Predictor
from xlt.models.serving import load_served
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

LANGUAGES = (
    *("eng_Latn", "hau_Latn", "swh_Latn", "yor_Latn", "amh_Ethi"),
    *("arb_Arab", "hin_Deva", "tur_Latn", "zho_Hans", "jpn_Jpan"),
)
NAMED, DRAWS, RESAMPLES, LABELS = 5, 10, 2000, 50
Explain = Callable[[Example], Explanation]


def examples_of(table: pd.DataFrame) -> list[Example]:
    """Rows as examples; translations are a group."""
    return [
        Example(
            id=f"{row.lang} {row.id}",
            texts=(row.text,),
            lang=row.lang[:3],
            answer=row.label,
            group=str(row.id),
        )
        for row in table.itertuples()
    ]


def drawn(table: pd.DataFrame, split: str, counts: dict[str, int], seed: int) -> list[Example]:
    """Rows of a split, a number of each language."""
    parts = []
    for lang, count in counts.items():
        own = table[(table.lang == lang) & (table.split == split)]
        parts.append(own.sample(min(count, len(own)), random_state=seed))
    return examples_of(pd.concat(parts))


def fitted(table: pd.DataFrame, encoder: str, out: Path) -> Path:
    """Trains the frozen model."""
    counts = dict.fromkeys(LANGUAGES, LABELS) | {LANGUAGES[0]: 701}
    task = SingleLabel(labels=tuple(sorted(table.label.unique())))
    config = TrainConfig(encoder=encoder, learner="frozen")
    train(drawn(table, "train", counts, 13), [], task, config, out)
    return out


def served(folder: Path, out: Path, model: Predictor, sample: Sequence[Example]) -> Model:
    """The model as web servers run it: exported, unless its export answers otherwise."""
    shutil.copytree(folder, out)
    export_model(out, sample, model.score(sample))
    return load_served(out, Encoders(threads=1))[0]


def changes(
    model: Predictor, found: Explanation, groups: Sequence[Sequence[Word]]
) -> NDArray[np.float64]:
    """Returns by how much the label's probability falls without each group of words."""
    variants = [without(found.example, group) for group in groups]
    suggestions = model.predict([found.example, *variants]).suggestions
    p = np.array([suggestion.probabilities[found.label] for suggestion in suggestions])
    return np.asarray(p[0] - p[1:])


def measured(
    methods: dict[str, Explain], model: Predictor, texts: Sequence[Example], kept: Path, seed: int
) -> pd.DataFrame:
    """Returns a row for each text and method, and for words drawn at random.

    Each text's rows are written as soon as they are known; texts with rows are not explained again.
    """
    known = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    done = {row["id"] for row in known}
    with kept.open("a", encoding="utf-8") as file:
        for number, example in enumerate(texts):
            if example.id in done:
                continue
            rows = of_text(methods, model, example, np.random.default_rng([seed, number]))
            known += rows
            file.writelines(json.dumps(row) + "\n" for row in rows)
            file.flush()
    return pd.DataFrame(known)


def of_text(
    methods: dict[str, Explain], model: Predictor, example: Example, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Returns a row for each method, and for words drawn at random."""
    rows: list[dict[str, object]] = []
    base = {"lang": example.lang, "id": example.id}
    for name, explain in methods.items():
        wall_s, processor_s = time.perf_counter(), time.process_time()
        found = explain(example)
        row: dict[str, object] = base | {"method": name}
        row["ms"] = 1e3 * (time.perf_counter() - wall_s)
        row["processor_ms"] = 1e3 * (time.process_time() - processor_s)
        row["fall"] = float(changes(model, found, [found.reasons[:NAMED]])[0])
        if found.completeness is not None:
            row["gap"], row["steps"] = found.completeness.gap, found.completeness.steps
        began = time.process_time()
        change = smallest_change(model.task, model.suggestions, found)
        row["change_ms"] = 1e3 * (time.process_time() - began)
        row["changed_by"] = None if change is None else len(change.words)
        rows.append(row | {"change": abs(float(str(row["fall"])))})
    words = [word for word in found.words if word.is_named]
    groups = [[words[n] for n in rng.permutation(len(words))[:NAMED]] for _ in range(DRAWS)]
    falls = changes(model, found, groups)
    row = base | {"method": "random", "fall": float(falls.mean())}
    return [*rows, row | {"change": float(np.abs(falls).mean())}]


def interval(values: NDArray[np.float64], random: NDArray[np.float64], seed: int) -> list[float]:
    """Returns the 95 % interval of the ratio of two means over the same texts."""
    rng = np.random.default_rng(seed)
    each = rng.integers(0, len(values), (RESAMPLES, len(values)))
    ratios = values[each].mean(axis=1) / np.maximum(random[each].mean(axis=1), 1e-12)
    return [round(float(edge), 2) for edge in np.quantile(ratios, [0.025, 0.975])]


def summary(table: pd.DataFrame, seed: int) -> dict[str, object]:
    """Returns what is published of each method."""
    random = table[table.method == "random"].sort_values("id").change.to_numpy()
    result: dict[str, object] = {}
    for name, own in table.groupby("method", sort=False):
        change = own.sort_values("id").change.to_numpy()
        row = {"change": round(float(change.mean()), 4), "fall": round(float(own.fall.mean()), 4)}
        if name != "random":
            ratio = change.mean() / max(random.mean(), 1e-12)
            row |= {"ratio": round(float(ratio), 2), "interval": interval(change, random, seed)}
            for column in ("ms", "processor_ms", "change_ms"):
                row[column] = own[column].quantile([0.5, 0.95]).round(1).tolist()
            row["answers_changed"] = round(float(own.changed_by.notna().mean()), 3)
            row["words_to_change"] = round(float(own.changed_by.mean()), 2)
        if "gap" in own and own.gap.notna().any():
            row["largest_gap"] = round(float(own.gap.max()), 4)
            row["incomplete"] = int((own.gap > 0.05).sum())
            row["steps"] = round(float(own.steps.mean()), 1)
        result[str(name)] = row
    return result


def main() -> None:
    """Explains, deletes, and prints what changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--texts", type=int, default=50, help="test rows of each language")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    names = "occlusion, gradients, and served: occlusion by the exported model"
    parser.add_argument("--methods", nargs="+", default=("occlusion", "gradients"), help=names)
    parser.add_argument("--model", type=Path, help="a folder to keep the model in, or a kept one")
    parser.add_argument("--rows", type=Path, help="file of finished texts, to go on with")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    table = pd.read_parquet(args.data / "sib200.parquet")
    in_blocks = drawn(table, "test", dict.fromkeys(args.languages, args.texts), args.seed)
    texts = [e for turn in range(args.texts) for e in in_blocks[turn :: args.texts]]
    with tempfile.TemporaryDirectory() as folder:
        path = args.model or Path(folder) / "model"
        if not path.exists():
            fitted(table, args.encoder, path)
        model, network = Predictor.load(path, threads=1), Network.load(path)
        methods: dict[str, Explain] = {
            "occlusion": lambda example: occluded(model.task, model.suggestions, example),
            "gradients": lambda example: by_gradients(network, example),
        }
        if "served" in args.methods:
            sample = drawn(table, "dev", dict.fromkeys(args.languages, 10), args.seed)
            fast = served(path, Path(folder) / "served", model, sample)
            methods["served"] = lambda example: occluded(fast.task, fast.suggestions, example)
        chosen = {name: methods[name] for name in args.methods}
        for explain in chosen.values():
            explain(texts[0])  # the first call of each warms up
        rows = measured(chosen, model, texts, args.rows or Path(folder) / "rows", args.seed)
    result = {
        "texts": int(rows.id.nunique()),
        "languages": list(args.languages),
        "methods": summary(rows, args.seed),
        "by_language": {
            str(lang): {
                str(name): round(float(value), 3)
                for name, value in own.groupby("method", sort=False).change.mean().items()
            }
            for lang, own in rows.groupby("lang", sort=False)
        },
    }
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
