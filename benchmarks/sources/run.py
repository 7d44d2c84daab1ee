"""Which rule ranks source languages as the accuracy after transfer does?

A model on the encoder's frozen vectors learns from one source language of SIB-200 and is judged on
the test rows of each target. Rules rank the sources by vectors of texts alone; the targets' texts
are of other sentences than the sources'.

    python benchmarks/sources/run.py --data DATA --vectors vectors.npz --json sources.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ndcg_score

from xlt.config import HEAD_L2, TrainConfig
from xlt.models.features import base_reader

SOURCES = (
    *("eng", "fra", "spa", "por", "deu", "rus", "arb", "hin", "ind", "swh"),
    *("hau", "yor", "tur", "vie", "zho", "tgl", "jpn", "kor", "ben", "amh"),
)
TARGETS = ("bam", "wol", "ibo", "zul", "lin", "quy", "grn", "kin", "som", "min", "sun", "tat")

Floats = NDArray[np.floating]
#: (texts, H) vectors of each source; (texts, H) of one target -> (sources,), the best highest.
Rule = Callable[[Mapping[str, Floats], Floats], Floats]


def main() -> int:
    """Ranks the sources of each target by each rule, and prints one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with sib200.parquet")
    parser.add_argument("--encoder", default="bundled", metavar="NAME")
    parser.add_argument("--vectors", type=Path, help="file that keeps the vectors")
    parser.add_argument("--sources", nargs="+", default=SOURCES, metavar="LANG")
    parser.add_argument("--targets", nargs="+", default=TARGETS, metavar="LANG")
    parser.add_argument("--labels", type=int, default=300, help="of each source")
    parser.add_argument("--texts", type=int, default=200, help="of each target")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    data = read(args)
    found = [drawn(data, args, np.random.default_rng(seed)) for seed in range(args.draws)]
    document = summary(found, args)
    print(json.dumps(document, indent=1))
    if args.json:
        args.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


# Data -----------------------------------------------------------------------------------------


def read(args: argparse.Namespace) -> dict[str, dict[str, NDArray[Any]]]:
    """Returns ids, labels and vectors by language and split; rows are in the order of the ids."""
    if args.vectors and args.vectors.exists():
        with np.load(args.vectors) as kept:
            flat = {name: kept[name] for name in kept.files}
    else:
        flat = encoded(args)
        if args.vectors:
            np.savez(args.vectors, **flat)
    data: dict[str, dict[str, NDArray[Any]]] = {}
    for name, values in flat.items():
        part, column = name.rsplit("/", 1)
        data.setdefault(part, {})[column] = values
    return data


def encoded(args: argparse.Namespace) -> dict[str, NDArray[Any]]:
    """Reads the texts of all languages with the encoder."""
    reader = base_reader(TrainConfig(encoder=args.encoder), None)
    rows = pq.read_table(args.data / "sib200.parquet").to_pylist()
    wanted = {*args.sources, *args.targets}
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        lang, split = row["lang"][:3], row["split"]
        if lang in wanted and (split == "train" or (split == "test" and lang in args.targets)):
            parts.setdefault(f"{lang}/{split}", []).append(row)
    found: dict[str, NDArray[Any]] = {}
    for part, of_part in parts.items():
        print(part, file=sys.stderr, flush=True)
        vectors = reader.vectors([(row["text"],) for row in of_part], lambda *_: None)
        found[f"{part}/vectors"] = vectors[:, -1].astype(np.float32)
        found[f"{part}/labels"] = np.array([row["label"] for row in of_part])
    return found


# Truth and rules --------------------------------------------------------------------------------


