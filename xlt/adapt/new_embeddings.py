"""First embeddings of new pieces: from old pieces, word alignment and bags of translations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from xlt.adapt.embeddings import embedding_table, head_bias, set_embedding_table, set_head_bias
from xlt.adapt.new_pieces import old_tokens
from xlt.adapt.options import AdaptOptions
from xlt.adapt.texts import AdaptData, Pair
from xlt.adapt.tokenizer_json import TokenizerJson, as_tokenizer, size
from xlt.encoder.encoder import Encoder
from xlt.pretrain.bag_of_pieces import BagOptions, learn_rows
from xlt.pretrain.sampling import row_probabilities
from xlt.pretrain.tokenized_texts import TokenizedTexts, tokenize
from xlt.pretrain.translations import Translations
from xlt.pretrain.word_alignment import AlignOptions, aligned_rows

_NOISE = 0.3  # of the embeddings' spread, for a piece without old tokens
#: As in the recipe of the bundled encoder: alignment places an embedding, bags move it little.
_BAG = BagOptions(batch_size=1024, learning_rate=1e-3, contrast_weight=0.2, dropout=0.3)


def add_embeddings(
    encoder: Encoder,
    old: TokenizerJson,
    tokenizer: TokenizerJson,
    pieces: Sequence[str],
    *,
    data: AdaptData,
    options: AdaptOptions,
    rows_rng: np.random.Generator,
    bag_rng: np.random.Generator,
    progress: Callable[[str], None],
) -> None:
    """Gives an encoder embeddings of new pieces.

    Embeddings beyond the old tokenizer's last id are dropped.

    Args:
        encoder: The encoder, changed in place.
        old: Its tokenizer without the pieces.
        tokenizer: Its tokenizer with the pieces.
        pieces: The new pieces, in the order of their ids.
        data: Translations that place them.
        options: See `placed_by_translations`.
        rows_rng: Draws first embeddings.
        bag_rng: Draws batches of translations.
        progress: Called with one line now and then.
    """
    first = size(old)
    table = embedding_table(encoder).weight.detach()[:first].cpu()
    added = initial_rows(table.numpy(), old_tokens(old, pieces), rows_rng)
    rows = placed_by_translations(
        torch.cat([table, torch.from_numpy(added)]),
        np.arange(first + len(pieces)) >= first,
        as_tokenizer(tokenizer),
        pairs=data.pairs,
        lexicon=data.lexicon,
        options=options,
        rng=bag_rng,
        progress=progress,
    )
    set_embedding_table(encoder, rows)
    bias = head_bias(encoder)
    if bias is not None:
        known = bias.detach()[:first].cpu()
        set_head_bias(encoder, torch.cat([known, known.mean().expand(len(pieces))]))


def initial_rows(
    old: NDArray[np.float32], old_tokens: Sequence[Sequence[int]], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Returns embeddings (N, H) of new pieces that are not yet placed by translations.

    A piece starts at the mean of its old tokens' embeddings; without old tokens, near the centre
    of all embeddings.

    Args:
        old: Old embeddings.  # (V, H)
        old_tokens: Old ids of each of the N new pieces; [] if a part of it was unknown.
        rng: Draws the embeddings near the centre.
    """
    centre, spread = old.mean(axis=0), old.std(axis=0)
    noise = rng.standard_normal((len(old_tokens), old.shape[1])).astype(np.float32)
    rows: NDArray[np.float32] = centre + _NOISE * spread * noise
    for row, ids in enumerate(old_tokens):
        if ids:
            rows[row] = old[list(ids)].mean(axis=0)
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
    """Moves new embeddings to those of the source pieces that they translate.

    Word alignment finds these pieces (`xlt.pretrain.word_alignment`); then the embeddings are
    trained on bags of translations (`xlt.pretrain.bag_of_pieces`). Only the embeddings in use take
    part, so that the time does not depend on the size of the vocabulary.

    Args:
        table: Embeddings.  # (V, H)
        new: True for embeddings that may move.  # (V,)
        tokenizer: The extended tokenizer.
        pairs: Translated sentences.
        lexicon: Translated words.
        options: `bag_steps`, `bag_minutes`, `max_tokens` and `language_exponent` are used.
        rng: Draws batches.
        progress: Called with one line now and then.

    Returns:
        Embeddings (V, H); `table` itself if there is nothing to learn from.
    """
    both = [*pairs, *lexicon]
    texts = tokenize(tokenizer, [pair.text for pair in both])
    sources = tokenize(tokenizer, [pair.source for pair in both])
    readable = (texts.lengths() > 0) & (sources.lengths() > 0)
    if not readable.any() or not new.any():
        return table
    used = np.unique(np.concatenate([texts.flat, sources.flat]))
    at = torch.from_numpy(used.astype(np.int64))
    langs = {lang: row for row, lang in enumerate(sorted({pair.lang for pair in both}))}
    language = np.array([langs[pair.lang] for pair in both], dtype=np.int32)
    words = readable & (np.arange(len(both)) >= len(pairs))
    sentences = readable & ~words
    translations = Translations(
        texts=_renumbered(texts, used),
        sources=_renumbered(sources, used),
        source_row=np.arange(len(both), dtype=np.int32),
        language=language,
        word_chance=row_probabilities(language, words, options.language_exponent),
        sentence_chance=row_probabilities(language, sentences, options.language_exponent),
    )
    frozen = ~new[used]
    aligned = aligned_rows(
        table[at], frozen, translations=translations, options=AlignOptions(), rng=rng,
        progress=progress,
    )  # fmt: skip
    rows = learn_rows(
        aligned, frozen, translations=translations,
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


def _renumbered(texts: TokenizedTexts, used: NDArray[np.int32]) -> TokenizedTexts:
    """Returns the texts with positions in `used` instead of ids."""
    return TokenizedTexts(
        flat=np.searchsorted(used, texts.flat).astype(np.int32), start=texts.start
    )
