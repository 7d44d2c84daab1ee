"""First embeddings of new pieces: from old pieces, translations and whole sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from xlt.adapt.data import Pair
from xlt.adapt.options import AdaptOptions
from xlt.pretrain.bag import BagOptions, learn_rows
from xlt.pretrain.ragged import Ragged, encode
from xlt.pretrain.tables import row_probabilities

_NOISE = 0.3  # of the rows' spread, for a piece about which nothing is known
_BAG_ROWS = 1024


def initial_rows(
    old: NDArray[np.float32],
    cuts: Sequence[Sequence[int]],
    tokenizer: Tokenizer,
    lexicon: Sequence[Pair],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Embeddings of the pieces that follow the old ones.

    A piece that stands in words of the lexicon starts as the mean of their translations' rows,
    each word counted by the piece's share of it (cf. WECHSEL, arXiv 2112.06598); another as the
    mean of the old pieces that it was cut into; one that could not be read near the centre.

    Args:
        old: Old embeddings.  # (V, H)
        cuts: Old ids of each of the N new pieces; [] where it could not be read.
        tokenizer: With the new pieces, whose ids are V to V + N - 1.
        lexicon: Words and their translations.
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
    total, weight = np.zeros_like(rows), np.zeros(len(cuts), dtype=np.float32)
    words = encode(tokenizer, [pair.text for pair in lexicon])
    sources = encode(tokenizer, [pair.source for pair in lexicon])
    for word in range(len(lexicon)):
        ids, theirs = (r.flat[r.start[word] : r.start[word + 1]] for r in (words, sources))
        theirs = theirs[theirs < len(old)]
        for id in ids[ids >= len(old)] if len(theirs) else ():
            total[id - len(old)] += old[theirs].mean(axis=0) / len(ids)
            weight[id - len(old)] += 1 / len(ids)
    told = weight > 0
    rows[told] = total[told] / weight[told, None]
    return rows


def placed_by_bags(
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
    """Moves the `new` rows so that bags of translations meet; see `xlt.pretrain.bag`.

    Only the rows in use take part, whatever the size of the vocabulary.

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
    if not both or not new.any() or not options.bag_steps:
        return table
    texts = encode(tokenizer, [pair.text for pair in both])
    source = encode(tokenizer, [pair.source for pair in both])
    used = np.unique(np.concatenate([texts.flat, source.flat]))
    langs = {lang: row for row, lang in enumerate(sorted({pair.lang for pair in both}))}
    language = np.array([langs[pair.lang] for pair in both], dtype=np.int32)
    lexical = np.arange(len(both)) >= len(pairs)
    readable = (texts.lengths() > 0) & (source.lengths() > 0)

    def chance(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        return row_probabilities(language, keep, options.language_exponent)

    with_words = bool((readable & lexical).any())
    with_sentences = bool((readable & ~lexical).any())
    if not (with_words or with_sentences):
        return table
    rows = learn_rows(
        table[torch.from_numpy(used.astype(np.int64))],
        ~new[used],
        texts=_renumbered(texts, used),
        sources=_renumbered(source, used),
        source=np.arange(len(both), dtype=np.int32),
        lexicon=chance(readable & lexical),
        sentences=chance(readable & ~lexical),
        options=BagOptions(
            steps=options.bag_steps,
            minutes=options.bag_minutes,
            batch_size=_BAG_ROWS,
            lexicon_share=0.4 if with_words and with_sentences else float(with_words),
            max_tokens=options.max_tokens,
        ),
        rng=rng,
        progress=progress,
    )
    result = table.clone()
    result[torch.from_numpy(used.astype(np.int64))] = rows
    return result


def _renumbered(texts: Ragged, used: NDArray[np.int32]) -> Ragged:
    return Ragged(flat=np.searchsorted(used, texts.flat).astype(np.int32), start=texts.start)
