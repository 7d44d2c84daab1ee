"""Tiny trained models that the tests of explanations share."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

SINGLE = SingleLabel(labels=("law", "sport"))
MANY = MultiLabel(labels=("law", "sport"))
TEXTS = {
    "law": ["the court rule", "a vote of the state", "tax plan of the party", "law in court"],
    "sport": ["the team won", "a good game", "the ball and the goal", "lost match of the team"],
}
LABELLED = [
    Example(id=f"{label}{n}", texts=(text,), lang=("eng", "hau")[n % 2], answer=label)
    for label, texts in TEXTS.items()
    for n, text in enumerate(texts)
]
MULTIPLE = [
    Example(id=e.id, texts=e.texts, lang=e.lang, answer=(e.answer,) if n % 3 else ())
    for n, e in enumerate(LABELLED)
]
#: A sentence whose words say two things, with marks, in a language with a centre of its own.
MIXED = Example(id="7", texts=("The team won, the court lost a GAME.",), lang="hau")


def _trained(encoder: Path, out: Path, examples: list[Example], task: object, learner: str) -> Path:
    more = {"epochs": 2.0, "min_steps": 0} if learner == "joint" else {}
    config = TrainConfig(encoder=str(encoder), learner=learner, precision="fp32", **more)
    train(examples, [], task, config, out)
    return out


@pytest.fixture(scope="session")
def models(tiny_encoder, tmp_path_factory) -> dict[str, Path]:
    """A frozen and a fine-tuned model of single labels, and a frozen one of multi labels."""
    folder = tmp_path_factory.mktemp("explained")
    return {
        "frozen": _trained(tiny_encoder, folder / "frozen", LABELLED, SINGLE, "frozen"),
        "joint": _trained(tiny_encoder, folder / "joint", LABELLED, SINGLE, "joint"),
        "multi_label": _trained(tiny_encoder, folder / "many", MULTIPLE, MANY, "frozen"),
    }
