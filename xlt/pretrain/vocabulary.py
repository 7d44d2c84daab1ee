"""Extends a teacher's word pieces to other languages without changing the tokens of English.

The new tokenizer keeps the teacher's pieces that English text uses; all others are learned from
the other languages. A learned piece that would change the tokens of an English word is left out,
so that the teacher's body reads English as before.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from xlt.errors import ConfigError
from xlt.pretrain.wordpiece import PREFIX, SPECIAL, learned_pieces, word_counts, wordpiece

_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A tokenizer and its V pieces.

    Attributes:
        tokenizer: The tokenizer.
        teacher_row: (V,) the teacher's id of each piece, or -1 for a new piece.
        pieces: (V,) the pieces in the order of their ids.
    """

    tokenizer: Tokenizer
    teacher_row: NDArray[np.int64]
    pieces: tuple[str, ...]


def build_vocabulary(
    teacher: Tokenizer,
    *,
    english: Sequence[str],
    other: Sequence[str],
    alphabet: Sequence[str],
    n_english: int,
    n_pieces: int,
    min_english_uses: int,
    accents: str,
) -> Vocabulary:
    """Builds a tokenizer from the teacher's pieces and from text in other languages.

    Args:
        teacher: A WordPiece tokenizer.
        english: Texts whose pieces are kept.
        other: Texts in other languages, already sampled by language.
        alphabet: Characters that must have a piece, however rare they are.
        n_english: Number of the teacher's pieces to keep.
        n_pieces: Number of pieces of the result, including special ones.
        min_english_uses: The tokens of English words that occur this often in `english` do not
            change. Rarer words, mostly names and foreign words, do not restrict other languages.
        accents: See `normalizer`.

    Raises:
        ConfigError: If the counts leave no room for new pieces.
    """
    if not 0 < n_english < n_pieces:
        raise ConfigError(
            f"n_english must be above 0 and below n_pieces, got {n_english} and {n_pieces}"
        )
    kept = _english_pieces(teacher, english, n_english)
    known = set(kept)
    forms = (form for letter in alphabet for form in (letter, PREFIX + letter))
    letters = {form for form in forms if form not in known and not _is_useless(form)}
    learned = learned_pieces(other, size=int(1.6 * n_pieces), accents=accents)
    new = sorted(letters.union(learned) - known)
    counts = word_counts(english, accents)
    words = sorted(word for word, count in counts.items() if count >= min_english_uses)
    foreign = word_counts(other, accents)
    room = n_pieces - len(kept)
    for target in (2 * room, int(1.3 * room), room):
        new = _harmless(kept, new, words, accents)
        used = _usage([*kept, *new], foreign, accents)
        new = sorted(new, key=lambda piece: (piece not in letters, -used[piece], piece))[:target]
    new = _harmless(kept, new, words, accents)
    rows = teacher.get_vocab()
    pieces = (*kept, *new)
    return Vocabulary(
        tokenizer=wordpiece(pieces, accents),
        teacher_row=np.array([rows.get(piece, -1) for piece in kept] + [-1] * len(new)),
        pieces=pieces,
    )


def load_vocabulary(file: Path, teacher: Tokenizer, *, n_english: int, accents: str) -> Vocabulary:
    """Reads the pieces that `build_vocabulary` chose from a tokenizer.json.

    Args:
        file: The tokenizer.json; its normaliser is replaced by the current one.
        teacher: The teacher's tokenizer.
        n_english: Number of its pieces that were kept; they come first.
        accents: See `normalizer`.

    Raises:
        ConfigError: If the first pieces are not the special ones.
    """
    ids = Tokenizer.from_file(str(file)).get_vocab()
    pieces = tuple(sorted(ids, key=ids.__getitem__))
    if pieces[: len(SPECIAL)] != SPECIAL:
        raise ConfigError(
            f"the first pieces of {file} must be {' '.join(SPECIAL)}, got "
            f"{' '.join(pieces[: len(SPECIAL)])}: give a tokenizer made by `xlt pretrain`"
        )
    rows = teacher.get_vocab()
    kept = [rows.get(piece, -1) for piece in pieces[:n_english]]
    return Vocabulary(
        tokenizer=wordpiece(pieces, accents),
        teacher_row=np.array(kept + [-1] * (len(pieces) - len(kept))),
        pieces=pieces,
    )


