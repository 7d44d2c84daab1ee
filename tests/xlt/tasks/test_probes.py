"""What needs probes leaves tasks without them out, in one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.tasks.samples import drawn, examples_of, task_of
from xlt.adapt.judge import choose
from xlt.errors import ConfigError
from xlt.payoff.transfer import measure_transfer
from xlt.review.labels import review
from xlt.simulate.learners import check_learner
from xlt.tasks.kinds import KINDS
from xlt.tasks.probes import NO_PROBE, has_probe

TASK = task_of("spans")
GIVEN = drawn(TASK, 0, 40)
VECTORS = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


def test_all_kinds_but_spans_have_probes():
    """A new kind without them belongs here, too."""
    assert [kind for kind in KINDS if not has_probe(task_of(kind))] == ["spans"]


def test_labels_are_not_reviewed_and_transfer_is_not_measured():
    """There is no result, and no error."""
    examples = examples_of(GIVEN)
    votes = {example.id: {"a": example.answer} for example in examples}
    rng = np.random.default_rng(0)
    assert review(examples, votes, VECTORS, TASK, rng) is None
    sides = np.arange(40) % 2 == 0
    assert measure_transfer(VECTORS, GIVEN, TASK, sides, np.arange(40) % 4, rng) is None


def test_an_adapted_encoder_is_not_chosen():
    """The reason says that labels cannot judge it; no encoder is loaded."""
    choice = choose("none", "other", examples_of(GIVEN), source="en", task=TASK)
    assert (choice.encoder, choice.adapted) == ("none", False)
    assert choice.reason == f"labels of spans do not judge encoders, {NO_PROBE}"


@pytest.mark.parametrize("learner", ["head", "frozen"])
def test_simulations_need_full_trainings(learner):
    """The line names the option that helps."""
    with pytest.raises(ConfigError, match="give --learner joint"):
        check_learner(learner, TASK)
    check_learner("joint", TASK)
    check_learner(learner, task_of("multi_label"))
