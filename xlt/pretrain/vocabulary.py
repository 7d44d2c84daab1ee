"""Extends a teacher's word pieces to other languages and keeps how English is cut.

The new tokenizer keeps the teacher's pieces that English really uses and gives the rest of its
rows to pieces learned from the other languages. A learned piece that would change the cut of an
English word is left out, so that the teacher's body sees the English that it knows.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from xlt.errors import ConfigError
from xlt.pretrain.tifinagh import FOLDED, TYPED_YEY, YEY

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"
_CHUNK = 20_000
# Long enough for a sentence without spaces (Thai, Khmer, Burmese); the teacher's 100 is not.
_MAX_CHARS_PER_WORD = 400
# Marks after a Latin letter, or after one of the marks that stay: dot below, horn, hook above.
_STAY = r"\u0323\u031b\u0309"
_DROPPED = rf"(?<=[\p{{Latin}}{_STAY}])[\p{{Mn}}&&[^{_STAY}]]+"


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A tokenizer and, for each of its V pieces, the teacher's row or -1 where it is new."""

    tokenizer: Tokenizer
    teacher_row: NDArray[np.int64]  # (V,)
    pieces: tuple[str, ...]  # (V,)


def normalizer(accents: str) -> normalizers.Normalizer:
    """Returns the normaliser: lower case and NFC; marks are dropped in Latin script or nowhere.

    Composed, a Korean syllable is one character, and a vowel with its tone mark is one.

    Args:
        accents: `keep`, or `strip-latin`: drop combining marks after Latin letters, as the teacher
            does, but for the dot below, the horn and the hook above, which tell letters and words
            of Yoruba, Igbo and Vietnamese apart; keep those of every other script.

    Raises:
        ConfigError: If `accents` is something else.
    """
    steps: list[normalizers.Normalizer] = [
        normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True
        ),
        normalizers.NFD(),
        normalizers.Replace("\u0f0b", " "),  # the Tibetan syllable mark
        normalizers.Replace(Regex(TYPED_YEY), YEY),
        *(normalizers.Replace(letter, standard) for letter, standard in FOLDED.items()),
    ]
    if accents == "strip-latin":
        steps.append(normalizers.Replace(Regex(_DROPPED), ""))
    elif accents != "keep":
        raise ConfigError(f"accents must be 'keep' or 'strip-latin', not {accents!r}")
    return normalizers.Sequence([*steps, normalizers.NFC()])


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
    """Builds a tokenizer of `n_pieces` rows from the teacher's and from text in other languages.

    Args:
        teacher: A WordPiece tokenizer.
        english: Texts that say which of the teacher's pieces English uses.
        other: Texts in other languages, already sampled by language.
        alphabet: Characters that must be readable, however rare their language.
        n_english: How many of the teacher's pieces to keep.
        n_pieces: How many pieces the result has, special ones included.
        min_english_uses: English words used as often in `english` are cut as the kept pieces cut
            them. Rarer ones, names and foreign words for the most part, may not stand in the way
            of other languages' words.
        accents: See `normalizer`.

    Raises:
        ConfigError: If the counts leave no room for new pieces.
    """
    if not 0 < n_english < n_pieces:
        raise ConfigError(f"need 0 < n_english ({n_english}) < n_pieces ({n_pieces})")
    kept = _english_pieces(teacher, english, n_english)
    known = set(kept)
    forms = (form for letter in alphabet for form in (letter, PREFIX + letter))
    letters = {form for form in forms if form not in known and not _useless(form)}
    learned = _learn(other, size=int(1.6 * n_pieces), accents=accents)
    new = sorted(letters.union(learned) - known)
    counts = _words(english, accents)
    words = sorted(word for word, count in counts.items() if count >= min_english_uses)
    foreign = _words(other, accents)
    room = n_pieces - len(kept)
    for target in (2 * room, int(1.3 * room), room):
        new = _leave_english(kept, new, words, accents)
        used = _usage([*kept, *new], foreign, accents)
        new = sorted(new, key=lambda piece: (piece not in letters, -used[piece], piece))[:target]
    new = _leave_english(kept, new, words, accents)
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
        file: Of the tokenizer; its normaliser is replaced by today's.
        teacher: The teacher's tokenizer.
        n_english: How many of its pieces were kept; they come first.
        accents: See `normalizer`.

    Raises:
        ConfigError: If the pieces do not begin with the special ones.
    """
    ids = Tokenizer.from_file(str(file)).get_vocab()
    pieces = tuple(sorted(ids, key=ids.__getitem__))
    if pieces[: len(SPECIAL)] != SPECIAL:
        raise ConfigError(
            f"the pieces of {file} must begin with {' '.join(SPECIAL)}, not with "
            f"{' '.join(pieces[: len(SPECIAL)])}: was it made by `xlt pretrain`?"
        )
    rows = teacher.get_vocab()
    kept = [rows.get(piece, -1) for piece in pieces[:n_english]]
    return Vocabulary(
        tokenizer=wordpiece(pieces, accents),
        teacher_row=np.array(kept + [-1] * (len(pieces) - len(kept))),
        pieces=pieces,
    )


def first_tokenizer(texts: Sequence[str], *, n_pieces: int, accents: str) -> Tokenizer:
    """Returns a tokenizer of pieces learned from `texts` alone, to see how finely they are cut."""
    learned = _learn(texts, size=n_pieces, accents=accents)
    return wordpiece([*SPECIAL, *learned], accents)


def frequent_characters(texts: Iterable[str], accents: str, *, at_least: int) -> list[str]:
    """Returns the characters that stand in `at_least` of the texts, normalised."""
    normal = normalizer(accents)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(normal.normalize_str(text)))
    return sorted(c for c, n in counts.items() if n >= at_least and not c.isspace())


def wordpiece(pieces: Sequence[str], accents: str) -> Tokenizer:
    """Returns a WordPiece tokenizer over `pieces` with the special tokens of BERT."""
    model = models.WordPiece(
        {piece: row for row, piece in enumerate(pieces)},
        unk_token="[UNK]",
        continuing_subword_prefix=PREFIX,
        max_input_chars_per_word=_MAX_CHARS_PER_WORD,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer(accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, pieces.index(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def initial_rows(
    vocabulary: Vocabulary,
    teacher: Tokenizer,
    teacher_rows: NDArray[np.float32],
    *,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Returns first embeddings: the teacher's row, or the mean of the teacher's cut of the piece.

    Args:
        vocabulary: The pieces.
        teacher: The teacher's tokenizer, which strips accents: `é` starts as `e`.
        teacher_rows: The teacher's word embeddings.  # (V_teacher, H)
        rng: For the pieces that the teacher cannot read.
    """
    unknown = teacher.token_to_id("[UNK]")
    centre, spread = teacher_rows.mean(axis=0), teacher_rows.std(axis=0)
    shape = (len(vocabulary.pieces), teacher_rows.shape[1])
    noise = rng.standard_normal(shape).astype(np.float32)
    rows: NDArray[np.float32] = centre + 0.3 * spread * noise
    old = vocabulary.teacher_row >= 0
    rows[old] = teacher_rows[vocabulary.teacher_row[old]]
    for row in np.flatnonzero(~old):
        cut = teacher.encode(vocabulary.pieces[row].removeprefix(PREFIX), add_special_tokens=False)
        if cut.ids and unknown not in cut.ids:
            rows[row] = teacher_rows[cut.ids].mean(axis=0)
    return rows


