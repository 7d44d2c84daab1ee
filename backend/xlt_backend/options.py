"""Options of a project, from `extra_params` of its model in Label Studio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from xlt.config import TrainConfig
from xlt.errors import ConfigError
from xlt.sampling.select import SamplerOptions
from xlt.tasks.renames import faults

_SAMPLER = SamplerOptions()


class ProjectOptions(BaseModel):
    """Options of one project; unknown keys are refused.

    Attributes:
        text_field: Key of `task.data` with the text. Default: the key that the interface shows.
        texts: Names of the `<Text>` tags to read, if the interface has several. Default: those of
            the control's `toName`, and the other one if there is exactly one.
        control: Name of the control to learn, or a list of names. Default: all controls that can be
            learned together.
        control_weights: Weights of the controls when uncertainty chooses tasks, such as
            `{"topic": 3}`; the others have 1.
        rename: Labels that were renamed, as `{"old": "new"}`; `""` for a removed one. Answers and
            models that have the old label are read as if they had the new one.
        language_field: Key of `task.data` with the language. If a task has none, it is identified.
        languages: Languages of tasks that name none, such as `["bam", "wol"]`. Default: those that
            are plausible in the project, as `/status` and `xlt doctor` list them.
        group_field: Key of `task.data` that translations of one text share.
        source_languages: Languages whose labels are cheap, as codes or names: `en`, `eng_Latn`,
            `English`.
        min_labels: Number of usable labels before the first training.
        retrain_after_labels: Train again after this many new labels. Default: 20; fewer, but at
            least 5, if a training takes seconds and fewer than 3,000 tasks wait.
        retrain_after_s: Train again this many seconds after the first new label. Default: 600;
            less, but at least 30, if a training takes seconds and fewer than 3,000 tasks wait.
        batch: Tasks that each round selects by the full method.
        source_share: Share of the batch for the source languages. With the quota `adaptive`, less
            if the source is far from the targets, and more or less as labels show how well the
            source teaches them.
        quota: How the rest is shared among the target languages: `equal`, `proportional`,
            `adaptive`, or weights such as `{"hau": 2, "yor": 1}`. Languages without a weight come
            when those with one have no tasks left.
        audit_share: Share of tasks whose labels judge models and never train them.
        control_share: Share of the other tasks that are drawn at random. Their labels train, and
            show whether selection pays.
        relabel_share: Share of the batch that may be labelled tasks with a suspect label. Another
            annotator is asked, without a suggestion. 0: suspect labels are listed only.
        keep_versions: Model versions kept beside the active one.
        adapt: Adapt the encoder to the project's languages if there are translations, and use it if
            labels show that it is better.
        train: Hyper-parameters that differ from the defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text_field: str | None = None
    texts: tuple[str, ...] | None = Field(default=None, min_length=1)
    control: tuple[str, ...] | None = Field(default=None, min_length=1)
    control_weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    rename: dict[str, str] = Field(default_factory=dict)
    language_field: str | None = "lang"
    languages: tuple[str, ...] = ()
    group_field: str | None = None
    source_languages: tuple[str, ...] = ("en",)
    min_labels: int = Field(default=10, ge=2)
    retrain_after_labels: int | None = Field(default=None, ge=1)
    retrain_after_s: float | None = Field(default=None, gt=0)
    batch: int = Field(default=_SAMPLER.batch, ge=1)
    source_share: float = Field(default=_SAMPLER.source_share, ge=0, le=1)
    quota: Literal["equal", "proportional", "adaptive"] | dict[str, float] = "adaptive"
    audit_share: float = Field(default=_SAMPLER.audit_share, ge=0, le=0.5)
    control_share: float = Field(default=_SAMPLER.control_share, ge=0, le=1)
    relabel_share: float = Field(default=0.0, ge=0, le=0.5)
    keep_versions: int = Field(default=3, ge=1)
    adapt: bool = True
    train: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Accepts `"source_languages": "en"` for a list of one language; other names likewise."""
        if not isinstance(value, Mapping):
            return value
        names = ("source_languages", "languages", "texts", "control")
        return {k: [v] if k in names and isinstance(v, str) else v for k, v in value.items()}

    @model_validator(mode="after")
    def _text_or_texts(self) -> ProjectOptions:
        if self.text_field is not None and self.texts is not None:
            raise ValueError("text_field names the one text that is read: give it or texts")
        return self

    @field_validator("rename")
    @classmethod
    def _one_step(cls, value: dict[str, str]) -> dict[str, str]:
        """Refuses renames that do not lead from a former label to one of now in one step."""
        fault = next(faults(value), "")
        if fault:
            raise PydanticCustomError("rename", "{fault}", {"fault": fault})
        return value

    def sampler(self) -> SamplerOptions:
        """Returns the options of the sampler."""
        return SamplerOptions(
            batch=self.batch,
            source_languages=self.source_languages,
            source_share=self.source_share,
            quota="fixed" if isinstance(self.quota, dict) else self.quota,
            shares=dict(self.quota) if isinstance(self.quota, dict) else {},
            audit_share=self.audit_share,
            control_share=self.control_share,
        )

    def training(self, encoder: str) -> TrainConfig:
        """Returns the hyper-parameters: defaults, the given encoder, the project's overrides.

        Raises:
            ConfigError: If an override is unknown or out of range.
        """
        return TrainConfig.from_mapping({"encoder": encoder, **self.train})

    @classmethod
    def from_extra_params(cls, raw: object) -> ProjectOptions:
        """Reads the options that Label Studio sends: a dict, its JSON text, or nothing.

        Raises:
            ConfigError: If it is neither, has an unknown key, or a value is out of range.
        """
        if raw is None or raw == "":
            return cls()
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except json.JSONDecodeError as error:
                raise ConfigError(f"extra_params is not JSON: {error}") from None
        if not isinstance(raw, Mapping):
            raise ConfigError(f"extra_params must be a JSON object, got {type(raw).__name__}")
        try:
            return cls.model_validate(dict(raw))
        except ValidationError as error:
            raise ConfigError(f"extra_params: {_message(error)}") from None


def _message(error: ValidationError) -> str:
    """Returns all errors that pydantic reports in one line."""
    known = ", ".join(ProjectOptions.model_fields)
    parts = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            parts.append(f"unknown option {key!r}; known: {known}")
        else:
            parts.append(f"{key} = {item['input']!r}: {item['msg']}")
    return "; ".join(parts)