def drawn(
    data: Mapping[str, Mapping[str, NDArray[Any]]],
    args: argparse.Namespace,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Draws sentences for sources and others for targets; returns accuracies and rankings."""
    order = rng.permutation(len(data[f"{args.sources[0]}/train"]["labels"]))
    ours, theirs = order[: args.labels], order[args.labels :][: args.texts]
    sources = {lang: data[f"{lang}/train"]["vectors"][ours] for lang in args.sources}
    labels = data[f"{args.sources[0]}/train"]["labels"][ours]
    targets = {lang: data[f"{lang}/train"]["vectors"][theirs] for lang in args.targets}
    accuracy = np.zeros((len(targets), len(sources)))
    for column, vectors in enumerate(sources.values()):
        head = LogisticRegression(C=1 / HEAD_L2, max_iter=1000).fit(centred(vectors), labels)
        for row, (lang, pool) in enumerate(targets.items()):
            test = data[f"{lang}/test"]
            read = unit(test["vectors"] - pool.mean(0))
            accuracy[row, column] = head.score(read, test["labels"])
    ranked = {
        name: np.stack([rule(sources, pool) for pool in targets.values()])
        for name, rule in rules(args.sources, rng).items()
    }
    return {"accuracy": accuracy, "ranked": ranked}


def rules(names: list[str], rng: np.random.Generator) -> dict[str, Rule]:
    """Returns the rules by name."""

    def by_chance(sources: Mapping[str, Floats], pool: Floats) -> Floats:
        return rng.random(len(sources))

    def english(sources: Mapping[str, Floats], pool: Floats) -> Floats:
        return np.array([lang == "eng" for lang in names]) + rng.random(len(names)) * 1e-6

    return {
        "by chance": by_chance,
        "English, then by chance": english,
        "NN-Rank, 1 neighbour": shares(unit, 1),
        "NN-Rank, 10 neighbours": shares(unit, 10),
        "NN-Rank, 10 neighbours, centred": shares(centred, 10),
        "25 most similar texts": nearest(unit, 25),
        "25 most similar texts, centred": nearest(centred, 25),
    }


def shares(prepare: Callable[[Floats], Floats], k: int) -> Rule:
    """Ranks by the share among each target text's k neighbours (NN-Rank, arXiv 2510.03202)."""

    def rule(sources: Mapping[str, Floats], pool: Floats) -> Floats:
        texts = np.concatenate([prepare(vectors) for vectors in sources.values()])
        of = np.repeat(np.arange(len(sources)), [len(vectors) for vectors in sources.values()])
        near = np.argpartition(-(prepare(pool) @ texts.T), k, axis=1)[:, :k]
        return np.bincount(of[near].ravel(), minlength=len(sources)).astype(float)

    return rule


def nearest(prepare: Callable[[Floats], Floats], k: int) -> Rule:
    """Ranks by the mean cosine of each target text with its k nearest texts of a source."""

    def rule(sources: Mapping[str, Floats], pool: Floats) -> Floats:
        target = prepare(pool)
        return np.array(
            [
                np.partition(target @ prepare(vectors).T, -k, axis=1)[:, -k:].mean()
                for vectors in sources.values()
            ]
        )

    return rule


def unit(vectors: Floats) -> Floats:
    """Scales vectors to length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def centred(vectors: Floats) -> Floats:
    """Takes vectors about their mean, with length 1."""
    return unit(vectors - vectors.mean(0))


# Result ---------------------------------------------------------------------------------------


def summary(found: list[dict[str, Any]], args: argparse.Namespace) -> dict[str, Any]:
    """Returns each rule's NDCG@3 and accuracies against the truth, the mean over all draws.

    The truth is the mean accuracy of all draws; the gain of a source is its accuracy above the
    worst one's. Intervals are of the mean over targets, from 2,000 bootstrap samples of them.
    """
    truth = np.mean([draw["accuracy"] for draw in found], axis=0)
    gain = truth - truth.min(axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    rows = {}
    for name in found[0]["ranked"]:
        ranks = [draw["ranked"][name] for draw in found]
        ndcg = np.mean(
            [[ndcg_score(gain[[t]], r[[t]], k=3) for t in range(len(truth))] for r in ranks], 0
        )
        first = np.mean([truth[np.arange(len(truth)), r.argmax(axis=1)] for r in ranks], axis=0)
        samples = rng.integers(len(ndcg), size=(2000, len(ndcg)))
        low, high = np.quantile(ndcg[samples].mean(axis=1), (0.025, 0.975))
        rows[name] = {
            "ndcg@3": round(float(ndcg.mean()), 3),
            "low": round(float(low), 3),
            "high": round(float(high), 3),
            "accuracy_of_first": round(float(first.mean()), 4),
        }
    best = {
        lang: {args.sources[i]: round(float(row[i]), 3) for i in np.argsort(-row)[:3]}
        for lang, row in zip(args.targets, truth, strict=True)
    }
    return {
        "encoder": Path(args.encoder).name,
        "draws": len(found),
        "labels": args.labels,
        "texts": args.texts,
        "rules": rows,
        "best_accuracy": round(float(truth.max(axis=1).mean()), 4),
        "mean_accuracy": round(float(truth.mean()), 4),
        "by_source": {
            lang: round(float(value), 3)
            for lang, value in zip(args.sources, truth.mean(axis=0), strict=True)
        },
        "best": best,
    }


if __name__ == "__main__":
    sys.exit(main())
