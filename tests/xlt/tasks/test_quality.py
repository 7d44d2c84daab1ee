"""Quality by label and by confidence: against scikit-learn, and as parts of the accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from xlt.errors import DataError
from xlt.tasks.kinds import task_from_json
from xlt.tasks.metrics import ece, per_language, wilson
from xlt.tasks.quality import by_language, quality
from xlt.tasks.single_label.task import SingleLabel

LABELS = ("sport", "music", "food")
TASK = SingleLabel(labels=LABELS)
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1)


@given(PAIRS)
def test_numbers_are_those_of_scikit_learn(pairs):
    """Every cell of the matrix, and precision and recall of each label."""
    truth, said = zip(*pairs, strict=True)
    found = quality(TASK, truth, said)
    cells = np.zeros((3, 3), int)
    for cell in found.confusions:
        cells[LABELS.index(cell.truth), LABELS.index(cell.said)] = cell.n
    precision, recall, _, support = precision_recall_fscore_support(
        truth, said, labels=LABELS, zero_division=np.nan
    )

    assert (cells == confusion_matrix(truth, said, labels=LABELS)).all()
    for label in found.labels:
        at = LABELS.index(label.label)
        assert label.given == support[at]
        for mine, theirs in ((label.precision, precision[at]), (label.recall, recall[at])):
            assert (np.isnan(theirs)) if mine is None else mine.value == pytest.approx(theirs)
    assert {label.label for label in found.labels} == {*truth, *said}


@given(PAIRS, st.data())
def test_bins_hold_every_answer_once(pairs, data):
    """Their gaps add up to the calibration error, and their credit to the accuracy."""
    truth, said = zip(*pairs, strict=True)
    sure = data.draw(st.lists(st.floats(0, 1), min_size=len(pairs), max_size=len(pairs)))
    found = quality(TASK, truth, said, sure)
    right = TASK.credit(truth, said)

    assert sum(each.n for each in found.bins) == len(pairs)
    assert sum(each.n * each.credit.value for each in found.bins) == pytest.approx(right.sum())
    gap = sum(each.n * abs(each.confidence - each.credit.value) for each in found.bins)
    assert gap / len(pairs) == pytest.approx(ece(np.array(sure), right))
    assert found.ece == pytest.approx(gap / len(pairs), abs=1e-4)
    for each in found.bins:
        assert each.low <= each.confidence <= each.high
        hits = each.n * each.credit.value
        assert (each.credit.low, each.credit.high) == pytest.approx(wilson(hits, each.n))


def test_languages_are_named_as_those_of_the_accuracy():
    """So that the page finds the quality of each language; all spellings are one."""
    langs = ["hau", "yo", "ha", "hau"]
    truth, said = ["sport"] * 4, ["sport", "food", "music", "sport"]
    found = by_language(TASK, truth, said, langs)
    scores = per_language(TASK, truth, said, langs)

    assert [(lang, each.n) for lang, each in found.items()] == [
        (lang, each.n) for lang, each in scores.items()
    ]
    hits = {lang: sum(c.n for c in q.confusions if c.truth == c.said) for lang, q in found.items()}
    assert hits == {lang: each.correct for lang, each in scores.items()}


def test_answers_with_several_labels_have_no_matrix():
    """Precision and recall of each label are still known."""
    task = task_from_json({"kind": "multi_label", "labels": list(LABELS)})
    truth = [task.read(["sport", "food"]), task.read([])]
    found = quality(task, truth, [task.read(["sport"]), task.read(["food"])])

    assert found.confusions == ()
    assert [(e.label, e.given, e.said, e.right) for e in found.labels] == [
        ("sport", 1, 1, 1),
        ("food", 1, 1, 0),
    ]
    assert found.ece is None


def test_nothing_is_no_quality():
    """No label, no bin and no error; sequences of other lengths are refused."""
    assert quality(TASK, [], [], []).to_json() == {
        "n": 0,
        "labels": (),
        "confusions": (),
        "bins": (),
        "ece": 0.0,
    }
    with pytest.raises(DataError, match="one prediction for each label"):
        quality(TASK, ["sport"], [])
