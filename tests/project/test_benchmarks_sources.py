"""The runner of source languages ranks as the truth does where vectors tell it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def test_rules_are_judged_by_the_accuracy_after_transfer(tmp_path):
    """A source with the target's own directions is best and nearest; one of noise is neither."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=120)
    meaning = np.eye(16)[labels] * 3
    noise = {lang: rng.normal(size=(120, 16)) for lang in ("eng", "fra", "bam", "test")}
    vectors = {
        "eng/train": np.roll(meaning, 5, axis=1) + noise["eng"],
        "fra/train": meaning + noise["fra"],
        "bam/train": meaning + noise["bam"],
        "bam/test": meaning + noise["test"],
    }
    kept = {f"{part}/vectors": values for part, values in vectors.items()}
    kept |= {f"{part}/labels": labels.astype(str) for part in vectors}
    np.savez(tmp_path / "v.npz", **kept)

    words = ["benchmarks/sources/run.py", "--data", "none", "--vectors", str(tmp_path / "v.npz")]
    words += ["--sources", "eng", "fra", "--targets", "bam", "--labels", "60", "--texts", "40"]
    words += ["--draws", "2", "--json", str(tmp_path / "s.json")]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": path}
    subprocess.run(
        [sys.executable, *words], check=True, timeout=120, capture_output=True, cwd=ROOT, env=env
    )
    found = json.loads((tmp_path / "s.json").read_text())

    assert list(found["best"]["bam"]) == ["fra", "eng"]
    assert found["by_source"]["fra"] > 0.8
    assert found["rules"]["NN-Rank, 10 neighbours"]["ndcg@3"] == 1
    assert found["rules"]["25 most similar texts, centred"]["ndcg@3"] == 1
    assert found["rules"]["English, then by chance"]["ndcg@3"] < 0.8
    assert found["rules"]["English, then by chance"]["accuracy_of_first"] < 0.7
