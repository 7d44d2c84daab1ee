"""Scores and vectors that a round asks the training process for, and remembers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.builders import save_tiny_encoder
from tests.fakes import LABELS
from xlt.data.examples import Example
from xlt.data.jsonl import read_jsonl
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.work import Speaker, run
from xlt_backend.trainer.workspace import Workspace


def workspace_of(folder: Path, run, *, encoder="bundled", labels=LABELS, cache=None) -> Workspace:
    """A workspace whose training process is a function of the test."""
    return Workspace(
        folder=folder,
        task=SingleLabel(labels=labels),
        config={"encoder": str(encoder)},
        threads=1,
        nice=0,
        run=run,
        cache=cache,
        cache_bytes=10**8,
    )


def test_vectors_of_the_base_encoder_are_not_mixed_with_those_of_another(world, tmp_path):
    """An adapted encoder reads all texts anew; both are remembered."""
    seen = []

    def run(folder):
        seen.append(files.read_plan(folder).config["encoder"])
        return world.trainer(
            folder, timeout_s=1, on_progress=lambda _: None, should_stop=lambda: False
        )

    examples = [Example(id=str(n), texts=(f"sport en {n}",)) for n in range(3)]
    for encoder in ("bundled", "adapted", "bundled"):
        workspace = workspace_of(tmp_path / "workspace", run, encoder=encoder)
        workspace.scores(None, None, examples)
    assert seen == ["bundled", "adapted"]


def test_models_of_killed_processes_do_not_pile_up(world, tmp_path):
    """The next training of the same data removes what is unfinished, and nothing else."""
    workspace = workspace_of(tmp_path / "workspace", lambda folder: {})
    folder = workspace.train([], [], [], data="d" * 64, active=None)
    for process in (11, 12):
        (folder / f".{files.MODEL}.{process}.tmp").mkdir()
        (folder / f".{files.MODEL}.{process}.tmp" / "model.safetensors").touch()
    (folder / files.CHECKPOINTS).mkdir()
    assert workspace.train([], [], [], data="d" * 64, active=None) == folder
    assert [path.name for path in folder.glob(".*")] == []
    assert (folder / files.CHECKPOINTS).is_dir()


def test_vectors_of_known_texts_start_no_process(tiny_encoder, tmp_path):
    """What the encoder says of a text serves all projects; one new text starts a process."""
    modes = []

    def carry_out(folder):
        modes.append((files.read_plan(folder).mode, len(read_jsonl(folder / files.POOL))))
        return dict(run(folder, Speaker(None, lambda: False)))

    def vectors(project: str, count: int):
        workspace = workspace_of(
            tmp_path / project, carry_out, encoder=tiny_encoder, cache=tmp_path / "texts.sqlite3"
        )
        examples = [Example(id=str(n), texts=(f"good game {n}",)) for n in range(count)]
        return workspace.scores(None, None, examples).rows(examples).vectors

    first = vectors("one", 3)
    np.testing.assert_array_equal(vectors("two", 3), first)
    assert modes == [("embed", 3)]
    np.testing.assert_array_equal(vectors("two", 4)[:3], first)
    assert modes == [("embed", 3), ("embed", 1)]


_CARRY_OUT = """
import sys
from pathlib import Path
from xlt_backend.trainer.work import Speaker, run
run(Path(sys.argv[1]), Speaker(None, lambda: False))
print(sorted({"torch", "transformers", "sklearn", "onnx"} & set(sys.modules)))
"""


def test_a_round_of_known_texts_imports_no_torch(tmp_path):
    """From the second training on: to train, to export, and to score three lists of texts."""
    encoder = save_tiny_encoder(tmp_path / "encoder", positions=128)
    words = {"sport": "ball team goal", "music": "song band drum"}
    examples = [
        Example(id=f"{label}{n}", texts=(f"{words[label]} {n}",), lang="en", answer=label)
        for n in range(20)
        for label in words
    ]
    told = []

    def carry_out(folder):
        command = [sys.executable, "-c", _CARRY_OUT, str(folder)]
        told.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return {}

    active = None
    for name in ("first", "second"):
        workspace = workspace_of(
            tmp_path / name,
            carry_out,
            encoder=encoder,
            labels=tuple(words),
            cache=tmp_path / "texts.sqlite3",
        )
        parts = examples[:20], examples[20:26], examples[26:]
        folder = workspace.train(*parts, data="0" * 64, active=active, sibling=active)
        active = folder / files.MODEL
    assert "torch" in told[0]
    assert told[1].strip() == "[]"
