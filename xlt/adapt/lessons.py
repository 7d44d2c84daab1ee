"""What training reads: cut texts of all languages, how likely each is drawn, the old vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlt.adapt.data import AdaptData, Pair
from xlt.adapt.options import AdaptOptions
from xlt.encoder.encoder import Encoder, embed
from xlt.encoder.tokens import Tokens
from xlt.pretrain.tables import row_probabilities

_VECTOR_TOKENS = 4096
#: Drawn for a batch, of which a window of like lengths is used: little padding.
_WINDOWS = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lessons:
    """N texts in the languages to adapt to and S texts of the source language.

    Attributes:
        texts: N cut texts: sentences, words of the lexicon, texts without translation.
        followed: The same followed by their translation, in one sequence, where they have one.
        source: (N,) the translation of each among `sources`, or -1.
        words: (N,) chance of each in the lexicon part of a batch; all 0 without a lexicon.
        sentences: (N,) chance of each in the other part; all 0 without pairs.
        masked: (N,) chance of each among the texts with hidden tokens.
        sources: S cut texts.
        held: Positions of those that are sentences, not words.
        target: (S, H) their vectors by the encoder as it was.
    """

    texts: list[Tokens]
    followed: list[Tokens]
    source: NDArray[np.int64]
    words: NDArray[np.float64]
    sentences: NDArray[np.float64]
    masked: NDArray[np.float64]
    sources: list[Tokens]
    held: NDArray[np.int64]
    target: Tensor

    @property
    def paired(self) -> bool:
        """Whether there is any translation to learn from."""
        return bool(self.words.any() or self.sentences.any())


def split_pairs(
    pairs: Sequence[Pair], options: AdaptOptions, rng: np.random.Generator
) -> tuple[list[Pair], list[Pair]]:
    """Pairs to train on and pairs held out, by source sentence: its translations stay together.

    At most `max_pairs` of each language are trained on.
    """
    sources = sorted({pair.source for pair in pairs})
    out = set(rng.permutation(len(sources))[: int(len(sources) * options.held_out_percent / 100)])
    held = {sources[row] for row in out}
    kept: list[Pair] = []
    counts: dict[str, int] = {}
    for row in rng.permutation(len(pairs)):
        pair = pairs[row]
        if pair.source not in held and counts.get(pair.lang, 0) < options.max_pairs:
            counts[pair.lang] = counts.get(pair.lang, 0) + 1
            kept.append(pair)
    return kept, [pair for pair in pairs if pair.source in held]


def old_vectors(encoder: Encoder, texts: Sequence[str], options: AdaptOptions) -> Tensor:
    """Vectors (S, H) of source texts by the encoder before it changes."""
    return torch.from_numpy(
        embed(
            texts,
            encoder=encoder,
            max_length=options.max_tokens,
            batch_tokens=_VECTOR_TOKENS,
            precision=options.precision,
        )
    )


def source_list(data: AdaptData) -> tuple[list[str], int]:
    """Distinct source texts, sentences first, and how many of them are sentences."""
    sentences = data.source_texts()
    words = dict.fromkeys(pair.source for pair in data.lexicon)
    return list(dict.fromkeys([*sentences, *words])), len(sentences)


def prepare(encoder: Encoder, data: AdaptData, target: Tensor, options: AdaptOptions) -> Lessons:
    """Cuts all texts.

    Args:
        encoder: With its final tokenizer.
        data: Without what is held out.
        target: Of `old_vectors`, for the texts of `source_list`.
        options: See `AdaptOptions`.
    """
    sources, n_sentences = source_list(data)
    place = {text: row for row, text in enumerate(sources)}
    known = {(pair.lang, pair.text) for pair in data.pairs}
    alone = [(lang, text) for lang, text in data.texts if (lang, text) not in known]
    both = [*data.pairs, *data.lexicon]
    langs = [pair.lang for pair in both] + [lang for lang, _ in alone]
    numbers = {lang: row for row, lang in enumerate(sorted(set(langs)))}
    language = np.array([numbers[lang] for lang in langs], dtype=np.int32)
    row = np.arange(len(langs))
    of_pair = row < len(data.pairs)
    of_word = ~of_pair & (row < len(both))

    def chance(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        return row_probabilities(language, keep, options.language_exponent)

    cut = encoder.text_tokenizer(options.max_tokens)
    return Lessons(
        texts=cut([*(pair.text for pair in both), *(text for _, text in alone)]),
        followed=encoder.text_tokenizer(2 * options.max_tokens)(
            [(pair.text, pair.source) for pair in both]
        ),
        source=np.array([place[p.source] for p in both] + [-1] * len(alone), dtype=np.int64),
        words=chance(of_word),
        sentences=chance(of_pair),
        masked=chance(~of_word),
        sources=cut(sources),
        held=np.arange(n_sentences),
        target=target,
    )


def window(
    chance: NDArray[np.float64],
    lengths: NDArray[np.int64],
    max_tokens: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draws rows of like length that fill `max_tokens` with padding; none where all chances are 0.

    Args:
        chance: (N,) not negative.
        lengths: (N,) tokens of each row.
        max_tokens: Padded tokens, at least one row's worth is given.
        rng: Source of randomness.
    """
    total = chance.sum()
    if total <= 0 or max_tokens <= 0:
        return np.zeros(0, dtype=np.int64)
    mean = float(lengths @ chance) / total
    wanted = _WINDOWS * max(2, int(max_tokens / max(1.0, mean)))
    drawn = np.searchsorted(np.cumsum(chance), rng.random(wanted) * total, side="right")
    drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
    end = int(rng.integers(1, len(drawn) + 1))
    size = max(1, int(max_tokens / max(1, lengths[drawn[end - 1]])))
    rows: NDArray[np.int64] = np.unique(drawn[max(0, end - size) : end])
    return rows
