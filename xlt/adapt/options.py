"""The options of an adaptation, and the keys of its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from xlt import __version__
from xlt.adapt.texts import AdaptData
from xlt.disk.fingerprints import fingerprint
from xlt.encoder.locations import encoder_fingerprint
from xlt.errors import ConfigError

#: Lowest and highest allowed value of each number.
_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**31 - 1),
    "max_unknown": (0.0, 1.0),
    "max_tokens_per_word": (1.0, 1e3),
    "max_tokens_per_character": (0.0, 1e2),
    "new_pieces": (0, 10**6),
    "min_piece_count": (1, 10**6),
    "bag_steps": (0, 10**7),
    "bag_minutes": (0.0, 1e6),
    "steps": (0, 10**7),
    "minutes": (0.0, 1e6),
    "batch_tokens": (64, 10**7),
    "max_tokens": (8, 8192),
    "max_pairs": (1, 10**8),
    "body_learning_rate": (0.0, 1.0),
    "row_learning_rate": (0.0, 1.0),
    "warmup_share": (0.0, 1.0),
    "lexicon_share": (0.0, 1.0),
    "source_share": (0.0, 1.0),
    "language_exponent": (0.0, 1.0),
    "distance_weight": (0.0, 1e3),
    "contrast_weight": (0.0, 1e3),
    "hold_weight": (0.0, 1e4),
    "temperature": (1e-3, 1e2),
    "mlm_weight": (0.0, 1e3),
    "masked_share": (0.01, 0.9),
    "masked_texts": (1, 10**6),
    "tlm_share": (0.0, 1.0),
    "anchor": (0.0, 1.0),
    "held_out_percent": (0.0, 50.0),
    "checkpoint_minutes": (0.0, 1e6),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptOptions:
    """Options of an adaptation; benchmarks/adapt chose the rates, weights and shares.

    Attributes:
        source: Language of the labels; its vectors are held in place.
        seed: The same seed, data and encoder give the same result, unless `minutes` end a stage.
        max_unknown: A language gets new pieces if more than this share of its characters is in
            unknown tokens.
        max_tokens_per_word: A language gets new pieces if its words have more tokens on average.
            A language that is read well has 1.2 to 2 (Rust et al., arXiv 2012.15613).
        max_tokens_per_character: The same for scripts without spaces between words.
        new_pieces: Largest number of new pieces for a language; 0 keeps the tokenizer.
        min_piece_count: A new piece must occur this often in the texts.
        trim: Drops the pieces that no text uses.
        bag_steps: Steps that train new embeddings alone on bags of translations, after word
            alignment and before the body is trained.
        bag_minutes: Time limit of these steps.
        steps: Steps that train the body.
        minutes: Time limit of these steps; 0 for none.
        batch_tokens: Tokens of a step with padding.
        max_tokens: Texts are truncated to this number of tokens.
        max_pairs: Largest number of translated sentences and of translated words of each
            language, and of further source texts.
        body_learning_rate: Peak rate of the body, which is trained only with translations.
        row_learning_rate: Peak rate of the embeddings that the source does not use; those that it
            uses are not trained.
        warmup_share: Share of the steps in which rates rise.
        lexicon_share: Share of a step's tokens for single words, if there is a lexicon.
        source_share: Share of a step's tokens for source sentences, to hold their vectors.
        language_exponent: Languages are drawn in proportion to their number of texts to this
            power.
        distance_weight: Weight of the distance to the translation's old vector.
        contrast_weight: Weight of the contrast between that vector and others.
        hold_weight: Weight of the distance of source sentences to their own old vectors.
        temperature: Temperature of the contrast.
        mlm_weight: Weight of the masked-token loss; see `xlt.adapt.loop`.
        masked_share: Share of tokens to hide.
        masked_texts: Texts per step with hidden tokens.
        tlm_share: Share of those that are followed by their translation (TLM).
        anchor: Share of the way back to the old weights that each step takes.
        held_out_percent: Pairs kept from training, to measure retrieval before and after.
        checkpoint_minutes: Time between checkpoints.
        precision: auto, bf16 or fp32.
    """

    source: str = "en"
    seed: int = 13
    max_unknown: float = 0.01
    max_tokens_per_word: float = 2.0
    max_tokens_per_character: float = 0.6
    new_pieces: int = 2000
    min_piece_count: int = 5
    trim: bool = False
    bag_steps: int = 200
    bag_minutes: float = 1.0
    steps: int = 200
    minutes: float = 4.0
    batch_tokens: int = 2048
    max_tokens: int = 64
    max_pairs: int = 4000
    body_learning_rate: float = 1.5e-4
    row_learning_rate: float = 1e-3
    warmup_share: float = 0.05
    lexicon_share: float = 0.15
    source_share: float = 0.15
    language_exponent: float = 0.3
    distance_weight: float = 1.0
    contrast_weight: float = 0.2
    hold_weight: float = 1.0
    temperature: float = 0.05
    mlm_weight: float = 0.0
    masked_share: float = 0.15
    masked_texts: int = 16
    tlm_share: float = 0.3
    anchor: float = 0.0
    held_out_percent: float = 2.0
    checkpoint_minutes: float = 2.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not low <= value <= high:
                raise ConfigError(f"{name} must be in [{low:g}, {high:g}], got {value!r}")
        if self.precision not in ("auto", "bf16", "fp32"):
            raise ConfigError(f"precision must be auto, bf16 or fp32, got {self.precision!r}")
        if not self.source.strip():
            raise ConfigError("source must be the code of a language, got ''")


def cache_key(encoder: str, data: AdaptData, options: AdaptOptions) -> str:
    """Returns 64 hexadecimal digits that identify encoder, texts and options.

    Raises:
        EncoderError: If the encoder does not exist.
    """
    return fingerprint([_basis(encoder, options), data.digest()])


def purpose(encoder: str, languages: Iterable[str], options: AdaptOptions) -> str:
    """Returns 64 hexadecimal digits that identify encoder, languages and options.

    Raises:
        EncoderError: If the encoder does not exist.
    """
    return fingerprint([_basis(encoder, options), *sorted(languages)])


def _basis(encoder: str, options: AdaptOptions) -> list[object]:
    decisive = asdict(options)
    del decisive["checkpoint_minutes"]
    return [__version__, encoder_fingerprint(encoder), *sorted(decisive.items())]
