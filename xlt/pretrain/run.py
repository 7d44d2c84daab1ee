"""Makes an encoder from a recipe and tables, stage by stage; every finished stage is kept.

Under `torchrun` or `accelerate launch` all processes train the body, each on batches of its own.
The first process makes the stages and writes the encoder; the others read the stages from the
folder that all share, and hold texts and vectors of their own.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from transformers import ElectraForMaskedLM

from xlt.disk.durable import replace_file
from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.disk.outputs import check_folder, check_new_folder
from xlt.errors import ConfigError
from xlt.pretrain.corpus import read_corpus
from xlt.pretrain.distil.batches import DistilData, DistilState
from xlt.pretrain.distil.checkpoint import load_checkpoint, save_checkpoint
from xlt.pretrain.distil.loop import distil, optimizers_for
from xlt.pretrain.distributed import every_core, launched, same_start
from xlt.pretrain.evaluation import held_out, unread
from xlt.pretrain.masked_head import learn_head
from xlt.pretrain.recipe import Recipe
from xlt.pretrain.stages import (
    Run,
    make_data,
    make_embeddings,
    make_factors,
    make_target,
    make_vocabulary,
)
from xlt.pretrain.student import make_student, save_encoder
from xlt.pretrain.teacher import find_teacher, load_teacher
from xlt.pretrain.vocabulary import Vocabulary

Progress = Callable[[str], None]


def pretrain(
    recipe: Recipe,
    out: Path,
    *,
    tables: Sequence[Path],
    progress: Progress,
    recipe_text: str = "",
    keep_work: bool = False,
) -> Path:
    """Makes the encoder of `recipe` in `out`; a killed run continues where it stopped.

    Args:
        recipe: The recipe.
        out: Folder to write, which is empty or does not exist. Until it is complete, stages are
            kept beside it in `out.work`.
        tables: Parquet tables with the columns corpus, key, lang and text.
        progress: Called with one line now and then.
        recipe_text: Stored as recipe.toml beside the weights.
        keep_work: Keeps the stages at the end.

    Returns:
        The folder `out`.

    Raises:
        ConfigError: If the recipe is invalid, or `out.work` holds stages of another recipe.
        DataError: If the tables cannot be read or have no text of the recipe's corpora.
        StoreError: If `out` cannot be written. A finished encoder is kept, and the message names
            its folder.
    """
    check_new_folder(out)
    place = out.resolve()
    work = place.with_name(place.name + ".work")
    check_folder(work)
    work.mkdir(parents=True, exist_ok=True)
    accelerator = launched(recipe.distil.precision)
    report = progress if accelerator.is_main_process else lambda line: None
    report("reading tables")
    run = Run(
        recipe=recipe,
        work=work,
        corpus=read_corpus(
            tables,
            corpora=recipe.corpora,
            lexicons=recipe.lexicons,
            respelled=recipe.in_tifinagh,
            held_out_percent=recipe.held_out_percent,
        ),
        teacher=load_teacher(find_teacher(recipe.teacher)),
        accelerator=accelerator,
        progress=report,
    )
    with accelerator.main_process_first():
        _claim(work, recipe, tables)
    with accelerator.main_process_first(), every_core(accelerator):
        vocabulary = make_vocabulary(run)
        target = make_target(run)
    run.progress(f"{len(vocabulary.pieces)} pieces; tokenising {len(run.corpus.text)} texts")
    data = make_data(run, vocabulary, target)
    factors = make_factors(run)
    with accelerator.main_process_first(), every_core(accelerator):
        rows = make_embeddings(run, vocabulary, factors, data)
    run.progress(f"processes {accelerator.num_processes}, device {accelerator.device.type}")
    student = make_student(run.teacher, vocabulary, rows, factors, seed=recipe.seed)
    _train(run, vocabulary, student, data)
    if accelerator.is_main_process:
        with every_core(accelerator):
            _finish(run, vocabulary, student, data, place, recipe_text)
        if not keep_work:
            shutil.rmtree(work)
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return out


def _claim(work: Path, recipe: Recipe, tables: Sequence[Path]) -> None:
    """Marks a folder of stages with its recipe and tables.

    Raises:
        ConfigError: If it holds stages of another recipe or of other tables.
    """
    distil = recipe.distil
    parts = asdict(recipe) | {"distil": (distil.language_exponent, distil.few_texts)}
    for later in ("head", "matrix_dtype"):  # stages do not depend on them
        del parts[later]
    key = fingerprint([*sorted(parts.items()), *map(fingerprint_of_file, tables)])
    mark = work / "key"
    known = mark.read_text() if mark.is_file() else None
    if known == key:
        return
    if known is not None or any(work.iterdir()):
        raise ConfigError(
            f"{work} holds the stages of another recipe or of other tables: remove it, or give "
            "another --out"
        )
    replace_file(mark, key.encode())


def _finish(
    run: Run,
    vocabulary: Vocabulary,
    student: ElectraForMaskedLM,
    data: DistilData,
    out: Path,
    recipe_text: str,
) -> None:
    """Trains the masked-token head and writes the encoder, its recipe and its report."""
    recipe = run.recipe
    loss = learn_head(
        student,
        data,
        options=recipe.head,
        rng=np.random.default_rng(recipe.seed + 4),
        accelerator=run.accelerator,
        progress=run.progress,
    )
    run.progress(f"masked-token head: {loss:.2f} nats per token")
    report = {
        "held_out": {
            language: asdict(result)
            for language, result in held_out(student.electra, run.corpus, data).items()
        },
        "unread_share": unread(run.corpus, data),
    }
    dtype: torch.dtype = getattr(torch, recipe.matrix_dtype)
    beside = {"recipe.toml": recipe_text, "report.json": json.dumps(report, indent=1) + "\n"}
    save_encoder(student, vocabulary, out, matrix_dtype=dtype, beside=beside)


def _train(run: Run, vocabulary: Vocabulary, student: ElectraForMaskedLM, data: DistilData) -> None:
    """Trains the student in place, from the last checkpoint on."""
    recipe, accelerator = run.recipe, run.accelerator
    torch.nn.Module.to(student, accelerator.device)
    if accelerator.device.type == "cpu":
        student.set_attn_implementation("eager")  # its fused backward pass takes a third of a step
    known = vocabulary.teacher_row >= 0
    optimizers = optimizers_for(student, known, recipe.distil)
    rng = np.random.default_rng(recipe.seed + 2)
    folder = run.work / "checkpoint"
    state = load_checkpoint(folder, student, optimizers, rng)
    same_start(
        student.parameters(),
        step=state.step,
        pieces=zlib.crc32("\n".join(vocabulary.pieces).encode()),
        accelerator=accelerator,
    )
    if not accelerator.is_main_process:  # the checkpoint holds the first process's draws
        rng = np.random.default_rng((recipe.seed + 2, accelerator.process_index, state.step))
        state.batches = None

    def save(current: DistilState) -> None:
        if accelerator.is_main_process:
            save_checkpoint(folder, student, optimizers, current, rng)

    distil(
        student,
        data,
        options=recipe.distil,
        optimizers=optimizers,
        state=state,
        rng=rng,
        accelerator=accelerator,
        checkpoint=save,
        progress=run.progress,
    )
