"""Runners of the page's numbers run; the numbers are of the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(out: Path, *words: str) -> dict:
    """Runs a runner; what it wrote."""
    command = [sys.executable, *words, "--json", str(out)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": path}
    subprocess.run(command, check=True, timeout=120, capture_output=True, cwd=ROOT, env=env)
    return json.loads(out.read_text())


def test_intervals_hold_the_truth_of_simulated_projects(tmp_path):
    """Far more often than an interval with a mistake would; counts are those of the parts."""
    found = run(tmp_path / "i.json", "benchmarks/page/intervals.py", "--projects", "10")
    parts = [found[name] for name in found if name.startswith("l")]

    assert found["all"]["intervals"] == sum(part["intervals"] for part in parts) == 40
    held = sum(part["coverage"] * part["intervals"] for part in parts)
    assert found["all"]["coverage"] == pytest.approx(held / 40, abs=1e-3)
    assert found["all"]["coverage"] > 0.8


def test_pages_are_timed(tmp_path):
    """Each page is opened, and is not too large."""
    found = run(
        tmp_path / "s.json", "benchmarks/page/speed.py", "--versions", "3", "--languages", "2",
        "--times", "2",
    )  # fmt: skip

    assert "/projects/1/versions" in found
    assert all(page["bytes"] < 2_000_000 for page in found.values())
