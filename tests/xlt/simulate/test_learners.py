"""Full trainings as the learner of a simulation."""

from __future__ import annotations

from tests.xlt.simulate.parallel import replay
from xlt.errors import DivergedError
from xlt.simulate.learning_curve import CurveSettings, run_cell


def test_a_training_that_diverges_leaves_the_model_before(tiny_encoder, tmp_path, monkeypatch):
    """As in the service; before the first model all classes are as likely as any other."""
    import xlt.training.loop

    def train(*args, **kwargs):
        raise DivergedError("not finite")

    monkeypatch.setattr(xlt.training.loop, "train", train)
    options = CurveSettings(budgets=(6, 12), batch=6, training={"encoder": str(tiny_encoder)})
    points = run_cell(replay(), "margin", 0, options, folder=tmp_path / "f")
    assert [point["labels"] for point in points] == [6, 12]
    assert points[0]["accuracy"] == points[1]["accuracy"]
