"""Runners of published numbers run; what they measured is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import save_tiny_encoder

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_every_variant_of_a_training_step_runs(tmp_path, kind):
    """With a pooler and without one; the ratios are those of the seconds beside them."""
    out = tmp_path / "result.json"

    subprocess.run(
        [sys.executable, BENCHMARKS / "training" / "run.py", "--steps", "1", "--json", out,
         "--encoder", save_tiny_encoder(tmp_path / kind, kind, positions=128)],
        check=True, timeout=300,
    )  # fmt: skip

    document = json.loads(out.read_text())
    seconds = {name: found["step_s"] for name, found in document["results"].items()}
    assert set(seconds) == {"hf-padded", "hf-dynamic", "xlt-fp32-all", "xlt"}
    for name, ratio in document["times_better_than_hf_padded"].items():
        assert ratio["step_s"] == pytest.approx(seconds["hf-padded"] / seconds[name])
