"""Judging: how often each place is chosen; the rest is that of any label (`categorical`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def summary(
    truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> Mapping[str, float]:
    """Returns the share of examples of which the left text is chosen, by annotators and model.

    If the two differ, the model or the annotators prefer a place to a text.
    """
    shares = {"left_given": truth, "left_predicted": predicted}
    return {
        name: float(np.mean([answer == labels[0] for answer in answers])) if answers else 0.0
        for name, answers in shares.items()
    }
