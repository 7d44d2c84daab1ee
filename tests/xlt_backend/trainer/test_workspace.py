"""Scores and vectors that a round asks the training process for, and remembers."""

from __future__ import annotations

import numpy as np

from tests.fakes import LABELS
from xlt.data.examples import Example
from xlt.data.jsonl import read_jsonl
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.trainer import folder as files
from xlt_backend.trainer.work import Speaker, run
from xlt_backend.trainer.workspace import Workspace


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
        workspace = Workspace(
            folder=tmp_path / "workspace",
            task=SingleLabel(labels=LABELS),
            config={"encoder": encoder},
            threads=1,
            nice=0,
            run=run,
        )
        workspace.scores(None, None, examples)
    assert seen == ["bundled", "adapted"]


def test_models_of_killed_processes_do_not_pile_up(world, tmp_path):
    """The next training of the same data removes what is unfinished, and nothing else."""
    workspace = Workspace(
        folder=tmp_path / "workspace",
        task=SingleLabel(labels=LABELS),
        config={"encoder": "bundled"},
        threads=1,
        nice=0,
        run=lambda folder: {},
    )
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
        workspace = Workspace(
            folder=tmp_path / project,
            task=SingleLabel(labels=LABELS),
            config={"encoder": str(tiny_encoder)},
            threads=1,
            nice=0,
            run=carry_out,
            cache=tmp_path / "texts.sqlite3",
            cache_bytes=10**8,
        )
        examples = [Example(id=str(n), texts=(f"good game {n}",)) for n in range(count)]
        return workspace.scores(None, None, examples).rows(examples).vectors

    first = vectors("one", 3)
    np.testing.assert_array_equal(vectors("two", 3), first)
    assert modes == [("embed", 3)]
    np.testing.assert_array_equal(vectors("two", 4)[:3], first)
    assert modes == [("embed", 3), ("embed", 1)]
