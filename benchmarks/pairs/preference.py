r"""Accuracy of a preference with a context: which of two sentences is the likelier cause or effect.

    python benchmarks/pairs/preference.py --data DATA_DIR

DATA_DIR holds xcopa.parquet. Trains on the validation rows of all languages and judges by the test
rows; no premise is in both. Chance is 0.5.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegressionCV

from xlt.config import HEAD_L2, TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import embed
from xlt.models.predictor import Predictor
from xlt.tasks.calibration import Calibration
from xlt.tasks.pairwise.task import Pairwise
from xlt.training.train import train

TASK = Pairwise(labels=("choice1", "choice2"), context=True)


def examples(table: pd.DataFrame) -> list[Example]:
    """Returns the premise with its question, and the two choices."""
    return [
        Example(
            id=f"{row.lang}-{row.id}",
            texts=(f"{row.premise} ({row.question})", str(row.choice1), str(row.choice2)),
            lang=str(row.lang),
            answer=str(row.label),
            group=str(row.id),
        )
        for row in table.itertuples()
    ]


def main() -> None:
    """Prints the accuracy of each learner, in all and by language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--judging", type=int, default=200, help="test rows of a language")
    parser.add_argument("--learners", nargs="+", default=["scikit-learn", "probe", "frozen"])
    args = parser.parse_args()
    table = pd.read_parquet(args.data / "xcopa.parquet")
    known = examples(table[table.split == "val"])
    test = table[table.split == "test"]
    judging = examples(test.groupby("lang").head(args.judging))
    truth = [example.answer for example in judging]
    x, y = (
        embed([example.input for example in part], encoder=args.encoder)
        for part in (known, judging)
    )
    scale = float(np.linalg.norm(x - x.mean(axis=0), axis=1).mean())
    for learner in args.learners:
        if learner == "scikit-learn":
            model = LogisticRegressionCV(
                Cs=[0.001, 0.01, 0.1, 1, 10], cv=5, fit_intercept=False, max_iter=1000
            )
            differences = (x - TASK.swap(x)) / scale, (y - TASK.swap(y)) / scale
            model.fit(differences[0], [example.answer for example in known])
            answers = list(model.predict(differences[1]))
        elif learner == "probe":
            probe = TASK.probe(x / scale, [str(e.answer) for e in known], l2=HEAD_L2)
            beliefs = TASK.beliefs(probe.outputs(y / scale), [""] * len(y), Calibration())
            answers = [suggestion.answer for suggestion in TASK.decode(beliefs)]
        else:
            config = TrainConfig.from_mapping({"encoder": args.encoder, "learner": learner})
            with tempfile.TemporaryDirectory() as place:
                train(known, [], TASK, config, Path(place) / "model")
                predictions = Predictor.load(Path(place) / "model").predict(judging)
            answers = [suggestion.answer for suggestion in predictions.suggestions]
        right = pd.Series([str(a) == str(b) for a, b in zip(answers, truth, strict=True)])
        by_lang = right.groupby([example.lang for example in judging]).mean().round(3)
        row = {"learner": learner, "labels": len(known), "judged": len(right)}
        print(
            json.dumps(row | {"accuracy": round(right.mean(), 4)} | by_lang.to_dict()), flush=True
        )


if __name__ == "__main__":
    main()
