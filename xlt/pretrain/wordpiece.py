"""WordPiece tokenizers of the student: normaliser, training, special tokens, configuration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from xlt.errors import ConfigError
from xlt.pretrain.tifinagh import FOLDED, TYPED_YEY, YEY

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"
# Enough for a sentence without spaces (Thai, Khmer, Burmese); the teacher's 100 is not.
_MAX_CHARS_PER_WORD = 400
# Marks after a Latin letter, or after one of the marks that remain: dot below, horn, hook above.
_REMAINING = r"\u0323\u031b\u0309"
_DROPPED = rf"(?<=[\p{{Latin}}{_REMAINING}])[\p{{Mn}}&&[^{_REMAINING}]]+"


def normalizer(accents: str) -> normalizers.Normalizer:
    """Returns the normaliser: lower case, NFC, and dropped accents if that is asked for.

    In NFC a Korean syllable is one character, and so is a vowel with its tone mark.

    Args:
        accents: `keep`, or `strip-latin`. The latter drops combining marks after Latin letters, as
            the teacher does, except the dot below, the horn and the hook above, which distinguish
            words of Yoruba, Igbo and Vietnamese. Marks of every other script are kept.

    Raises:
        ConfigError: If `accents` has another value.
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


def wordpiece(pieces: Sequence[str], accents: str) -> Tokenizer:
    """Returns a WordPiece tokenizer with these pieces and the special tokens of BERT."""
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


def learned_pieces(texts: Sequence[str], *, size: int, accents: str) -> list[str]:
    """Learns pieces from texts; returns them in alphabetical order."""
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


def word_counts(texts: Iterable[str], accents: str) -> Counter[str]:
    """Counts the normalised words of texts."""
    normal, split = normalizer(accents), pre_tokenizers.BertPreTokenizer()
    words: Counter[str] = Counter()
    for text, times in Counter(texts).items():
        for word, _ in split.pre_tokenize_str(normal.normalize_str(text)):
            words[word] += times
    return words


def frequent_characters(texts: Iterable[str], accents: str, *, at_least: int) -> list[str]:
    """Returns the characters that stand in `at_least` of the texts, normalised."""
    normal = normalizer(accents)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(normal.normalize_str(text)))
    return sorted(c for c, n in counts.items() if n >= at_least and not c.isspace())


def tokenizer_config(tokenizer: Tokenizer, *, max_length: int) -> str:
    """Returns a tokenizer_config.json with which AutoTokenizer reads tokenizer.json as it is.

    Raises:
        ConfigError: If the tokenizer lacks a special token.
    """
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
