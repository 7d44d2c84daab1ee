"""Makes an encoder from a recipe and tables, stage by stage; every finished stage is kept.

Under `torchrun` or `accelerate launch` all processes train the body, each on batches of its own.
The first one makes the stages and writes; the others read these from the folder that they share,
and hold texts and vectors of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import ElectraForMaskedLM

from xlt.disk.durable import replace_file, replacement
from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.errors import ConfigError
from xlt.pretrain.align import aligned_rows
from xlt.pretrain.bag import learn_rows
from xlt.pretrain.checkpoint import load_checkpoint, save_checkpoint
from xlt.pretrain.distil import DistilData, DistilState, distil, optimizers_for
from xlt.pretrain.factor import Factor
from xlt.pretrain.head import learn_head
from xlt.pretrain.processes import every_core, launched, same_start
from xlt.pretrain.ragged import encode
from xlt.pretrain.recipe import Recipe, read_recipe
from xlt.pretrain.report import held_out, unread
from xlt.pretrain.sampling import amounts, chances, fertility
from xlt.pretrain.student import (
    Teacher,
    find_teacher,
    load_teacher,
    make_student,
    save_encoder,
    special_ids,
    teacher_factor,
    teacher_vectors,
)
from xlt.pretrain.tables import Corpus, read_corpus, row_probabilities
from xlt.pretrain.vocabulary import (
    Vocabulary,
    build_vocabulary,
    first_tokenizer,
    frequent_characters,
    initial_rows,
    load_vocabulary,
)

Progress = Callable[[str], None]
_FACTOR_TEXTS = 4000


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What the stages share."""

    recipe: Recipe
    work: Path
    corpus: Corpus
    teacher: Teacher
    accelerator: Accelerator
    progress: Progress


def pretrain(
    recipe: Recipe,
    out: Path,
    *,
    tables: Sequence[Path],
    progress: Progress,
    recipe_text: str = "",
    keep_work: bool = False,
) -> Path:
    """Makes the encoder of `recipe` in `out`; a killed run goes on where it stopped.

    Args:
        recipe: What to make.
        out: The folder to write. Stages are kept beside it, in `out.work`, until it is whole.
        tables: Parquet tables with the columns corpus, key, lang and text.
        progress: Called with one line now and then.
        recipe_text: Stored as recipe.toml beside the weights.
        keep_work: Do not remove the stages at the end.

    Returns:
        The folder `out`.

    Raises:
        ConfigError: If the recipe cannot be followed, or `out.work` holds stages of another one.
        DataError: If the tables cannot be read or hold no text of the recipe's corpora.
    """
    work = out.with_name(out.name + ".work")
    work.mkdir(parents=True, exist_ok=True)
    accelerator = launched(recipe.distil.precision)
    said = progress if accelerator.is_main_process else lambda line: None
    said("reading tables")
    run = _Run(
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
        progress=said,
    )
    with accelerator.main_process_first():
        _claim(work, recipe, tables)
    with accelerator.main_process_first(), every_core(accelerator):
        vocabulary = _vocabulary(run)
        target = _target(run)
    run.progress(f"{len(vocabulary.pieces)} pieces; cutting {len(run.corpus.text)} texts")
    data = _data(run, vocabulary, target)
    factor = _factor(run)
    with accelerator.main_process_first(), every_core(accelerator):
        rows = _rows(run, vocabulary, factor, data)
    run.progress(f"processes {accelerator.num_processes}, device {accelerator.device.type}")
    student = make_student(run.teacher, vocabulary, rows, factor, seed=recipe.seed)
    _train(run, vocabulary, student, data)
    if accelerator.is_main_process:
        with every_core(accelerator):
            _finish(run, vocabulary, student, data, out, recipe_text)
        if not keep_work:
            shutil.rmtree(work)
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return out


