"""The stages of a pretraining before the body is trained; every finished stage is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from xlt.disk.durable import replacement
from xlt.pretrain.bag_of_pieces import learn_rows
from xlt.pretrain.corpus import Corpus
from xlt.pretrain.distil.batches import DistilData
from xlt.pretrain.embedding_factors import EmbeddingFactors
from xlt.pretrain.recipe import Recipe
from xlt.pretrain.sampling import amounts, chances, fertility, row_probabilities
from xlt.pretrain.student import special_ids
from xlt.pretrain.teacher import Teacher, teacher_factors, teacher_vectors
from xlt.pretrain.tokenized_texts import tokenize
from xlt.pretrain.translations import Translations
from xlt.pretrain.vocabulary import (
    Vocabulary,
    build_vocabulary,
    first_embeddings,
    first_tokenizer,
    load_vocabulary,
)
from xlt.pretrain.word_alignment import aligned_rows
from xlt.pretrain.wordpiece import frequent_characters

Progress = Callable[[str], None]
_FACTOR_TEXTS = 4000


@dataclass(frozen=True, kw_only=True)
class Run:
    """Values that the stages share.

    Attributes:
        recipe: The recipe.
        work: Folder of finished stages.
        corpus: Texts to learn from.
        teacher: The teacher.
        accelerator: Device and processes.
        progress: Called with one line now and then.
    """

    recipe: Recipe
    work: Path
    corpus: Corpus
    teacher: Teacher
    accelerator: Accelerator
    progress: Progress


def make_vocabulary(run: Run) -> Vocabulary:
    """Returns the student's vocabulary, learned or from a finished stage."""
    options, corpus = run.recipe.vocabulary, run.corpus
    file = run.work / "tokenizer.json"
    if file.exists():
        return load_vocabulary(
            file, run.teacher.tokenizer, n_english=options.n_english, accents=options.accents
        )
    run.progress("learning pieces")
    drawn = _texts_for_pieces(run)
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


def make_target(run: Run) -> Tensor:
    """Returns the teacher's unit vectors of the English texts: (S, H)."""
    file = run.work / "target.safetensors"
    if not file.exists():
        run.progress(f"computing the teacher's vectors of {len(run.corpus.sources)} English texts")
        vectors = teacher_vectors(run.teacher, run.corpus.sources, max_tokens=128)
        with replacement(file) as beside:
            save_file({"target": vectors}, beside)
    return load_file(file)["target"]


def make_data(run: Run, vocabulary: Vocabulary, target: Tensor) -> DistilData:
    """Tokenises the corpus and weights its languages."""
    corpus, options = run.corpus, run.recipe.distil
    paired = (corpus.source >= 0) & ~corpus.held_out

    def chance(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        exponent, few = options.language_exponent, options.few_texts
        return row_probabilities(corpus.language, keep, exponent, few=few)

    return DistilData(
        translations=Translations(
            texts=tokenize(vocabulary.tokenizer, corpus.text),
            sources=tokenize(vocabulary.tokenizer, corpus.sources),
            source_row=corpus.source,
            language=corpus.language,
            word_chance=chance(paired & corpus.lexical),
            sentence_chance=chance(paired & ~corpus.lexical),
        ),
        target=target,
        english=corpus.english,
        special=special_ids(vocabulary),
    )


def make_factors(run: Run) -> EmbeddingFactors:
    """Factorises the teacher's embeddings, fitted to English texts that are trained on."""
    rng = np.random.default_rng(run.recipe.seed)
    english = run.corpus.english
    rows = rng.choice(english, size=min(len(english), _FACTOR_TEXTS), replace=False)
    texts = [run.corpus.sources[row] for row in rows]
    return teacher_factors(run.teacher, texts, size=run.recipe.embedding_size)


def make_embeddings(
    run: Run, vocabulary: Vocabulary, factors: EmbeddingFactors, data: DistilData
) -> Tensor:
    """Returns the student's embeddings after steps 1 and 2: (V, r)."""
    file = run.work / "rows.safetensors"
    if not file.exists():
        rng = np.random.default_rng(run.recipe.seed + 1)
        long = run.teacher.body.embeddings.word_embeddings.weight.detach()
        short = (long @ factors.basis).numpy()
        known = vocabulary.teacher_row >= 0
        first = first_embeddings(vocabulary, run.teacher.tokenizer, short, rng=rng)
        aligned = aligned_rows(
            torch.from_numpy(first),
            known,
            translations=data.translations,
            options=run.recipe.align,
            rng=rng,
            progress=run.progress,
        )
        rows = learn_rows(
            aligned,
            known,
            translations=data.translations,
            options=run.recipe.bag,
            rng=rng,
            progress=run.progress,
        )
        with replacement(file) as beside:
            save_file({"rows": rows}, beside)
    return load_file(file)["rows"]


def _texts_for_pieces(run: Run) -> NDArray[np.int64]:
    """Draws the texts to learn pieces from, with repetition: (n_texts,)."""
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
