"""First embeddings of new pieces: from old pieces, word alignment and bags of translations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from xlt.adapt.data import Pair
from xlt.adapt.options import AdaptOptions
from xlt.pretrain.align import AlignOptions, aligned_rows
from xlt.pretrain.bag import BagOptions, learn_rows
from xlt.pretrain.ragged import Ragged, encode
from xlt.pretrain.tables import row_probabilities

_NOISE = 0.3  # of the rows' spread, for a piece about which nothing is known
#: As in the recipe of the bundled encoder: alignment places a row, bags move it little.
_BAG = BagOptions(batch_size=1024, learning_rate=1e-3, contrast_weight=0.2, dropout=0.3)


def initial_rows(
    old: NDArray[np.float32], cuts: Sequence[Sequence[int]], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Embeddings of the pieces that follow the old ones, before any translation is looked at.

    A piece starts as the mean of the old pieces that it was cut into; one that could not be read
    near the centre.

    Args:
        old: Old embeddings.  # (V, H)
        cuts: Old ids of each of the N new pieces; [] where it could not be read.
        rng: For the pieces of which nothing is known.

    Returns:
        (N, H).
    """
    centre, spread = old.mean(axis=0), old.std(axis=0)
    noise = rng.standard_normal((len(cuts), old.shape[1])).astype(np.float32)
    rows: NDArray[np.float32] = centre + _NOISE * spread * noise
    for row, cut in enumerate(cuts):
        if cut:
            rows[row] = old[list(cut)].mean(axis=0)
    return rows


def placed_by_translations(
    table: Tensor,
    new: NDArray[np.bool_],
    tokenizer: Tokenizer,
    *,
    pairs: Sequence[Pair],
    lexicon: Sequence[Pair],
    options: AdaptOptions,
    rng: np.random.Generator,
    progress: Callable[[str], None],
) -> Tensor:
    """Moves the `new` rows to where translations say that they belong.

    Each goes to the source pieces that word alignment finds it to stand for
    (`xlt.pretrain.align`), then bags of translations are made to meet (`xlt.pretrain.bag`). Only
    the rows in use take part, whatever the size of the vocabulary.

    Args:
        table: Embeddings.  # (V, H)
        new: Rows that may move.  # (V,)
        tokenizer: Cuts the texts.
        pairs: Sentences and their translations.
        lexicon: Words and theirs.
        options: `bag_steps`, `bag_minutes` and `language_exponent` count.
        rng: Draws batches.
        progress: Called with one line now and then.

    Returns:
        (V, H); `table` itself where there is nothing to learn from.
    """
    both = [*pairs, *lexicon]
    texts = encode(tokenizer, [pair.text for pair in both])
    source = encode(tokenizer, [pair.source for pair in both])
    readable = (texts.lengths() > 0) & (source.lengths() > 0)
    if not readable.any() or not new.any():
        return table
    used = np.unique(np.concatenate([texts.flat, source.flat]))
    at = torch.from_numpy(used.astype(np.int64))
    texts, source = _renumbered(texts, used), _renumbered(source, used)
    langs = {lang: row for row, lang in enumerate(sorted({pair.lang for pair in both}))}
    language = np.array([langs[pair.lang] for pair in both], dtype=np.int32)
    words = readable & (np.arange(len(both)) >= len(pairs))
    sentences = readable & ~words
    aligned = aligned_rows(
        table[at], ~new[used], texts=texts, sources=source,
        source=np.arange(len(both), dtype=np.int32), language=language, sentences=sentences,
        lexicon=words, options=AlignOptions(), rng=rng, progress=progress,
    )  # fmt: skip
    rows = learn_rows(
        aligned, ~new[used], texts=texts, sources=source,
        source=np.arange(len(both), dtype=np.int32),
        lexicon=row_probabilities(language, words, options.language_exponent),
        sentences=row_probabilities(language, sentences, options.language_exponent),
        options=replace(
            _BAG,
            steps=options.bag_steps,
            minutes=options.bag_minutes,
            lexicon_share=0.4 if words.any() and sentences.any() else float(words.any()),
            max_tokens=options.max_tokens,
        ),
        rng=rng, progress=progress,
    )  # fmt: skip
    result = table.clone()
    result[at] = rows
    return result


def _renumbered(texts: Ragged, used: NDArray[np.int32]) -> Ragged:
    return Ragged(flat=np.searchsorted(used, texts.flat).astype(np.int32), start=texts.start)
