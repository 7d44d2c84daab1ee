"""The demo's wait for a model."""

from __future__ import annotations

from xlt_backend.demo.loop import rejection


def test_model_that_is_not_promoted_ends_the_wait():
    """Only one of a round that ended after the labels were given, with the round's reason."""
    last = {"trained": True, "action": "nothing", "reason": "worse", "ended_at": 20.0}

    assert rejection({"last_round": last}, 10.0) == "worse"
    assert rejection({"last_round": last}, 30.0) == ""
    assert rejection({"last_round": {**last, "action": "publish"}}, 10.0) == ""
    assert rejection({"last_round": {**last, "trained": False}}, 10.0) == ""
    assert rejection({}, 10.0) == ""
