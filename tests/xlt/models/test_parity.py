"""Parity counts the answers that change, in each language and in all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xlt.data.examples import Example
from xlt.models.parity import Parity, compare
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.single_label.task import SingleLabel

TASK = SingleLabel(labels=("a", "b"))


def predicted(answers: str) -> Predictions:
    """Predictions with these answers."""
    logits = np.array([[5.0, 0.0] if answer == "a" else [0.0, 5.0] for answer in answers])
    vectors = np.ones((len(answers), 3), dtype=np.float32)
    scores = Scores(outputs=Outputs(logits.reshape(-1, 2)), vectors=vectors)
    return interpret(TASK, scores, ["en"] * len(answers), Calibration())


def parity(langs: list[str], before: str, after: str) -> Parity:
    """Parity of answers to texts in these languages."""
    examples = [Example(id=str(i), texts=("x",), lang=lang) for i, lang in enumerate(langs)]
    return compare(TASK, examples, predicted(before), predicted(after))


@pytest.mark.parametrize(
    ("texts", "changed", "accepted"),
    [(1, 1, True), (2, 2, False), (19, 1, True), (20, 2, True), (20, 3, False), (200, 11, True),
     (200, 12, False)],
)  # fmt: skip
def test_one_answer_and_one_in_twenty_may_change(texts, changed, accepted):
    """One text alone tells nothing of a share."""
    found = parity(["ha"] * texts, "a" * texts, "b" * changed + "a" * (texts - changed))

    assert found.accepted is accepted
    assert found.changed == pytest.approx(changed / texts)
    assert found.failing == (() if accepted else ("hau",))


def test_one_language_alone_may_fail():
    """However well the others do, whatever they are called."""
    langs = ["en"] * 200 + ["hau", "ha"] * 5
    found = parity(langs, "a" * 210, "a" * 200 + "b" * 3 + "a" * 7)

    assert found.changed < 0.05
    assert found.failing == ("hau",)
    assert not found.accepted
    assert found.words() == (
        "98.6% the same answers on 210 texts, cosine 1.000, at least 1.000; other answers in hau"
    )


def test_vectors_that_turn_fail():
    """The order of the queue depends on them."""
    same = parity(["en"] * 40, "ab" * 20, "ab" * 20)
    assert same.accepted
    assert same.cosine == pytest.approx(1.0)
    assert not replace(same, cosine=0.94).accepted


def test_nothing_to_compare_is_no_parity():
    """Whatever cannot be measured is not served."""
    found = parity([], "", "")
    assert not found.accepted
    assert found.words() == "no text to compare on"
