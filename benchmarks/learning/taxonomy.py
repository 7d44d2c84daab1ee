r"""Hierarchical F1 of topics in a tree: what the tree brings, in decisions and in learning.

    python benchmarks/learning/taxonomy.py --data DATA_DIR --sets sib200 sib200-others

DATA_DIR holds sib200.parquet. The seven topics are put under two or three branches, as the leaves
of a tree. Labels, pool and judging texts are those of `run.py`; every model learns from what the
frozen encoder gives: the frozen model from its upper layers and from n-grams, others from vectors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from data import DATA_SETS, Split, draw
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from xlt.config import HEAD_L2
from xlt.encoder.encoder import load_encoder
from xlt.frozen.features import Features, Labelled
from xlt.frozen.fit import fit_frozen
from xlt.models.features import FeatureReader
from xlt.simulate.comparison import paired
from xlt.tasks.calibration import Link
from xlt.tasks.logistic import fit, scaled
from xlt.tasks.outputs import Outputs
from xlt.tasks.taxonomy.task import Taxonomy
from xlt.tasks.trees import Paths, tree_of

BRANCHES = {
    "three branches": {
        "Science": ("science/technology", "health"),
        "World": ("geography", "travel", "politics"),
        "Leisure": ("sports", "entertainment"),
    },
    "two branches": {
        "World": ("geography", "travel"),
        "People": ("politics", "sports", "health", "entertainment", "science/technology"),
    },
}
BASELINE = "scikit-learn, most probable path"
#: Share of a soft label that the other leaves of the branch have.
SOFT = 0.1

#: Features of labelled, pool and judging texts.
Read = tuple[Features, Features, Features]
#: Learns (N, W) targets and returns logits (T, W) of the judging texts.
Learner = Callable[[np.ndarray, Link], np.ndarray]


def task_of(branches: Mapping[str, Sequence[str]], labels: Sequence[str]) -> Taxonomy:
    """Returns the taxonomy whose leaves are the labels, in their order."""
    branch = {label: name for name, own in branches.items() for label in own}
    return Taxonomy(paths=tuple((branch[label], label) for label in labels))


def predicted(task: Taxonomy, split: Split, read: Read) -> dict[str, list[Paths]]:
    """Returns the answers of every model to the judging texts."""
    known, judged = (features.vectors[:, -1] for features in (read[0], read[2]))
    numbers = np.array([split.task.labels.index(str(e.answer)) for e in split.labelled])
    right = np.eye(task.width)[numbers]
    x, unseen = scaled(known, known), scaled(judged, known)
    plain = LogisticRegression(C=1 / HEAD_L2, max_iter=2000).fit(x, numbers).predict(unseen)

    def head(targets: np.ndarray, link: Link) -> np.ndarray:
        return fit(x, targets, link, l2=HEAD_L2).outputs(unseen).values

    def frozen(targets: np.ndarray, link: Link) -> np.ndarray:
        return frozen_logits(targets, link, split, read)

    answers = {BASELINE: [(task.paths[number],) for number in plain]}
    for name, learner in (("head", head), ("frozen", frozen)):
        flat = softmax(learner(right, "softmax"), axis=1)
        answers[f"`{name}`, most probable path"] = [(task.paths[n],) for n in flat.argmax(axis=1)]
        answers[f"`{name}`, most expected credit"] = decisions(task, flat)
        for more, p in aware(task, right, learner).items():
            answers[f"`{name}`, {more}, most expected credit"] = decisions(task, p)
    return answers


def aware(task: Taxonomy, right: np.ndarray, learner: Learner) -> dict[str, np.ndarray]:
    """Returns probabilities (T, W) of the leaves by two ways to learn from the tree.

    Nodes as outputs: one logit for each node, trained on whether it is on the path; those on a path
    add up. Soft labels: the other leaves of the branch have a share of each label (Bertinetto et
    al. 2020).
    """
    selected = tree_of(task.paths).selected.astype(float)
    siblings = (selected @ selected.T > 0) & ~np.eye(task.width, dtype=bool)
    shares = siblings / np.maximum(siblings.sum(axis=1, keepdims=True), 1)
    soft = (1 - SOFT) * right + SOFT * right @ shares
    nodes = learner(right @ selected, "sigmoid") @ selected.T
    return {
        "nodes as outputs": softmax(nodes, axis=1),
        "soft labels": softmax(learner(soft, "softmax"), axis=1),
    }


def frozen_logits(targets: np.ndarray, link: Link, split: Split, read: Read) -> np.ndarray:
    """Returns logits (T, W) of the frozen model."""
    known, pool, judged = read
    labelled = Labelled(
        features=known,
        langs=[e.lang for e in split.labelled],
        targets=targets,
        groups=[e.group_key for e in split.labelled],
        weights=np.ones(len(known)),
    )
    langs, rng = [e.lang for e in split.pool], np.random.default_rng(0)
    fitted = fit_frozen(labelled, pool, langs, link, rng)
    return fitted.model.outputs(judged, [e.lang for e in split.judging]).values


def decisions(task: Taxonomy, p: np.ndarray) -> list[Paths]:
    """Returns the answers with most expected credit."""
    return [suggestion.answer for suggestion in task.decode(Outputs(p))]


def measured(
    name: str, labels: int, args: argparse.Namespace
) -> dict[str, dict[str, list[Sequence[float]]]]:
    """Returns the scores of every model for each tree, one triple per seed."""
    found: dict[str, dict[str, list[Sequence[float]]]] = {}
    for seed in range(args.seeds):
        split = draw(args.data, name, labels, seed, judge="test", most=args.most)
        known, pool, judged = (
            FeatureReader(lambda: load_encoder(args.encoder)).read([e.input for e in part])
            for part in (split.labelled, split.pool, split.judging)
        )
        for tree, branches in BRANCHES.items():
            task = task_of(branches, split.task.labels)
            path = dict(zip(split.task.labels, task.paths, strict=True))
            truth: list[Paths] = [(path[str(example.answer)],) for example in split.judging]
            for model, answers in predicted(task, split, (known, pool, judged)).items():
                more = task.summary(truth, answers)
                mean = float(task.credit(truth, answers).mean())
                scores = (mean, more["exact"], more["first_level"])
                found.setdefault(tree, {}).setdefault(model, []).append(scores)
    return found


def table(models: Mapping[str, Sequence[Sequence[float]]]) -> list[str]:
    """Returns a row for each model: means over seeds, and points against the baseline."""
    base = np.array(models[BASELINE])
    lines = []
    for name, scores in models.items():
        values = np.array(scores)
        points = paired(100 * (values - base)[:, 0])
        interval = "" if points.low is None else f" ({points.low:+.1f} to {points.high:+.1f})"
        means = " | ".join(f"{mean:.3f}" for mean in values.mean(axis=0))
        against = "" if name == BASELINE else f"{points.mean:+.1f}{interval}"
        lines.append(f"{name} | {means} | {against} |")
    return lines


def main() -> None:
    """Measures all models and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet file")
    parser.add_argument("--sets", nargs="+", choices=list(DATA_SETS), default=["sib200"])
    parser.add_argument("--labels", nargs="+", type=int, default=[150, 300])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--encoder", default="bundled", help="a folder or a Hub name")
    parser.add_argument("--most", type=int, default=204, help="judging texts of a language")
    args = parser.parse_args()
    print(
        "| data | tree | labels | model | hierarchical F1 | accuracy | first level "
        "| points against scikit-learn |"
    )
    print("|---|---|--:|---|--:|--:|--:|---|")
    for name in args.sets:
        for labels in args.labels:
            for tree, models in measured(name, labels, args).items():
                for line in table(models):
                    print(f"| {name} | {tree} | {labels} | {line}", flush=True)


if __name__ == "__main__":
    main()
