"""Hyper-parameters of a training, stored as TOML, and schedules of loss weights."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path

from xlt.disk.toml_values import typed, written
from xlt.errors import ConfigError

#: Penalty of probes and warm starts on the squared weights, against the sum over the examples.
HEAD_L2 = 0.4

#: Allowed values of settings that are one of a few names.
_CHOICES: dict[str, tuple[str, ...]] = {
    "learner": ("auto", "joint", "frozen", "best"),
    "precision": ("auto", "fp32", "bf16"),
    "align_loss": ("cosine", "l2", "contrastive"),
    "averaging": ("none", "last", "ema"),
}

#: Settings that count for the learner frozen.
_OF_FROZEN = frozenset({"encoder", "learner", "seed", "max_length", "precision"})

#: Lowest and highest value of each numeric setting, both allowed.
_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**31 - 1),
    "max_length": (8, 8192),
    "body_learning_rate": (0.0, 1.0),
    "head_learning_rate": (0.0, 1.0),
    "weight_decay": (0.0, 1.0),
    "max_gradient_norm": (0.0, float("inf")),
    "warmup_share": (0.0, 1.0),
    "epochs": (0.0, 10_000.0),
    "min_steps": (0, 10**9),
    "max_steps": (0, 10**9),
    "labelled_rows": (1, 100_000),
    "unlabelled_rows": (0, 100_000),
    "pair_rows": (0, 100_000),
    "dropout": (0.0, 0.9),
    "label_smoothing": (0.0, 0.99),
    "mlm_probability": (0.01, 0.9),
    "language_alpha": (0.0, 1.0),
    "language_exponent": (0.0, 1.0),
    "head_l2": (0.0, 1e3),
    "align_layer": (-1, 1000),
    "align_temperature": (1e-3, 100.0),
    "koleo_weight": (0.0, 1e3),
    "averaged_checkpoints": (1, 1000),
    "averaging_decay": (0.0, 1.0),
    "freeze_layers": (0, 1000),
    "checkpoint_every_s": (0.0, float("inf")),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A piecewise-linear function of the step; constant before the first and after the last point.

    The grammar is that of XLM (arXiv 1901.07291): "0.5", or "0:1,1000:0.1" (1 at step 0,
    falling to 0.1 at step 1000).
    """

    points: tuple[tuple[int, float], ...]

    @classmethod
    def parse(cls, text: str | float) -> Schedule:
        """Reads a schedule.

        Raises:
            ConfigError: If it is neither a number nor step:value pairs with rising steps, or a
                value is negative or not finite.
        """
        parts = str(text).split(",")
        try:
            if len(parts) == 1 and ":" not in parts[0]:
                points: tuple[tuple[int, float], ...] = ((0, float(parts[0])),)
            else:
                pairs = [part.split(":") for part in parts]
                points = tuple((int(step), float(value)) for step, value in pairs)
        except ValueError:
            raise ConfigError(
                f'a weight is a number or "step:value,step:value", got {text!r}'
            ) from None
        steps = [step for step, _ in points]
        if steps[0] < 0 or any(a >= b for a, b in pairwise(steps)):
            raise ConfigError(f"the steps of a weight must be >= 0 and rise, got {text!r}")
        if any(not math.isfinite(value) or value < 0 for _, value in points):
            raise ConfigError(f"a weight must be finite and >= 0, got {text!r}")
        return cls(points)

    def at(self, step: int) -> float:
        """Returns the value at a step."""
        before = self.points[0]
        for point in self.points:
            if point[0] > step:
                share = (step - before[0]) / max(point[0] - before[0], 1)
                return before[1] + max(share, 0.0) * (point[1] - before[1])
            before = point
        return before[1]

    @property
    def is_zero(self) -> bool:
        """Tells whether the value is 0 at every step."""
        return all(value == 0 for _, value in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Settings that change the result of a training. The defaults suit a few hundred labels.

    Weights of the loss parts (`mlm_weight`, `tlm_weight`, `align_weight`) are a number or a
    piecewise-linear schedule over steps, `"0:1,1000:0.1"`.

    Attributes:
        encoder: "bundled", a folder, or a name on the Hugging Face Hub.
        learner: joint (fine-tune the encoder by the joint loss), frozen (learn from its vectors
            and from n-grams, in seconds: of the other settings only `seed`, `max_length` and
            `precision` may be set then), best (both on a part of the labels; the one that predicts
            the rest better learns from all), or auto (frozen, or joint if a setting of the joint
            loss is set or translations are given).
        seed: The same seed, data, settings and machine give the same weights.
        max_length: Texts are cut to this many tokens.
        body_learning_rate: Peak rate of the encoder.
        head_learning_rate: Peak rate of the task head.
        weight_decay: AdamW decay of matrices; biases and norms do not decay.
        max_gradient_norm: Gradients are clipped to this norm; 0 turns it off.
        warmup_share: Share of the steps over which the rates rise; then they fall linearly.
        epochs: Passes over the labelled examples.
        min_steps: Smallest number of steps, even with few labels.
        max_steps: Largest number of steps; 0 for no limit.
        labelled_rows: Labelled examples in a step, of all languages together.
        unlabelled_rows: Unlabelled texts in a step (masked language modelling).
        pair_rows: Parallel pairs in a step (TLM, alignment).
        warm_start_head: Fit the head on the frozen encoder's vectors before the first step
            (linear probing, then fine-tuning: arXiv 2202.10054).
        dropout: Dropout of the encoder during training.
        label_smoothing: Share of the target spread over all labels.
        mlm_weight: Weight of masked language modelling on the unlabelled texts.
        mlm_probability: Share of tokens that are masked.
        tlm_weight: Weight of translation language modelling; used if pairs are given.
        align_weight: Weight of sentence alignment; used if pairs are given.
        align_loss: cosine, l2, or contrastive (InfoNCE among the pairs of a step).
        align_layer: Layer whose mean vectors are aligned; -1 for two thirds of the way up.
        align_temperature: Temperature of the contrastive loss.
        koleo_weight: Weight, within alignment, of the KoLeo spread that keeps l2 from collapsing.
        language_alpha: Unlabelled texts are drawn by language with p ~ n ** alpha.
        language_exponent: The weight of a language in a step's task loss is its number of labels to
            this power: 0 for the mean of per-language means, 1 for the mean over examples.
        head_l2: Squared-norm penalty of the head's warm start, against the sum over examples.
        averaging: "last" (mean of the last checkpoints), "ema" or "none".
        averaged_checkpoints: Number of checkpoints that "last" averages.
        averaging_decay: Decay per step of "ema".
        freeze_embeddings: Do not train the token embeddings (and the tied MLM decoder).
        freeze_layers: Number of the lowest layers that are not trained.
        precision: "auto" (bf16 if the device is fast at it and the encoder is safe in it), "fp32"
            or "bf16".
        checkpoint_every_s: Seconds between checkpoints to resume from; 0 for one after every step.

    Raises:
        ConfigError: If a value is out of range or not one of the choices, or if a setting is set
            that does not count for the learner.
    """

    encoder: str = "bundled"
    learner: str = field(default="auto", repr=False)  # see `decisive`
    seed: int = 13
    max_length: int = 128
    body_learning_rate: float = 5e-5
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    warmup_share: float = 0.1
    epochs: float = 3.0
    min_steps: int = 20
    max_steps: int = 0
    labelled_rows: int = 16
    unlabelled_rows: int = 8
    pair_rows: int = 8
    warm_start_head: bool = True
    dropout: float = 0.0
    label_smoothing: float = 0.1
    mlm_weight: str | float = "0:0.1"
    mlm_probability: float = 0.15
    tlm_weight: str | float = "0:0.1"
    align_weight: str | float = "0:1"
    align_loss: str = "contrastive"
    align_layer: int = -1
    align_temperature: float = 0.05
    koleo_weight: float = 0.0
    language_alpha: float = 0.3
    language_exponent: float = 0.0
    head_l2: float = HEAD_L2
    averaging: str = "last"
    averaged_checkpoints: int = 5
    averaging_decay: float = 0.95
    freeze_embeddings: bool = True
    freeze_layers: int = 0
    precision: str = "auto"
    checkpoint_every_s: float = 15.0

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name} must be in [{low:g}, {high:g}], got {value}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name} must be one of {', '.join(choices)}; got {getattr(self, name)!r}"
                )
        for name in ("mlm_weight", "tlm_weight", "align_weight"):
            Schedule.parse(getattr(self, name))
        unused = ", ".join(sorted(name for name in self._changed() if not self._counts(name)))
        if unused:
            known = ", ".join(sorted(_OF_FROZEN - {"learner"}))
            raise ConfigError(f"{unused}: the learner frozen has no such setting; it has {known}")

    def resolved(self, *, translations: bool = False) -> TrainConfig:
        """Returns these settings with the learner that "auto" stands for.

        Only the joint loss learns from `translations`.
        """
        if self.learner != "auto":
            return self
        joint = translations or not self._changed() <= _OF_FROZEN
        return replace(self, learner="joint" if joint else "frozen")

    def _changed(self) -> set[str]:
        return {each.name for each in fields(self) if getattr(self, each.name) != each.default}

    def _counts(self, name: str) -> bool:
        return self.learner != "frozen" or name in _OF_FROZEN

    @classmethod
    def from_mapping(
        cls, settings: Mapping[str, object], *, base: TrainConfig | None = None
    ) -> TrainConfig:
        """Changes settings of `base`, or of the defaults.

        Raises:
            ConfigError: If a key is unknown, or a value of the wrong type or out of range.
        """
        known = {field.name: field.type for field in fields(cls)}
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise ConfigError(
                f"unknown setting {', '.join(map(repr, unknown))}; known: {', '.join(known)}"
            )
        values = {key: typed(key, str(known[key]), value) for key, value in settings.items()}
        return replace(base if base is not None else cls(), **values)  # type: ignore[arg-type]

    @classmethod
    def from_toml(cls, path: Path) -> TrainConfig:
        """Reads settings from a TOML file; the others have their defaults.

        Raises:
            ConfigError: If the file cannot be read, is not TOML, or has a bad setting.
        """
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not TOML: {error}") from error
        return cls.from_mapping(settings)

    def to_toml(self) -> str:
        """Returns all settings that count as TOML, which `from_toml` reads."""
        settings = {name: value for name, value in asdict(self).items() if self._counts(name)}
        return "".join(f"{name} = {written(value)}\n" for name, value in settings.items())


def decisive(settings: Mapping[str, object]) -> dict[str, object]:
    """Returns the settings that tell trainings apart.

    Settings that came later count only if they are not the default, in fingerprints of a
    `TrainConfig` too: so what was trained or begun before is known again.

    Args:
        settings: All settings of a `TrainConfig`, by name.
    """
    later = {field.name: field.default for field in fields(TrainConfig) if not field.repr}
    return {k: v for k, v in settings.items() if k not in later or v != later[k]}
