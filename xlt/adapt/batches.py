"""Tokenised texts of an adaptation, and the batches drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlt.adapt.options import AdaptOptions
from xlt.adapt.texts import AdaptData, Pair
from xlt.encoder.encoder import Encoder, embed
from xlt.encoder.tokens import Tokens
from xlt.pretrain.sampling import row_probabilities

_VECTOR_TOKENS = 4096
#: Batches drawn at once and sorted by length; one of them is used, so that little is padding.
_SORTED = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingTexts:
    """N texts in the languages to adapt to and S texts of the source language, tokenised.

    Attributes:
        texts: The N texts: sentences, words of the lexicon, texts without translation.
        with_translation: Each text that has a translation, and this, in one sequence.
        source_row: (N,) row of each text's translation in `sources`, or -1.
        word_chance: (N,) chance of each text in the lexicon part of a batch, 0 for sentences.
        sentence_chance: (N,) chance in the other part of a batch, 0 for words.
        masked_chance: (N,) chance among the texts with hidden tokens.
        sources: The S texts, sentences first, then words.
        n_sentences: Number of `sources` that are sentences.
        target: (S, H) vectors of `sources` by the unadapted encoder.
    """

    texts: list[Tokens]
    with_translation: list[Tokens]
    source_row: NDArray[np.int64]
    word_chance: NDArray[np.float64]
    sentence_chance: NDArray[np.float64]
    masked_chance: NDArray[np.float64]
    sources: list[Tokens]
    n_sentences: int
    target: Tensor

    @property
    def paired(self) -> bool:
        """Returns True if any text has a translation."""
        return bool(self.word_chance.any() or self.sentence_chance.any())


def split_pairs(
    pairs: Sequence[Pair], options: AdaptOptions, rng: np.random.Generator
) -> tuple[list[Pair], list[Pair]]:
    """Returns the pairs to train on and the held-out pairs.

    All translations of a source sentence are on one side. At most `max_pairs` pairs of each
    language are trained on.
    """
    sources = sorted({pair.source for pair in pairs})
    out = set(rng.permutation(len(sources))[: int(len(sources) * options.held_out_percent / 100)])
    held_out = {sources[row] for row in out}
    train: list[Pair] = []
    counts: dict[str, int] = {}
    for row in rng.permutation(len(pairs)):
        pair = pairs[row]
        if pair.source not in held_out and counts.get(pair.lang, 0) < options.max_pairs:
            counts[pair.lang] = counts.get(pair.lang, 0) + 1
            train.append(pair)
    return train, [pair for pair in pairs if pair.source in held_out]


def text_vectors(encoder: Encoder, texts: Sequence[str], options: AdaptOptions) -> Tensor:
    """Returns the vectors (N, H) of texts by an encoder as it is now."""
    return torch.from_numpy(
        embed(
            texts,
            encoder=encoder,
            max_length=options.max_tokens,
            batch_tokens=_VECTOR_TOKENS,
            precision=options.precision,
        )
    )


def source_side(data: AdaptData) -> tuple[list[str], int]:
    """Returns the distinct source texts, sentences before words, and the number of sentences."""
    sentences = data.source_texts()
    words = dict.fromkeys(pair.source for pair in data.lexicon)
    return list(dict.fromkeys([*sentences, *words])), len(sentences)


def training_texts(
    encoder: Encoder, data: AdaptData, target: Tensor, options: AdaptOptions
) -> TrainingTexts:
    """Tokenises all texts and weights their languages.

    Args:
        encoder: With its final tokenizer.
        data: Without held-out texts.
        target: (S, H) vectors of `source_side(data)` by the unadapted encoder.
        options: See `AdaptOptions`.
    """
    sources, n_sentences = source_side(data)
    place = {text: row for row, text in enumerate(sources)}
    known = {(pair.lang, pair.text) for pair in data.pairs}
    alone = [(lang, text) for lang, text in data.texts if (lang, text) not in known]
    translated = [*data.pairs, *data.lexicon]
    langs = [pair.lang for pair in translated] + [lang for lang, _ in alone]
    numbers = {lang: row for row, lang in enumerate(sorted(set(langs)))}
    language = np.array([numbers[lang] for lang in langs], dtype=np.int32)
    row = np.arange(len(langs))
    is_pair = row < len(data.pairs)
    is_word = ~is_pair & (row < len(translated))

    def chance(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        return row_probabilities(language, keep, options.language_exponent)

    tokenize = encoder.text_tokenizer(options.max_tokens)
    return TrainingTexts(
        texts=tokenize([*(pair.text for pair in translated), *(text for _, text in alone)]),
        with_translation=encoder.text_tokenizer(2 * options.max_tokens)(
            [(pair.text, pair.source) for pair in translated]
        ),
        source_row=np.array(
            [place[pair.source] for pair in translated] + [-1] * len(alone), dtype=np.int64
        ),
        word_chance=chance(is_word),
        sentence_chance=chance(is_pair),
        masked_chance=chance(~is_word),
        sources=tokenize(sources),
        n_sentences=n_sentences,
        target=target,
    )


def draw_batch(
    chance: NDArray[np.float64],
    lengths: NDArray[np.int64],
    max_tokens: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draws rows of similar length; none if all chances are 0.

    Args:
        chance: (N,) not negative.
        lengths: (N,) tokens of each row.
        max_tokens: Tokens of the batch with padding; at least one row is drawn.
        rng: Source of randomness.
    """
    total = chance.sum()
    if total <= 0 or max_tokens <= 0:
        return np.zeros(0, dtype=np.int64)
    mean = float(lengths @ chance) / total
    wanted = _SORTED * max(2, int(max_tokens / max(1.0, mean)))
    drawn = np.searchsorted(np.cumsum(chance), rng.random(wanted) * total, side="right")
    drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
    end = int(rng.integers(1, len(drawn) + 1))
    size = max(1, int(max_tokens / max(1, lengths[drawn[end - 1]])))
    rows: NDArray[np.int64] = np.unique(drawn[max(0, end - size) : end])
    return rows