def first_tokenizer(texts: Sequence[str], *, n_pieces: int, accents: str) -> Tokenizer:
    """Returns a tokenizer of pieces learned from `texts` alone, to measure their fertility."""
    learned = learned_pieces(texts, size=n_pieces, accents=accents)
    return wordpiece([*SPECIAL, *learned], accents)


def first_embeddings(
    vocabulary: Vocabulary,
    teacher: Tokenizer,
    teacher_rows: NDArray[np.float32],
    *,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Returns first embeddings (V, H): the teacher's, or the mean of the piece's old tokens.

    Args:
        vocabulary: The V pieces.
        teacher: The teacher's tokenizer, which strips accents: `é` starts as `e`.
        teacher_rows: The teacher's word embeddings.  # (V_teacher, H)
        rng: Draws the embeddings of pieces that the teacher cannot read.
    """
    unknown = teacher.token_to_id("[UNK]")
    centre, spread = teacher_rows.mean(axis=0), teacher_rows.std(axis=0)
    shape = (len(vocabulary.pieces), teacher_rows.shape[1])
    noise = rng.standard_normal(shape).astype(np.float32)
    rows: NDArray[np.float32] = centre + 0.3 * spread * noise
    old = vocabulary.teacher_row >= 0
    rows[old] = teacher_rows[vocabulary.teacher_row[old]]
    for row in np.flatnonzero(~old):
        text = vocabulary.pieces[row].removeprefix(PREFIX)
        ids = teacher.encode(text, add_special_tokens=False).ids
        if ids and unknown not in ids:
            rows[row] = teacher_rows[ids].mean(axis=0)
    return rows


def _english_pieces(teacher: Tokenizer, english: Sequence[str], size: int) -> list[str]:
    """Returns special pieces, then letters and pieces that `english` uses, then frequent ones."""
    counts: Counter[int] = Counter()
    for chunk in _chunks(english):
        for encoding in teacher.encode_batch_fast(chunk, add_special_tokens=False):
            counts.update(encoding.ids)
    by_row = sorted(teacher.get_vocab().items(), key=lambda item: item[1])
    plain = [piece for piece, _ in by_row if piece not in SPECIAL and "[unused" not in piece]
    rows = dict(by_row)

    def order(piece: str) -> tuple[bool, bool, int, int]:
        body = piece.removeprefix(PREFIX)
        seen = counts[rows[piece]]
        return (
            not (len(body) == 1 and body.isascii()),
            seen < 2,
            0 if seen > 1 else rows[piece],
            rows[piece],
        )

    return [*SPECIAL, *sorted(plain, key=order)[: size - len(SPECIAL)]]


def _harmless(kept: list[str], new: list[str], words: Sequence[str], accents: str) -> list[str]:
    """Drops new pieces until the tokens of `words` are those of the kept pieces alone."""
    before = wordpiece(kept, accents).encode_batch_fast(list(words), add_special_tokens=False)
    unknown = kept.index("[UNK]")
    while True:
        after = wordpiece([*kept, *new], accents).encode_batch_fast(
            list(words), add_special_tokens=False
        )
        harmful = {
            row - len(kept)
            for old, now in zip(before, after, strict=True)
            if old.ids != now.ids and unknown not in old.ids
            for row in now.ids
            if row >= len(kept)
        }
        if not harmful:
            return new
        new = [piece for row, piece in enumerate(new) if row not in harmful]


def _usage(pieces: Sequence[str], words: Mapping[str, int], accents: str) -> Mapping[str, int]:
    """Counts the uses of each piece in words with these counts."""
    tokenizer = wordpiece(pieces, accents)
    used = np.zeros(len(pieces), dtype=np.int64)
    for chunk in _chunks(sorted(words)):
        times = np.array([words[word] for word in chunk])
        encodings = tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
        ids = np.concatenate([np.array(encoding.ids, dtype=np.int64) for encoding in encodings])
        repeated = np.repeat(times, [len(encoding.ids) for encoding in encodings])
        used += np.bincount(ids, weights=repeated, minlength=len(pieces)).astype(np.int64)
    return {piece: int(used[row]) for row, piece in enumerate(pieces)}


def _is_useless(piece: str) -> bool:
    """Returns True if `piece` continues a word with a character that is always a word itself."""
    last = piece[-1]
    alone = "\u3400" <= last <= "\u9fff" or not (
        last.isalnum() or unicodedata.combining(last) or unicodedata.category(last).startswith("M")
    )
    return piece.startswith(PREFIX) and alone


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _CHUNK):
        yield list(texts[start : start + _CHUNK])
