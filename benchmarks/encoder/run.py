"""Measures a Hugging Face encoder folder as xlt uses it: frozen, mean-pooled sentence vectors.

    python benchmarks/encoder/run.py --encoder xlt/bundled --data DATA_DIR --json result.json

DATA_DIR holds sib200.parquet (lang, split, label, text) and, for `retrieval`, tatoeba.parquet
(lang, text, english). No test row is trained on; training rows fit the logistic heads alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

TASKS = ("few-shot", "zero-shot", "retrieval", "speed")
ENGLISH = "eng_Latn"
DRAWS, PER_LABEL, MAX_TOKENS = 10, 8, 128


class Encoder:
    """Mean-pooled vectors of any encoder."""

    def __init__(self, folder: str) -> None:
        began = time.perf_counter()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.load_s = time.perf_counter() - began

    @torch.inference_mode()
    def vectors(self, texts: list[str], batch_size: int = 64) -> np.ndarray:
        """Returns unit vectors, computed in batches of like length.  # (N, H)."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        found = np.zeros((len(texts), self.model.config.hidden_size), dtype=np.float32)
        for begin in range(0, len(order), batch_size):
            rows = order[begin : begin + batch_size]
            batch = self.tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            hidden = self.model(**batch).last_hidden_state
            weight = batch["attention_mask"].unsqueeze(-1)
            pooled = (hidden * weight).sum(dim=1) / weight.sum(dim=1)
            found[rows] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
        return found


def fit(vectors: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    """Returns a logistic head; C is the same everywhere and was not tuned per encoder."""
    return LogisticRegression(C=10.0, max_iter=300).fit(vectors, labels)


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
    head = fit(encoder.vectors(english.text.tolist()), english.label.to_numpy())
    found: dict[str, dict[str, float]] = {}
    for language in wanted:
        rows = table[table.lang == language]
        test = rows[rows.split == split]
        vectors, labels = encoder.vectors(test.text.tolist()), test.label.to_numpy()
        scores = {}
        if "zero-shot" in tasks:
            scores["zero_shot"] = float(head.score(vectors, labels))
        if "few-shot" in tasks:
            train = rows[rows.split == "train"]
            scores["few_shot"] = few_shot(
                encoder.vectors(train.text.tolist()), train.label.to_numpy(), vectors, labels
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
        theirs = encoder.vectors(rows.english.tolist())
        ours = encoder.vectors(rows.text.tolist())
        nearest = (ours @ theirs.T).argmax(axis=1)
        found[str(language)] = round(float((nearest == np.arange(len(rows))).mean()), 4)
        print(language, found[str(language)], flush=True)
    return found


def speed(encoder: Encoder, data: Path) -> dict[str, float]:
    """Returns throughput and latency on one thread, over test sentences of all languages."""
    torch.set_num_threads(1)
    table = pd.read_parquet(data / "sib200.parquet")
    texts = table[table.split == "test"].text.sample(512, random_state=0).tolist()
    encoder.vectors(texts[:64])
    began = time.perf_counter()
    encoder.vectors(texts)
    per_second = len(texts) / (time.perf_counter() - began)
    times = []
    for text in texts[:100]:
        began = time.perf_counter()
        encoder.vectors([text])
        times.append(1000 * (time.perf_counter() - began))
    return {
        "sentences_per_s_one_thread": round(per_second, 1),
        "one_sentence_ms_median": round(statistics.median(times), 2),
        "load_s": round(encoder.load_s, 2),
    }


def mean(values: list[float]) -> float | None:
    """Returns the mean, or nothing where nothing was measured."""
    return round(float(np.mean(values)), 4) if values else None


def main() -> None:
    """Runs the tasks asked for and writes one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True, help="folder of the encoder")
    parser.add_argument("--data", type=Path, required=True, help="folder of the test tables")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--languages", nargs="*", default=[], help="only these, as in the tables")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    args = parser.parse_args()
    encoder = Encoder(args.encoder)
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
    if "speed" in args.tasks:
        result["speed"] = speed(encoder, args.data)
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
