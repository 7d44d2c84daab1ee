"""Learners by name: the head on frozen vectors, and all that xlt trains."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
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
    "frozen": {"learner": "frozen"},
    "ce": {"learner": "joint", "mlm_weight": 0.0},
    "joint": {"learner": "joint"},
}


def learn(learner: str, split: Split, encoder: str, seed: int) -> Logits:
    """Returns logits of the judging texts; fine-tuning has those of its mean with the head, too."""
    if learner == "head":
        return {"head": head(split, encoder)}
    trained = fine_tuned(split, settings(learner) | {"encoder": encoder, "seed": seed})
    if learner.partition(":")[0] == "frozen":
        return {learner: trained}
    both = (log_softmax(head(split, encoder)) + log_softmax(trained)) / 2
    return {learner: trained, f"{learner} + head": both}


def settings(learner: str) -> dict[str, object]:
    """Returns hyper-parameters: those of the name, and those behind the colon."""
    name, _, more = learner.partition(":")
    if name not in TRAININGS:
        known = ", ".join(["head", *TRAININGS])
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