def _claim(work: Path, recipe: Recipe, tables: Sequence[Path]) -> None:
    """Notes whose stages a folder holds.

    Raises:
        ConfigError: If they are another recipe's, or of other tables.
    """
    distil = recipe.distil
    parts = asdict(recipe) | {"distil": (distil.language_exponent, distil.few_texts)}
    for later in ("head", "matrix_dtype"):  # what is kept does not depend on them
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
    run: _Run,
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
    run.progress(f"masked-token head: {loss:.2f} nats a token")
    report = {
        "held_out": {
            language: asdict(found)
            for language, found in held_out(student.electra, run.corpus, data).items()
        },
        "unread_share": unread(run.corpus, data),
    }
    dtype: torch.dtype = getattr(torch, recipe.matrix_dtype)
    beside = {"recipe.toml": recipe_text, "report.json": json.dumps(report, indent=1) + "\n"}
    save_encoder(student, vocabulary, out, matrix_dtype=dtype, beside=beside)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt pretrain`."""
    parser.epilog = (
        "example:\n"
        "  xlt pretrain cpu --data parallel_text.parquet --out encoder\n"
        "with a process on each core or GPU:\n"
        "  torchrun --nproc-per-node 2 --no-python xlt pretrain cpu --data … --out …"
    )
    parser.add_argument("recipe", type=Path, help="recipe in TOML, or a shipped one: cpu, gpu")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="TABLE.parquet",
        help="tables with the columns corpus, key, lang, text",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="folder to write the encoder to")
    parser.add_argument("--keep-work", action="store_true", help="keep the stages of the run")


def main(args: argparse.Namespace) -> int:
    """Runs `xlt pretrain`; progress goes to stderr, the folder to stdout."""
    path = shipped_recipe(args.recipe)
    out = pretrain(
        read_recipe(path),
        args.out,
        tables=args.data,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
        recipe_text=path.read_text(encoding="utf-8"),
        keep_work=args.keep_work,
    )
    if not int(os.environ.get("RANK", "0")):
        print(out)
    return 0


def shipped_recipe(path: Path) -> Path:
    """Returns `path`, or the recipe of that name that comes with xlt (`cpu`, `gpu`)."""
    shipped = Path(__file__).parent / "recipes" / f"{path.name}.toml"
    return shipped if not path.exists() and shipped.exists() else path


def _vocabulary(run: _Run) -> Vocabulary:
    options, corpus = run.recipe.vocabulary, run.corpus
    file = run.work / "tokenizer.json"
    if file.exists():
        return load_vocabulary(
            file, run.teacher.tokenizer, n_english=options.n_english, accents=options.accents
        )
    run.progress("learning pieces")
    drawn = _drawn(run)
    vocabulary = build_vocabulary(
        run.teacher.tokenizer,
        english=corpus.sources,
        other=[corpus.text[row] for row in drawn],
        alphabet=frequent_characters(
            corpus.text, options.accents, at_least=options.min_character_texts
        ),
        n_english=options.n_english,
        n_pieces=options.n_pieces,
        min_english_uses=options.min_english_uses,
        accents=options.accents,
    )
    with replacement(file) as beside:
        vocabulary.tokenizer.save(str(beside), pretty=False)
    return vocabulary


def _drawn(run: _Run) -> NDArray[np.int64]:
    """Returns the texts to learn pieces from, with repetition: (n_texts,)."""
    options, corpus = run.recipe.vocabulary, run.corpus
    rng = np.random.default_rng(run.recipe.seed)
    amount = amounts(corpus, min_texts=options.min_texts)
    exponent = options.language_exponent
    chance = chances(corpus, amount, language_exponent=exponent)
    first = rng.choice(len(chance), size=options.n_first_texts, p=chance)
    tokenizer = first_tokenizer(
        [corpus.text[row] for row in first], n_pieces=options.n_pieces, accents=options.accents
    )
    weight = fertility(tokenizer, corpus, amount, first) ** options.fertility_exponent
    chance = chances(corpus, amount, language_exponent=exponent, weight=weight)
    return rng.choice(len(chance), size=options.n_texts, p=chance)


def _target(run: _Run) -> Tensor:
    """Returns the teacher's unit vectors of the English texts: (S, H)."""
    file = run.work / "target.safetensors"
    if not file.exists():
        run.progress(f"teacher's vectors of {len(run.corpus.sources)} English texts")
        vectors = teacher_vectors(run.teacher, run.corpus.sources, max_tokens=128)
        with replacement(file) as beside:
            save_file({"target": vectors}, beside)
    return load_file(file)["target"]


def _data(run: _Run, vocabulary: Vocabulary, target: Tensor) -> DistilData:
    corpus, options = run.corpus, run.recipe.distil
    paired = (corpus.source >= 0) & ~corpus.held_out

    def chance(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        exponent, few = options.language_exponent, options.few_texts
        return row_probabilities(corpus.language, keep, exponent, few=few)

    return DistilData(
        texts=encode(vocabulary.tokenizer, corpus.text),
        sources=encode(vocabulary.tokenizer, corpus.sources),
        source=corpus.source,
        lexicon=chance(paired & corpus.lexical),
        sentences=chance(paired & ~corpus.lexical),
        target=target,
        english=corpus.english,
        special=special_ids(vocabulary),
    )


def _factor(run: _Run) -> Factor:
    """Returns how the teacher's rows become shorter ones, from English that is trained on."""
    rng = np.random.default_rng(run.recipe.seed)
    english = run.corpus.english
    rows = rng.choice(english, size=min(len(english), _FACTOR_TEXTS), replace=False)
    texts = [run.corpus.sources[row] for row in rows]
    return teacher_factor(run.teacher, texts, size=run.recipe.embedding_size)


def _rows(run: _Run, vocabulary: Vocabulary, factor: Factor, data: DistilData) -> Tensor:
    file = run.work / "rows.safetensors"
    if not file.exists():
        rng = np.random.default_rng(run.recipe.seed + 1)
        long = run.teacher.body.embeddings.word_embeddings.weight.detach()
        table = (long @ factor.basis).numpy()
        known = vocabulary.teacher_row >= 0
        start = aligned_rows(
            torch.from_numpy(initial_rows(vocabulary, run.teacher.tokenizer, table, rng=rng)),
            known,
            texts=data.texts,
            sources=data.sources,
            source=data.source,
            language=run.corpus.language,
            sentences=data.sentences > 0,
            lexicon=data.lexicon > 0,
            options=run.recipe.align,
            rng=rng,
            progress=run.progress,
        )
        rows = learn_rows(
            start,
            known,
            texts=data.texts,
            sources=data.sources,
            source=data.source,
            lexicon=data.lexicon,
            sentences=data.sentences,
            options=run.recipe.bag,
            rng=rng,
            progress=run.progress,
        )
        with replacement(file) as beside:
            save_file({"rows": rows}, beside)
    return load_file(file)["rows"]


def _train(
    run: _Run, vocabulary: Vocabulary, student: ElectraForMaskedLM, data: DistilData
) -> None:
    recipe, accelerator = run.recipe, run.accelerator
    torch.nn.Module.to(student, accelerator.device)
    if accelerator.device.type == "cpu":
        student.set_attn_implementation("eager")  # the fused backward takes a third of a step there
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
    if not accelerator.is_main_process:  # the checkpoint holds what the first was to draw
        rng = np.random.default_rng((recipe.seed + 2, accelerator.process_index, state.step))
        state.batches = None

    def keep(at: DistilState) -> None:
        if accelerator.is_main_process:
            save_checkpoint(folder, student, optimizers, at, rng)

    distil(
        student,
        data,
        options=recipe.distil,
        optimizers=optimizers,
        state=state,
        rng=rng,
        accelerator=accelerator,
        checkpoint=keep,
        progress=run.progress,
    )