def _english_pieces(teacher: Tokenizer, english: Sequence[str], size: int) -> list[str]:
    """Keeps special pieces, then letters and pieces that `english` uses, then frequent ones."""
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


def _learn(texts: Sequence[str], *, size: int, accents: str) -> list[str]:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer(accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=2,
        limit_alphabet=12_000,
        special_tokens=["[UNK]"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(iter(texts), trainer)
    return sorted(tokenizer.get_vocab().keys() - {"[UNK]"})


def _words(texts: Iterable[str], accents: str) -> Counter[str]:
    """Returns how often each word stands in the texts."""
    normal, split = normalizer(accents), pre_tokenizers.BertPreTokenizer()
    words: Counter[str] = Counter()
    for text, times in Counter(texts).items():
        for word, _ in split.pre_tokenize_str(normal.normalize_str(text)):
            words[word] += times
    return words


def _leave_english(
    kept: list[str], new: list[str], words: Sequence[str], accents: str
) -> list[str]:
    """Drops new pieces until every one of `words` is cut as by the kept pieces alone."""
    before = wordpiece(kept, accents).encode_batch_fast(list(words), add_special_tokens=False)
    unknown = kept.index("[UNK]")
    while True:
        after = wordpiece([*kept, *new], accents).encode_batch_fast(
            list(words), add_special_tokens=False
        )
        guilty = {
            row - len(kept)
            for old, now in zip(before, after, strict=True)
            if old.ids != now.ids and unknown not in old.ids
            for row in now.ids
            if row >= len(kept)
        }
        if not guilty:
            return new
        new = [piece for row, piece in enumerate(new) if row not in guilty]


def _usage(pieces: Sequence[str], words: Mapping[str, int], accents: str) -> Mapping[str, int]:
    """Returns how often each piece is used in words that stand so often."""
    tokenizer = wordpiece(pieces, accents)
    used = np.zeros(len(pieces), dtype=np.int64)
    for chunk in _chunks(sorted(words)):
        times = np.array([words[word] for word in chunk])
        encodings = tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
        ids = np.concatenate([np.array(encoding.ids, dtype=np.int64) for encoding in encodings])
        repeated = np.repeat(times, [len(encoding.ids) for encoding in encodings])
        used += np.bincount(ids, weights=repeated, minlength=len(pieces)).astype(np.int64)
    return {piece: int(used[row]) for row, piece in enumerate(pieces)}


def _useless(piece: str) -> bool:
    """Tells whether `piece` continues a word with a character that is always cut alone."""
    last = piece[-1]
    alone = "\u3400" <= last <= "\u9fff" or not (
        last.isalnum() or unicodedata.combining(last) or unicodedata.category(last).startswith("M")
    )
    return piece.startswith(PREFIX) and alone


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _CHUNK):
        yield list(texts[start : start + _CHUNK])


def tokenizer_config(tokenizer: Tokenizer, *, max_length: int) -> str:
    """Returns the tokenizer_config.json that makes AutoTokenizer read tokenizer.json as it is."""
    names = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    tokens = dict(zip(names, ("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"), strict=True))
    missing = [token for token in tokens.values() if tokenizer.token_to_id(token) is None]
    if missing:
        raise ConfigError(f"the tokenizer lacks {', '.join(missing)}")
    return json.dumps(
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": max_length,
            "clean_up_tokenization_spaces": False,
            **tokens,
        },
        indent=2,
    )
