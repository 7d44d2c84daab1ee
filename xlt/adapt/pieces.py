"""Gives a tokenizer new pieces for languages that it shatters, and leaves the source's cut alone.

WordPiece and Unigram models are extended themselves: pieces are learned from the language's texts
by the same algorithm and appended to the vocabulary. A byte-pair model cannot be extended so
without new merges that would also apply elsewhere; it, and every other kind, gets whole frequent
words, or characters where words are not separated by blanks, as added tokens. Everything stays in
tokenizer.json, so that no code of ours is needed to read it.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer, models, trainers

#: What tokenizer.json holds.
TokenizerJson = dict[str, Any]

#: A sentence without blanks is one word to WordPiece, which gives up on longer ones.
_WORD_LIMIT = 400


def as_json(tokenizer: Tokenizer) -> TokenizerJson:
    """A tokenizer as tokenizer.json holds it, without truncation and padding."""
    found: TokenizerJson = json.loads(tokenizer.to_str())
    return found | {"truncation": None, "padding": None}


def as_tokenizer(data: TokenizerJson) -> Tokenizer:
    """The tokenizer that tokenizer.json describes."""
    return Tokenizer.from_str(json.dumps(data))


def new_pieces(
    data: TokenizerJson,
    texts: Mapping[str, Sequence[str]],
    source: Sequence[str],
    *,
    per_language: int,
    min_count: int,
) -> dict[str, float]:
    """Pieces that the tokenizer lacks and the languages use, with their scores.

    Pieces that would change how a source text is cut are left out.

    Args:
        data: The tokenizer.
        texts: Of each language that gets pieces.
        source: Texts of the source language.
        per_language: At most so many pieces of each language.
        min_count: A piece must be used as often in the language's texts.

    Returns:
        Log probability by piece; 0 where the kind of tokenizer has no scores.
    """
    learn = _learn if _grows(data) else _frequent
    known = as_tokenizer(data).get_vocab(with_added_tokens=True)
    found: dict[str, float] = {}
    for lang in sorted(texts):
        learned = learn(data, texts[lang], 2 * per_language, min_count)
        lacking = {p: s for p, s in learned.items() if p not in known and p not in found}
        lacking = _harmless(data, lacking, source)
        counts = _usage(extended(data, lacking), texts[lang])
        used = [piece for piece in lacking if counts[piece] >= min_count]
        used.sort(key=lambda piece: (-counts[piece], piece))
        found |= {piece: lacking[piece] for piece in used[:per_language]}
    return _harmless(data, found, source)


def extended(data: TokenizerJson, pieces: Mapping[str, float]) -> TokenizerJson:
    """The tokenizer with `pieces` appended; their ids follow the last id there was."""
    result = copy.deepcopy(data)
    first = size(data)
    model = result["model"]
    if not _grows(data):
        tokenizer = as_tokenizer(data)
        tokenizer.add_tokens([_added(piece) for piece in pieces])
        result = as_json(tokenizer)
    elif model["type"] == "Unigram":
        model["vocab"] += [[piece, score] for piece, score in pieces.items()]
    else:
        model["vocab"] |= {piece: first + row for row, piece in enumerate(pieces)}
        model["max_input_chars_per_word"] = max(model["max_input_chars_per_word"], _WORD_LIMIT)
    return result


def size(data: TokenizerJson) -> int:
    """One more than the highest id."""
    return 1 + max(as_tokenizer(data).get_vocab(with_added_tokens=True).values())


def old_cuts(data: TokenizerJson, pieces: Sequence[str]) -> list[list[int]]:
    """How the tokenizer without them cuts each of the `pieces`; [] where it cannot read all."""
    tokenizer, model = as_tokenizer(data), data["model"]
    if model["type"] == "WordPiece":
        prefix = model["continuing_subword_prefix"]
        return [_longest_first(model["vocab"], piece, prefix) for piece in pieces]
    unknown = unknown_id(data)
    if model["type"] == "Unigram" and _grows(data):
        cuts = [[token.id for token in tokenizer.model.tokenize(piece)] for piece in pieces]
    else:
        found = tokenizer.encode_batch([" " + p for p in pieces], add_special_tokens=False)
        cuts = [encoding.ids for encoding in found]
    return [[] if unknown in cut else cut for cut in cuts]


def unknown_id(data: TokenizerJson) -> int | None:
    """Id of the unknown token; None where there is none."""
    model = data["model"]
    if model["type"] == "Unigram":
        found: int | None = model["unk_id"]
        return found
    name = model.get("unk_token")
    return None if name is None else as_tokenizer(data).token_to_id(name)


def _grows(data: TokenizerJson) -> bool:
    """Whether pieces can be appended to the model itself.

    A Unigram piece's id is its place, which must not be that of a token added behind the model
    (mDeBERTa's mask).
    """
    model = data["model"]
    return bool(
        model["type"] == "WordPiece"
        or (model["type"] == "Unigram" and len(model["vocab"]) == size(data))
    )


def _learn(
    data: TokenizerJson, texts: Sequence[str], most: int, min_count: int
) -> dict[str, float]:
    """Pieces of a model of the same kind, trained on `texts`, the characters first."""
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
    """Frequent words of three tokens or more, characters of two or more, and unknown ones."""
    tokenizer = as_tokenizer(data)
    words = Counter(word for text in texts for word in text.split() if word.isalpha())
    letters = Counter(c for text in texts for c in text if not c.isspace() and not c.isascii())
    whole = [word for word, n in words.most_common(2 * most) if n >= min_count]
    single = [letter for letter, n in letters.most_common(most) if n >= min_count]
    cuts = tokenizer.encode_batch([" " + word for word in whole] + single, add_special_tokens=False)
    unknown = unknown_id(data)
    shortest = [3] * len(whole) + [2] * len(single)
    kept = [
        piece
        for piece, cut, least in zip([*whole, *single], cuts, shortest, strict=True)
        if len(cut.ids) >= least or unknown in cut.ids
    ]
    return dict.fromkeys(dict.fromkeys(kept[:most]), 0.0)


def _harmless(
    data: TokenizerJson, pieces: Mapping[str, float], source: Sequence[str]
) -> dict[str, float]:
    """Drops pieces until every word of the source texts is cut as before.

    Each word is tried at the beginning of a text and within one.
    """
    first = size(data)
    words = [f"{word} {word}" for word in sorted({w for text in source for w in text.split()})]
    old = as_tokenizer(data).encode_batch_fast(words, add_special_tokens=False)
    left = dict(pieces)
    while left:
        now = as_tokenizer(extended(data, left)).encode_batch_fast(words, add_special_tokens=False)
        names = list(left)
        guilty = {
            names[id - first]
            for before, after in zip(old, now, strict=True)
            if before.ids != after.ids
            for id in after.ids
            if id >= first
        }
        if not guilty:
            break
        left = {piece: score for piece, score in left.items() if piece not in guilty}
    return left


def _usage(data: TokenizerJson, texts: Sequence[str]) -> Counter[str]:
    tokenizer = as_tokenizer(data)
    ids: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        ids.update(encoding.ids)
    return Counter({str(tokenizer.id_to_token(id)): count for id, count in ids.items()})


def _longest_first(vocabulary: Mapping[str, int], piece: str, prefix: str) -> list[int]:
    """WordPiece's cut of a piece that may continue a word."""
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


def _added(piece: str) -> Any:  # noqa: ANN401 - tokenizers has no stub for AddedToken
    from tokenizers import AddedToken

    word = len(piece) > 1  # its blank belongs to it, as in byte-pair pieces
    return AddedToken(piece, single_word=word, lstrip=word, normalized=True, special=False)
