"""The payoff of a language's last labels."""

from __future__ import annotations

import numpy as np

from tests.xlt.payoff.texts import labels, named, numbers, replaced
from xlt.payoff.marginal import improvement_by_last, last_labels


def test_last_labels_are_a_hundred_or_half():
    """Of few labels the later half."""
    assert [last_labels(n) for n in (0, 1, 31, 200, 1000)] == [0, 0, 15, 100, 100]


def test_the_last_labels_are_found_to_have_bought_what_they_bought():
    """In one language the last labels are the first of any sense, in the other of none."""
    data = labels(7, 1600, langs=2)
    rng = np.random.default_rng(0)
    far = replaced(
        data,
        vectors=np.concatenate(  # nothing of one language helps the other
            [data.vectors * (data.langs == lang)[:, None] for lang in ("l0", "l1")], axis=1
        ),
    )
    trained, judging = np.arange(800), np.arange(800, 1600)
    own = [np.flatnonzero(far.langs[trained] == lang) for lang in ("l0", "l1")]
    y = numbers(far)
    y[own[0][:-100]] = rng.integers(0, 4, len(own[0]) - 100)
    found = improvement_by_last(replaced(far, answers=named(y)), trained, judging)
    first, second = found["l0"], found["l1"]
    assert first is not None
    assert second is not None
    assert first.labels == second.labels == 100
    assert first.gain.low > 0.1
    assert second.gain.low < 0 < second.gain.high
    assert abs(second.gain.value) < 0.05


def test_it_is_too_early_where_labels_are_few():
    """Few to judge by, few to train on, or none in a language."""
    data = labels(8, 200, langs=2)
    langs = data.langs.copy()
    langs[100:] = "l0"
    few = replaced(data, langs=langs)
    assert improvement_by_last(few, np.arange(100), np.arange(185, 200)) == {"l0": None, "l1": None}
    found = improvement_by_last(few, np.arange(100), np.arange(100, 200))
    assert found["l0"] is not None
    assert found["l1"] is None
