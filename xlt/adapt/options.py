"""What decides the result of an adaptation, and the key under which that result can be kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from xlt import __version__
from xlt.adapt.data import AdaptData
from xlt.disk.fingerprints import fingerprint
from xlt.encoder.locations import encoder_fingerprint
from xlt.errors import ConfigError

#: Lowest and highest value of each number, both allowed.
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
    """How an encoder is adapted. Rates, weights and shares were chosen by benchmarks/adapt.

    Attributes:
        source: Language that labels come from; its vectors are held where they were.
        seed: Same seed, data and encoder: same result, where `minutes` do not end a stage.
        max_unknown: A language that loses a larger share of its characters to the unknown token
            gets new pieces.
        max_tokens_per_word: So does one whose words are cut into more tokens in the mean. A
            language that is read well has 1.2 to 2 (Rust et al., arXiv 2012.15613).
        max_tokens_per_character: The same for scripts that put no spaces between words.
        new_pieces: At most so many per such language; 0 leaves the tokenizer alone.
        min_piece_count: A new piece must occur as often in the texts.
        trim: Drop the pieces that no text uses.
        bag_steps: Steps that move new rows until bags of translations meet, after word alignment
            has placed them and before the body runs.
        bag_minutes: The same in time; whichever ends first.
        steps: Steps through the body.
        minutes: The same in time, 0: `steps` alone decide.
        batch_tokens: Padded tokens of a step.
        max_tokens: Texts are cut there.
        max_pairs: Pairs of sentences kept per language, as many words, and source texts besides.
        body_learning_rate: Highest rate of the body; the body is trained only with pairs.
        row_learning_rate: Highest rate of the embedding rows that the source does not use; the
            source's rows never move.
        warmup_share: Of the steps, while rates rise.
        lexicon_share: Of a step's tokens, single words, where there is a lexicon.
        source_share: Of a step's tokens, source sentences that are held.
        language_exponent: Languages are drawn in proportion to their texts to this power.
        distance_weight: Of the distance to the source sentence's old vector.
        contrast_weight: Of telling that vector from others'.
        hold_weight: Of the distance of source sentences to their own old vectors.
        temperature: Of the contrast.
        mlm_weight: Of guessing hidden tokens; see `xlt.adapt.learn`.
        masked_share: Share of tokens that are hidden.
        masked_texts: Texts per step for that.
        tlm_share: Of those, how many are followed by their translation (TLM).
        anchor: Share of the way back to the old weights that each step goes.
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
            raise ConfigError("source must name a language, got ''")


def cache_key(encoder: str, data: AdaptData, options: AdaptOptions) -> str:
    """A key that is the same where encoder, texts and options are: 64 hexadecimal digits.

    Raises:
        EncoderError: If there is no such encoder.
    """
    return fingerprint([_basis(encoder, options), data.digest()])


def purpose(encoder: str, languages: Iterable[str], options: AdaptOptions) -> str:
    """A key that is the same where encoder, languages and options are, whatever the texts.

    Raises:
        EncoderError: If there is no such encoder.
    """
    return fingerprint([_basis(encoder, options), *sorted(languages)])


def _basis(encoder: str, options: AdaptOptions) -> list[object]:
    decisive = asdict(options)
    del decisive["checkpoint_minutes"]
    return [__version__, encoder_fingerprint(encoder), *sorted(decisive.items())]
