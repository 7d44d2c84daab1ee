"""The two learning steps of pretraining, each alone on a toy language."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from transformers import ElectraConfig, ElectraForMaskedLM

from xlt.errors import ConfigError
from xlt.pretrain.bag import BagOptions, contrast, learn_rows
from xlt.pretrain.distil import (
    DistilData,
    DistilOptions,
    DistilState,
    contrast_bank,
    distil,
    optimizers_for,
)
from xlt.pretrain.lazyrows import LazyRows
from xlt.pretrain.masking import mask_tokens, pair_batch
from xlt.pretrain.processes import average
from xlt.pretrain.ragged import Ragged
from xlt.pretrain.student import sentence_vectors

N_WORDS, N_TEXTS, WIDTH = 20, 60, 16
SPECIAL = (0, 1, 2, 3, 4)


def ragged(lines):
    """Rows of token ids."""
    return Ragged(
        flat=np.concatenate(lines).astype(np.int32),
        start=np.cumsum([0, *map(len, lines)], dtype=np.int64),
    )


@pytest.fixture
def toy(rng):
    """See `toy_language`."""
    return toy_language(rng)


def toy_language(rng):
    """English ids 5..24, and a language that writes word i as i + 20."""
    english = [rng.integers(5, 5 + N_WORDS, size=rng.integers(3, 7)) for _ in range(N_TEXTS)]
    rows = torch.from_numpy(rng.standard_normal((5 + 2 * N_WORDS, WIDTH)).astype(np.float32))
    known = np.arange(len(rows)) < 5 + N_WORDS
    return ragged(english), ragged([line + N_WORDS for line in english]), rows, known


def learned(toy, rng, steps, dropout=0.0):
    """The rows after some steps of the bag."""
    sources, texts, rows, known = toy
    even = np.full(N_TEXTS, 1 / N_TEXTS)
    return learn_rows(
        rows,
        known,
        texts=texts,
        sources=sources,
        source=np.arange(N_TEXTS, dtype=np.int32),
        lexicon=np.zeros(N_TEXTS),
        sentences=even,
        options=BagOptions(steps=steps, batch_size=32, learning_rate=0.05, dropout=dropout),
        rng=rng,
        progress=lambda line: None,
    )


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_bag_pulls_translations_together(toy, rng, dropout):
    """A word's row comes to lie by its translation's; the teacher's rows do not move."""
    rows = learned(toy, rng, 150, dropout)
    _, _, before, known = toy
    fixed = torch.from_numpy(known)
    torch.testing.assert_close(rows[fixed], before[fixed], rtol=0, atol=0)
    ours, theirs = rows[5 + N_WORDS :], rows[5 : 5 + N_WORDS]
    nearest = torch.cdist(ours, theirs).argmin(dim=1)
    assert (nearest == torch.arange(N_WORDS)).float().mean() > 0.8


def test_contrast_by_hand():
    """Orthogonal vectors give the entropy of one right answer among B, less what it stands out."""
    vectors = torch.eye(3)
    loss = contrast(vectors, vectors, torch.arange(3), temperature=1.0)
    assert loss.item() == pytest.approx(-math.log(math.e / (math.e + 2)), abs=1e-5)
    alone = contrast(vectors, vectors, torch.zeros(3), temperature=1.0)
    assert alone.item() == pytest.approx(0.0, abs=1e-6)


def test_bank_leaves_out_the_right_answer():
    """A bank sentence that is the translation itself is no negative."""
    vectors = torch.eye(2)
    loss = contrast_bank(
        vectors,
        vectors,
        vectors,
        same_bank=torch.eye(2, dtype=torch.bool),
        same_batch=torch.eye(2, dtype=torch.bool),
        temperature=1.0,
    )
    assert loss.item() == pytest.approx(-math.log(math.e / (math.e + 2)), abs=1e-5)


LIMITS = {"special": (0, 2, 3), "max_tokens": 32}
EVERY = np.arange(N_TEXTS)


def student_of(rows):
    """A body that has learned nothing."""
    config = ElectraConfig(
        vocab_size=len(rows), embedding_size=WIDTH // 2, hidden_size=WIDTH, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    torch.manual_seed(0)
    return ElectraForMaskedLM(config).eval()


def taught(student, toy, rng, *, steps=40, **changes):
    """The teacher's vectors and the state after some steps of distillation."""
    sources, texts, _, known = toy
    target = sentence_vectors(student.electra, sources, EVERY, **LIMITS)
    data = DistilData(
        texts=texts,
        sources=sources,
        source=EVERY.astype(np.int32),
        lexicon=np.zeros(N_TEXTS),
        sentences=np.full(N_TEXTS, 1 / N_TEXTS),
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
        rows = LazyRows(table, torch.ones(6))
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


def test_vectors_do_not_depend_on_the_batch(toy):
    """Sorting and padding change nothing, and the order asked for is the order returned."""
    sources, _, rows, _ = toy
    body = student_of(rows).electra
    asked = np.array([7, 3, 41, 3])
    together = sentence_vectors(body, sources, asked, **LIMITS)
    for row, vector in zip(asked, together, strict=True):
        alone = sentence_vectors(body, sources, np.array([row]), **LIMITS)
        torch.testing.assert_close(alone[0], vector, rtol=1e-4, atol=1e-5)


def test_masking_leaves_special_tokens(rng):
    """Only text is hidden, at about the share asked for."""
    ids = rng.integers(5, 40, size=(50, 40))
    ids[:, 0], ids[:, -1] = 2, 0
    hidden, chosen = mask_tokens(ids, special=SPECIAL, n_pieces=40, share=0.2, rng=rng)
    assert not chosen[:, [0, -1]].any()
    assert chosen.mean() == pytest.approx(0.19, abs=0.03)
    assert (hidden[~chosen] == ids[~chosen]).all()
    assert (hidden[chosen] == SPECIAL[-1]).mean() == pytest.approx(0.8, abs=0.06)


def test_pairs_follow_their_text(toy):
    """TLM: text, [SEP], translation, [SEP]; without translation the text alone."""
    sources, texts, _, _ = toy
    source = np.arange(N_TEXTS, dtype=np.int32)
    source[1] = -1
    ids, mask = pair_batch(
        texts, sources, source, np.array([0, 1]), paired=np.array([True, True]),
        special=SPECIAL, max_tokens=32,
    )  # fmt: skip
    length = int(texts.lengths()[0])
    assert ids[0, 0] == 2
    assert ids[0, length + 1] == 3
    assert (ids[0, 1 : 1 + length] - N_WORDS == ids[0, 2 + length : 2 + 2 * length]).all()
    assert mask.sum(axis=1).tolist() == [2 * length + 3, int(texts.lengths()[1]) + 2]
