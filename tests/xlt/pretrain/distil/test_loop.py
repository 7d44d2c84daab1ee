"""Distillation: alignment, and several processes."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file

from tests.xlt.pretrain.bodies import (
    LIMITS,
    N_TEXTS,
    SPECIAL,
    student_of,
    toy_language,
    translations_of,
)
from xlt.errors import ConfigError
from xlt.pretrain.distil.batches import DistilData, DistilState
from xlt.pretrain.distil.lazy_adam import LazyAdam
from xlt.pretrain.distil.loop import distil, optimizers_for
from xlt.pretrain.distil.options import DistilOptions
from xlt.pretrain.distributed import average
from xlt.pretrain.sentence_vectors import sentence_vectors

EVERY = np.arange(N_TEXTS)


def taught(student, toy, rng, *, steps=40, **changes):
    """The teacher's vectors and the state after some steps of distillation."""
    sources, texts, _, known = toy
    target = sentence_vectors(student.electra, sources, EVERY, **LIMITS)
    data = DistilData(
        translations=translations_of(sources, texts),
        target=target,
        english=EVERY.astype(np.int32),
        special=SPECIAL,
    )
    options = DistilOptions(
        minutes=0.0, steps=steps, batch_tokens=256, negatives=16, precision="no",
        body_learning_rate=5e-3, row_learning_rate=2e-2, **changes,
    )  # fmt: skip
    saved = []
    state = distil(
        student,
        data,
        options=options,
        optimizers=optimizers_for(student, known, options),
        state=DistilState(),
        rng=rng,
        accelerator=Accelerator(cpu=True),
        checkpoint=lambda at: saved.append(at.step),
        progress=lambda line: None,
    )
    assert saved[-1] == state.step
    return target, state


def test_distillation_lowers_the_distance(toy, rng):
    """A few steps bring the student's foreign sentences nearer to the teacher's vectors."""
    student = student_of(toy[2])
    before = sentence_vectors(student.electra, toy[1], EVERY, **LIMITS)

    target, state = taught(student, toy, rng)

    after = sentence_vectors(student.electra, toy[1], EVERY, **LIMITS)
    assert state.step == 40
    assert (after - target).pow(2).sum() < 0.7 * (before - target).pow(2).sum()


def _gradients(rank):
    """Of rows looked up, of a whole table and of a weight, in one of two processes."""
    accelerator = Accelerator(cpu=True)
    table = torch.nn.Parameter(torch.zeros(6, 2))
    ids = [torch.tensor([1, 4, 4]), torch.tensor([4])][rank]
    found = {}
    for name in ("rows", "whole"):
        rows = LazyAdam(table, torch.ones(6))
        loss = (rows.look_up(ids) * (rank + 1)).sum()
        if name == "whole":
            loss = loss + (rank + 1) * 10 * table.sum()
        loss.backward()
        found[name] = rows.gather(accelerator)
    weight = torch.full((2, 3), float(rank))
    average([weight, torch.ones(1)], accelerator)
    return {**found, "weight": weight}


def _one_of_two(rank, folder):
    """What each of two processes does: writes gradients, trains on draws of its own."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2}
    meeting = {"MASTER_ADDR": "localhost", "MASTER_PORT": 1}  # asked for, but they meet in a file
    os.environ |= {name: str(value) for name, value in (place | meeting).items()}
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    save_file(_gradients(rank), folder / f"gradients-{rank}.safetensors")
    toy = toy_language(np.random.default_rng(0))
    student = student_of(toy[2])
    _, state = taught(student, toy, np.random.default_rng(rank), steps=5)
    assert state.step == 5
    save_file(dict(student.electra.named_parameters()), folder / f"weights-{rank}.safetensors")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """The folder that two processes wrote to."""
    folder = tmp_path_factory.mktemp("two")
    torch.multiprocessing.spawn(_one_of_two, (folder,), nprocs=2)
    return folder


@pytest.mark.parametrize("rank", [0, 1])
def test_processes_follow_the_mean_gradient(two_processes, rank):
    """By hand: row 1 is looked up once by the first, row 4 twice by it and once by the second."""
    found = load_file(two_processes / f"gradients-{rank}.safetensors")
    rows = torch.tensor([[0.5, 0.5], [2.0, 2.0]])  # (1 + 0) / 2 and (1 + 1 + 2) / 2
    whole = torch.full((6, 2), 15.0)  # (10 + 20) / 2
    whole[[1, 4]] += rows
    torch.testing.assert_close(found["rows"], rows)
    torch.testing.assert_close(found["whole"], whole)
    torch.testing.assert_close(found["weight"], torch.full((2, 3), 0.5))


def test_processes_train_the_same_weights(two_processes):
    """Each draws its own batches, and all end with the same bits."""
    first, second = (load_file(two_processes / f"weights-{rank}.safetensors") for rank in (0, 1))
    for name, weight in first.items():
        torch.testing.assert_close(weight, second[name], rtol=0, atol=0)


def aligned(toy, rng, **changes):
    """The English and the foreign vectors of a student that learned by alignment alone."""
    student = student_of(toy[2])
    taught(
        student, toy, rng, distance_weight=0.0, contrast_weight=0.0, english_weight=0.0,
        align_weight=1.0, steps=100, **changes,
    )  # fmt: skip
    return [sentence_vectors(student.electra, texts, EVERY, **LIMITS) for texts in toy[:2]]


@pytest.mark.parametrize("kind", ["cosine", "l2", "contrastive"])
def test_alignment_alone_finds_translations(toy, rng, kind):
    """Without a teacher, a text comes to lie nearest to the student's own English."""
    english, ours = aligned(toy, rng, align_loss=kind, koleo_weight=1.0)

    nearest = (ours @ english.T).argmax(dim=1).numpy()
    assert (nearest == EVERY).mean() > 0.25  # chance is 0.017


def test_koleo_keeps_vectors_apart(toy):
    """Pulling alone is content with one point for all texts."""
    pulled, spread = (
        aligned(toy, np.random.default_rng(5), align_loss="cosine", koleo_weight=weight)[0]
        for weight in (0.0, 1.0)
    )

    assert (spread @ spread.T).mean() < (pulled @ pulled.T).mean() - 0.1


def test_an_unknown_alignment_is_refused(toy, rng):
    """The value seen and the three that are known are named."""
    with pytest.raises(ConfigError, match="contrastive; got 'dot'"):
        taught(student_of(toy[2]), toy, rng, align_weight=1.0, align_loss="dot")
