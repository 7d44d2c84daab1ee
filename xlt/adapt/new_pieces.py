"""Adds pieces to a tokenizer for languages that it splits too finely.

Source texts are tokenised as before. The vocabulary of a WordPiece or Unigram model is extended by
pieces that the same algorithm learns from the language's texts. In a byte-pair model this would
need new merges, which would also apply to other languages; it, and every other kind, gets frequent
whole words as added tokens, or frequent characters for scripts without spaces. The result is a
plain tokenizer.json, which needs no code of xlt.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import AddedToken, models, trainers

from xlt.adapt.tokenizer_json import TokenizerJson, as_json, as_tokenizer, size, unknown_id

#: Longest word, in characters, that WordPiece reads; a sentence without spaces is one word.
_WORD_LIMIT = 400


def new_pieces(
    data: TokenizerJson,
    texts: Mapping[str, Sequence[str]],
    source: Sequence[str],
    *,
    per_language: int,
    min_count: int,
) -> dict[str, float]:
    """Returns pieces that the languages use and the tokenizer lacks, with their scores.

    Pieces that would change the tokens of a source text are left out.

    Args:
        data: The tokenizer.
        texts: Texts of each language that gets pieces.
        source: Texts of the source language.
        per_language: Largest number of pieces of a language.
        min_count: A piece must be used this often in the language's texts.

    Returns:
        Log probability by piece; 0 if this kind of tokenizer has no scores.
    """
    learn = _learned if _is_extendable(data) else _frequent
    known = as_tokenizer(data).get_vocab(with_added_tokens=True)
    chosen: dict[str, float] = {}
    for lang in sorted(texts):
        candidates = learn(data, texts[lang], 2 * per_language, min_count)
        lacking = {p: s for p, s in candidates.items() if p not in known and p not in chosen}
        lacking = _harmless(data, lacking, source)
        counts = _usage(extended(data, lacking), texts[lang])
        used = [piece for piece in lacking if counts[piece] >= min_count]
        used.sort(key=lambda piece: (-counts[piece], piece))
        chosen |= {piece: lacking[piece] for piece in used[:per_language]}
    return _harmless(data, chosen, source)


def extended(data: TokenizerJson, pieces: Mapping[str, float]) -> TokenizerJson:
    """Returns the tokenizer with `pieces` appended; their ids follow the last old id."""
    result = copy.deepcopy(data)
    first = size(data)
    model = result["model"]
    if not _is_extendable(data):
        tokenizer = as_tokenizer(data)
        tokenizer.add_tokens([_added(piece) for piece in pieces])
        result = as_json(tokenizer)
    elif model["type"] == "Unigram":
        model["vocab"] += [[piece, score] for piece, score in pieces.items()]
    else:
        model["vocab"] |= {piece: first + row for row, piece in enumerate(pieces)}
        model["max_input_chars_per_word"] = max(model["max_input_chars_per_word"], _WORD_LIMIT)
    return result


def old_tokens(data: TokenizerJson, pieces: Sequence[str]) -> list[list[int]]:
    """Returns the old tokenizer's ids of each new piece; [] if a part of it is unknown."""
    tokenizer, model = as_tokenizer(data), data["model"]
    if model["type"] == "WordPiece":
        prefix = model["continuing_subword_prefix"]
        return [_longest_first(model["vocab"], piece, prefix) for piece in pieces]
    unknown = unknown_id(data)
    if model["type"] == "Unigram" and _is_extendable(data):
        ids = [[token.id for token in tokenizer.model.tokenize(piece)] for piece in pieces]
    else:
        encodings = tokenizer.encode_batch([" " + p for p in pieces], add_special_tokens=False)
        ids = [encoding.ids for encoding in encodings]
    return [[] if unknown in row else row for row in ids]


def _is_extendable(data: TokenizerJson) -> bool:
    """Returns True if pieces can be appended to the model itself.

    The id of a Unigram piece is its position, which must not be taken by a token added after the
    model (mDeBERTa's mask).
    """
    model = data["model"]
    return bool(
        model["type"] == "WordPiece"
        or (model["type"] == "Unigram" and len(model["vocab"]) == size(data))
    )


