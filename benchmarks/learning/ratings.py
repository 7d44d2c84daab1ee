r"""Ratings: xlt's models against scikit-learn's on the same frozen vectors.

    python benchmarks/learning/ratings.py --data DATA_DIR --out vectors --labels 150 300 1000 \
        --numbers 3 7 21 --seeds 3

DATA_DIR holds nusax_senti.parquet. With 3 numbers, the rating of a text is its sentiment: 1
negative, 2 neutral, 3 positive. With more, it is its number of words, from 5 to 60, in equal
parts: no data set at hand has a longer scale. The models of mord (Rennie, Srebro 2005) are measured
if it is installed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from data import Split, draw

from xlt.config import HEAD_L2
from xlt.data.examples import Example
from xlt.frozen.features import Features, Labelled
from xlt.frozen.fit import fit_frozen
from xlt.simulate.replay import cached_features
from xlt.tasks import logistic
from xlt.tasks.calibration import Calibration, Link, probabilities
from xlt.tasks.kinds import KINDS
from xlt.tasks.logistic import scaled
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import AnyTask

SENTIMENTS = ("negative", "neutral", "positive")
#: Numbers of words at which the scale of lengths starts and ends.
FEWEST, MOST = 5, 60
LANGUAGE = "nusax"

#: Ratings (T,) of the judging texts from the case; numbers are from 1 on.
Rater = Callable[["Case"], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One draw of rated texts: features of the labelled, the pool and the judging texts."""

    task: AnyTask
    split: Split
    known: Features
    pool: Features
    judging: Features
    seed: int

    @property
    def ratings(self) -> np.ndarray:
        """Ratings (N,) of the labelled texts."""
        return np.array([example.answer for example in self.split.labelled])

    @property
    def count(self) -> int:
        """Number of different ratings."""
        return len(self.task.labels)

    def scaled(self) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of the labelled and of the judging texts, as probes read them."""
        known, judging = self.known.vectors[:, -1], self.judging.vectors[:, -1]
        return scaled(known, known).astype(np.float64), scaled(judging, known).astype(np.float64)


def rated(example: Example, numbers: int) -> Example:
    """Returns the example with its rating in place of its label."""
    if example.answer is None:
        return example
    if numbers == len(SENTIMENTS):
        return replace(example, answer=1 + SENTIMENTS.index(str(example.answer)))
    share = (len(example.text.split()) - FEWEST) / (MOST - FEWEST)
    return replace(example, answer=1 + min(max(int(share * numbers), 0), numbers - 1))


def cases(args: argparse.Namespace) -> Iterator[tuple[int, int, Case]]:
    """Yields numbers, labels and case of each draw."""
    for numbers in args.numbers:
        for labels in args.labels:
            for seed in range(args.seeds):
                drawn = draw(args.data, LANGUAGE, labels, seed, judge="test", most=args.most)
                parts = [drawn.labelled, drawn.pool, drawn.judging]
                split = replace(
                    drawn,
                    labelled=[rated(e, numbers) for e in drawn.labelled],
                    judging=[rated(e, numbers) for e in drawn.judging],
                )
                known, pool, judging = (features(part, args) for part in parts)
                task = KINDS["rating"].task([str(numbers)])
                yield (
                    numbers,
                    labels,
                    Case(
                        task=task, split=split, known=known, pool=pool, judging=judging, seed=seed
                    ),
                )


def features(examples: Sequence[Example], args: argparse.Namespace) -> Features:
    """Returns the features of examples; their vectors are read from the folder of results."""
    texts = [example.input for example in examples]
    show = lambda phase, done, total: None  # noqa: E731
    return cached_features(texts, encoder=args.encoder, folder=args.out, show=show)


# Models -------------------------------------------------------------------------------------


def classes(case: Case, *, median: bool) -> np.ndarray:
    """Logistic regression of scikit-learn: the most probable number, or the median."""
    from sklearn.linear_model import LogisticRegression

    known, judging = case.scaled()
    model = LogisticRegression(C=1 / HEAD_L2, max_iter=2000).fit(known, case.ratings)
    share = np.zeros((len(judging), case.count))
    share[:, model.classes_ - 1] = model.predict_proba(judging)
    return middle(share) if median else 1 + share.argmax(axis=1)


def middle(share: np.ndarray) -> np.ndarray:
    """Returns the median number of distributions (T, K)."""
    return np.asarray(1 + (share.cumsum(axis=1)[:, :-1] < 0.5).sum(axis=1))


def ridge(case: Case) -> np.ndarray:
    """Ridge regression of scikit-learn, its penalty by cross-validation, rounded to a number."""
    from sklearn.linear_model import RidgeCV

    known, judging = case.scaled()
    model = RidgeCV(alphas=np.logspace(-2, 3, 12)).fit(known, case.ratings)
    return np.clip(np.rint(model.predict(judging)), 1, case.count).astype(int)


def thresholds(case: Case, name: str) -> np.ndarray:
    """Logistic models of mord: one direction, with ordered thresholds."""
    import mord  # type: ignore[import-not-found]

    known, judging = case.scaled()
    seen, places = np.unique(case.ratings, return_inverse=True)
    return np.asarray(seen[getattr(mord, name)(alpha=HEAD_L2).fit(known, places).predict(judging)])


def nominal(case: Case) -> np.ndarray:
    """The probe of a single label, one for each number; the median."""
    known, judging = case.scaled()
    targets = np.eye(case.count)[case.ratings - 1]
    layer = logistic.fit(known, targets, "softmax", l2=HEAD_L2)
    return middle(probabilities(np.asarray(layer.outputs(judging).values), "softmax"))


def probe(case: Case) -> np.ndarray:
    """The probe of ratings."""
    known, judging = case.scaled()
    found = case.task.probe(known, case.ratings.tolist(), l2=HEAD_L2)
    return decided(case, found.outputs(judging))


def frozen(case: Case) -> np.ndarray:
    """The frozen model of ratings."""
    return decided(case, frozen_outputs(case, case.task.targets(case.ratings.tolist()), "sigmoid"))


def frozen_nominal(case: Case) -> np.ndarray:
    """The frozen model of a single label, one for each number; the median."""
    outputs = frozen_outputs(case, np.eye(case.count)[case.ratings - 1], "softmax")
    return middle(probabilities(np.asarray(outputs.values, dtype=np.float64), "softmax"))


def frozen_outputs(case: Case, targets: np.ndarray, link: Link) -> Outputs:
    """Returns outputs of a frozen model that learns from targets and the pool."""
    labelled = case.split.labelled
    fitted = fit_frozen(
        Labelled(
            features=case.known,
            langs=[example.lang for example in labelled],
            targets=targets,
            groups=[example.group_key for example in labelled],
            weights=np.ones(len(labelled)),
        ),
        case.pool,
        [example.lang for example in case.split.pool],
        link,
        np.random.default_rng(case.seed),
    )
    return fitted.model.outputs(case.judging, [e.lang for e in case.split.judging])


def decided(case: Case, outputs: Outputs) -> np.ndarray:
    """Returns the numbers that xlt suggests."""
    langs = [example.lang for example in case.split.judging]
    beliefs = case.task.beliefs(outputs, langs, Calibration())
    return np.array([suggestion.answer for suggestion in case.task.decode(beliefs)])


RATERS: dict[str, Rater] = {
    "scikit-learn: logistic regression": lambda case: classes(case, median=False),
    "the same, median": lambda case: classes(case, median=True),
    "scikit-learn: ridge, rounded": ridge,
    "mord: all thresholds": lambda case: thresholds(case, "LogisticAT"),
    "mord: immediate thresholds": lambda case: thresholds(case, "LogisticIT"),
    "xlt: classes, median": nominal,
    "xlt: `rating`, probe": probe,
    "xlt: classes, median, frozen model": frozen_nominal,
    "xlt: `rating`, frozen model": frozen,
}


# Results ------------------------------------------------------------------------------------


def judged(case: Case, given: np.ndarray) -> tuple[float, float]:
    """Returns mean credit and quadratic kappa, each the mean over the languages."""
    from sklearn.metrics import cohen_kappa_score

    langs = np.array([example.lang for example in case.split.judging])
    truth = np.array([example.answer for example in case.split.judging])
    kappas, credits = [], []
    for lang in np.unique(langs):
        own, right = given[langs == lang], truth[langs == lang]
        credits.append(1 - np.abs(own - right).mean() / (case.count - 1))
        numbers = range(1, case.count + 1)
        kappas.append(cohen_kappa_score(right, own, weights="quadratic", labels=numbers))
    return float(np.mean(credits)), float(np.nanmean(kappas))


def table(rows: Sequence[dict[str, object]]) -> str:
    """Returns Markdown: mean credit and kappa over the seeds, by numbers and labels."""
    labels = list(dict.fromkeys(row["labels"] for row in rows))
    heads = [f"{name}, {n:,}" for n in labels for name in ("credit", "kappa")]
    lines = ["| numbers | model | " + " | ".join(heads) + " |", "|--:|---|" + "--:|" * len(heads)]
    for numbers, model in dict.fromkeys((row["numbers"], row["model"]) for row in rows):
        means = []
        for n in labels:
            own = [
                r for r in rows if (r["numbers"], r["model"], r["labels"]) == (numbers, model, n)
            ]
            means += [f"{np.mean([row[key] for row in own]):.3f}" for key in ("credit", "kappa")]
        lines.append(f"| {numbers} | {model} | " + " | ".join(means) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measures all models and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet file")
    parser.add_argument("--out", type=Path, required=True, help="folder of vectors and results")
    parser.add_argument("--numbers", nargs="+", type=int, default=[3, 7, 21])
    parser.add_argument("--labels", nargs="+", type=int, default=[150, 300, 1000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--encoder", default="bundled", help="a folder or a Hub name")
    parser.add_argument("--most", type=int, default=400, help="judging texts of a language")
    args = parser.parse_args()
    rows = []
    for numbers, labels, case in cases(args):
        for model, rater in RATERS.items():
            try:
                credit, kappa = judged(case, rater(case))
            except ImportError:
                continue
            found = {"numbers": numbers, "labels": labels, "seed": case.seed, "model": model}
            rows.append(found | {"credit": round(credit, 4), "kappa": round(kappa, 4)})
    (args.out / "ratings.json").write_text(json.dumps(rows, indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
