"""Measures a Hugging Face encoder folder as xlt uses it: frozen, mean-pooled sentence vectors.

    python benchmarks/encoder/run.py --encoder xlt/bundled --data DATA_DIR --json result.json

DATA_DIR holds sib200.parquet (lang, split, label, text) and, for `retrieval`, tatoeba.parquet
(lang, text, english). No test row is trained on; training rows fit the logistic heads alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from xlt.encoder.encoder import Encoder, embed, load_encoder

TASKS = ("few-shot", "zero-shot", "retrieval")
ENGLISH = "eng_Latn"
DRAWS, PER_LABEL, MAX_TOKENS = 10, 8, 128


def vectors(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """Returns unit vectors, as xlt makes them.  # (N, H)."""
    found = embed(texts, encoder=encoder, max_length=MAX_TOKENS)
    return found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-9)


def fit(read: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    """Returns a logistic head; C is the same everywhere and was not tuned per encoder."""
    return LogisticRegression(C=10.0, max_iter=300).fit(read, labels)


def few_shot(train: np.ndarray, train_y: np.ndarray, test: np.ndarray, test_y: np.ndarray) -> float:
    """Returns the mean accuracy over 10 draws of 8 training rows per label (MTEB's protocol)."""
    accuracies = []
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        rows = np.concatenate(
            [
                rng.permutation(np.flatnonzero(train_y == label))[:PER_LABEL]
                for label in np.unique(train_y)
            ]
        )
        accuracies.append(fit(train[rows], train_y[rows]).score(test, test_y))
    return float(np.mean(accuracies))


def topics(
    encoder: Encoder, data: Path, tasks: list[str], split: str, languages: list[str]
) -> dict:
    """Returns per language the accuracy on SIB-200, few-shot and zero-shot from English."""
    table = pd.read_parquet(data / "sib200.parquet")
    wanted = languages or sorted(table.lang.unique())
    english = table[(table.lang == ENGLISH) & (table.split == "train")]
    head = fit(vectors(encoder, english.text.tolist()), english.label.to_numpy())
    found: dict[str, dict[str, float]] = {}
    for language in wanted:
        rows = table[table.lang == language]
        test = rows[rows.split == split]
        read, labels = vectors(encoder, test.text.tolist()), test.label.to_numpy()
        scores = {}
        if "zero-shot" in tasks:
            scores["zero_shot"] = float(head.score(read, labels))
        if "few-shot" in tasks:
            train = rows[rows.split == "train"]
            scores["few_shot"] = few_shot(
                vectors(encoder, train.text.tolist()), train.label.to_numpy(), read, labels
            )
        found[language] = {name: round(value, 4) for name, value in scores.items()}
        print(language, found[language], flush=True)
    return found


def retrieval(encoder: Encoder, data: Path, languages: list[str]) -> dict[str, float]:
    """Returns per language how often the nearest English sentence is the translation."""
    table = pd.read_parquet(data / "tatoeba.parquet")
    found = {}
    for language, rows in table.groupby("lang"):
        if languages and language not in languages:
            continue
        theirs = vectors(encoder, rows.english.tolist())
        ours = vectors(encoder, rows.text.tolist())
        nearest = (ours @ theirs.T).argmax(axis=1)
        found[str(language)] = round(float((nearest == np.arange(len(rows))).mean()), 4)
        print(language, found[str(language)], flush=True)
    return found


def mean(values: list[float]) -> float | None:
    """Returns the mean, or nothing where nothing was measured."""
    return round(float(np.mean(values)), 4) if values else None


def main() -> None:
    """Runs the tasks asked for and writes one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True, help="folder, Hugging Face name, or `bundled`")
    parser.add_argument("--data", type=Path, required=True, help="folder of the test tables")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--languages", nargs="*", default=[], help="only these, as in the tables")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    args = parser.parse_args()
    encoder = load_encoder(args.encoder)
    result: dict = {"split": args.split}
    if {"few-shot", "zero-shot"} & set(args.tasks):
        sib = topics(encoder, args.data, args.tasks, args.split, args.languages)
        others = {language: scores for language, scores in sib.items() if language != ENGLISH}
        result["sib200"] = {
            "few_shot_mean": mean([s["few_shot"] for s in sib.values() if "few_shot" in s]),
            "zero_shot_mean": mean([s["zero_shot"] for s in others.values() if "zero_shot" in s]),
            "languages": sib,
        }
    if "retrieval" in args.tasks:
        found = retrieval(encoder, args.data, args.languages)
        result["tatoeba"] = {"mean": mean(list(found.values())), "languages": found}
    text = json.dumps(result, indent=1)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(
        {
            name: {k: v for k, v in part.items() if k != "languages"}
            if isinstance(part, dict)
            else part
            for name, part in result.items()
        }
    )


if __name__ == "__main__":
    main()
