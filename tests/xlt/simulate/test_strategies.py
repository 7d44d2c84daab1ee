"""Names of strategies and their options."""

from __future__ import annotations

import pytest

from tests.xlt.simulate.parallel import SMALL, replay
from xlt.errors import ConfigError
from xlt.simulate.learning_curve import run_cell
from xlt.simulate.strategies import strategy


@pytest.mark.parametrize("name", ["nonsense", "margin@nowhere", "default:batchsize=3", "@equal"])
def test_unknown_strategies_are_refused(name):
    """A misspelt name does not fall back to something else."""
    with pytest.raises(ConfigError, match="unknown"):
        strategy(name)


def test_options_of_the_default_can_be_changed_by_name():
    """A share of 1 for the source leaves nothing for the targets."""
    points = run_cell(replay(), "default:source_share=1.0+quota=equal", 0, SMALL)
    assert set(points[-1]["spent"]) == {"en"}
    with pytest.raises(ConfigError, match="floor must be a int"):
        strategy("default:floor=many")