def _learned(
    data: TokenizerJson, texts: Sequence[str], most: int, min_count: int
) -> dict[str, float]:
    """Returns the pieces of a model of the same kind trained on `texts`, characters first."""
    model, kind = data["model"], data["model"]["type"]
    tokenizer = as_tokenizer(data)
    common: dict[str, Any] = {"vocab_size": most, "show_progress": False}
    if kind == "WordPiece":
        unknown = model["unk_token"]
        tokenizer.model = models.WordPiece({unknown: 0}, unk_token=unknown)
        prefix = model["continuing_subword_prefix"]
        tokenizer.train_from_iterator(
            iter(texts),
            trainers.WordPieceTrainer(
                min_frequency=min_count, continuing_subword_prefix=prefix,
                special_tokens=[unknown], **common,
            ),
        )  # fmt: skip
        order = sorted(tokenizer.get_vocab(with_added_tokens=False).items(), key=lambda p: p[1])
        return {piece: 0.0 for piece, _ in order[1:]}
    tokenizer.model = models.Unigram()
    tokenizer.train_from_iterator(
        iter(texts), trainers.UnigramTrainer(unk_token="<unk>", special_tokens=["<unk>"], **common)
    )
    return {piece: score for piece, score in as_json(tokenizer)["model"]["vocab"][1:]}


def _frequent(
    data: TokenizerJson, texts: Sequence[str], most: int, min_count: int
) -> dict[str, float]:
    """Returns frequent words of 3 tokens or more, characters of 2 or more, and unknown ones."""
    tokenizer = as_tokenizer(data)
    words = Counter(word for text in texts for word in text.split() if word.isalpha())
    letters = Counter(c for text in texts for c in text if not c.isspace() and not c.isascii())
    whole = [word for word, n in words.most_common(2 * most) if n >= min_count]
    single = [letter for letter, n in letters.most_common(most) if n >= min_count]
    encodings = tokenizer.encode_batch(
        [" " + word for word in whole] + single, add_special_tokens=False
    )
    unknown = unknown_id(data)
    shortest = [3] * len(whole) + [2] * len(single)
    pieces = [
        piece
        for piece, encoding, least in zip([*whole, *single], encodings, shortest, strict=True)
        if len(encoding.ids) >= least or unknown in encoding.ids
    ]
    return dict.fromkeys(dict.fromkeys(pieces[:most]), 0.0)


def _harmless(
    data: TokenizerJson, pieces: Mapping[str, float], source: Sequence[str]
) -> dict[str, float]:
    """Drops pieces until every word of the source texts has the same tokens as before.

    Each word is tried at the start of a text and within one.
    """
    first = size(data)
    words = [f"{word} {word}" for word in sorted({w for text in source for w in text.split()})]
    old = as_tokenizer(data).encode_batch_fast(words, add_special_tokens=False)
    rest = dict(pieces)
    while rest:
        now = as_tokenizer(extended(data, rest)).encode_batch_fast(words, add_special_tokens=False)
        names = list(rest)
        harmful = {
            names[id - first]
            for before, after in zip(old, now, strict=True)
            if before.ids != after.ids
            for id in after.ids
            if id >= first
        }
        if not harmful:
            break
        rest = {piece: score for piece, score in rest.items() if piece not in harmful}
    return rest


def _usage(data: TokenizerJson, texts: Sequence[str]) -> Counter[str]:
    """Counts the tokens of texts."""
    tokenizer = as_tokenizer(data)
    ids: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        ids.update(encoding.ids)
    return Counter({str(tokenizer.id_to_token(id)): count for id, count in ids.items()})


def _longest_first(vocabulary: Mapping[str, int], piece: str, prefix: str) -> list[int]:
    """Returns WordPiece's ids of a piece that may continue a word; [] if it is unknown."""
    lead = prefix if piece.startswith(prefix) and len(piece) > len(prefix) else ""
    rest, ids = piece.removeprefix(lead), []
    while rest:
        for end in range(len(rest), 0, -1):
            if lead + rest[:end] in vocabulary:
                ids.append(vocabulary[lead + rest[:end]])
                break
        else:
            return []
        rest, lead = rest[end:], prefix
    return ids


def _added(piece: str) -> AddedToken:
    word = len(piece) > 1  # the space before it belongs to it, as in byte-pair pieces
    return AddedToken(piece, single_word=word, lstrip=word, normalized=True, special=False)
