"""Learners by name: quick models on frozen vectors, and trainings with the joint loss."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from data import Split

from xlt.config import HEAD_L2, TrainConfig
from xlt.encoder.encoder import embed
from xlt.models.predictor import Predictor
from xlt.tasks.logistic import scaled
from xlt.training.train import train

#: Logits (T, C) of the judging texts by the name of a model.
Logits = Mapping[str, np.ndarray]

#: Settings of the trainings by name; others can be added: `joint:epochs=6,mlm_weight=0.5`.
TRAININGS: Mapping[str, dict[str, object]] = {
    "ce": {"mlm_weight": 0.0},
    "joint": {},
}
KERNEL_PENALTY, KERNEL_GAMMA = 0.3, 1.0


def learn(learner: str, split: Split, encoder: str, seed: int) -> Logits:
    """Returns logits of the judging texts; a training has those of its mean with the head, too."""
    if learner == "head":
        return {"head": head(split, encoder)}
    if learner == "kernel":
        return {"kernel": kernel(split, encoder)}
    trained = fine_tuned(split, settings(learner) | {"encoder": encoder, "seed": seed})
    both = (log_softmax(head(split, encoder)) + log_softmax(trained)) / 2
    return {learner: trained, f"{learner} + head": both}


def settings(learner: str) -> dict[str, object]:
    """Returns hyper-parameters: those of the name, and those behind the colon."""
    name, _, more = learner.partition(":")
    if name not in TRAININGS:
        known = ", ".join(["head", "kernel", *TRAININGS])
        raise SystemExit(f"{name!r} is not a learner; known: {known}")
    changed = dict(part.split("=", 1) for part in more.split(",") if part)
    return TRAININGS[name] | {key: typed(value) for key, value in changed.items()}


def typed(value: str) -> object:
    """Returns a number, true or false, or the text itself."""
    if value in ("true", "false"):
        return value == "true"
    try:
        return float(value)
    except ValueError:
        return value


def head(split: Split, encoder: str) -> np.ndarray:
    """Logistic regression on the frozen encoder's vectors: what a user has in a second."""
    known, judged = vectors(split, encoder)
    answers = [example.answer for example in split.labelled]
    probe = split.task.probe(scaled(known, known), answers, l2=HEAD_L2)
    return np.asarray(probe.outputs(scaled(judged, known)).values)


def kernel(split: Split, encoder: str) -> np.ndarray:
    """Kernel ridge regression (RBF) on vectors of length 1, centred per language by the pool."""
    from sklearn.kernel_ridge import KernelRidge

    known, judged = vectors(split, encoder)
    pool = embed([example.input for example in split.pool], encoder=encoder)
    places = {
        "known": ([e.lang for e in split.labelled], known),
        "pool": ([e.lang for e in split.pool], pool),
        "judged": ([e.lang for e in split.judging], judged),
    }
    means = language_means(
        np.array(places["known"][0] + places["pool"][0]), np.concatenate([known, pool])
    )
    unit = {name: centred(rows, langs, means) for name, (langs, rows) in places.items()}
    labels = list(split.task.labels)
    targets = np.eye(len(labels))[[labels.index(str(e.answer)) for e in split.labelled]]
    model = KernelRidge(kernel="rbf", gamma=KERNEL_GAMMA, alpha=KERNEL_PENALTY)
    return np.asarray(model.fit(unit["known"], targets).predict(unit["judged"]))


def language_means(langs: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the mean vector of each language."""
    return {lang: rows[langs == lang].mean(axis=0) for lang in np.unique(langs)}


def centred(rows: np.ndarray, langs: Sequence[str], means: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns vectors of length 1 about the means of their languages."""
    moved = rows - np.stack([means[lang] for lang in langs])
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def vectors(split: Split, encoder: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns frozen vectors of the labelled and of the judging texts."""
    known = embed([example.input for example in split.labelled], encoder=encoder)
    return known, embed([example.input for example in split.judging], encoder=encoder)


def fine_tuned(split: Split, training: dict[str, object]) -> np.ndarray:
    """Logits of a model that xlt trains on the labels, jointly with the pool."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        config = TrainConfig.from_mapping(training)
        train(split.labelled, split.pool, split.task, config, folder)
        return np.asarray(Predictor.load(folder).score(split.judging).outputs.values)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Returns log-probabilities (T, C)."""
    from scipy.special import log_softmax as computed

    return np.asarray(computed(logits, axis=1))
