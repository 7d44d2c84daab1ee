"""Adaptation of the encoder to a project's languages.

An adaptation is made while the project is idle, once for a set of languages. It learns from the
installation's translations, and from tasks that are translations of one another. Labels decide
whether it is used, again as their number grows (`xlt.adapt.judge`). Pure, except for the record's
file.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from xlt import __version__
from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.disk.durable import replace_file
from xlt.disk.fingerprints import fingerprint
from xlt.errors import XltError
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import Settings
from xlt_backend.trainer import folder as files

#: Name of the record in a project's workspace.
RECORD = "adapted.json"

#: Number of labels below which no choice is made, and the growth after which it is repeated.
_FEW_LABELS, _GROWTH = 40, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of a project's adaptation.

    Attributes:
        purpose: Fingerprint of its languages and sources; another one needs another adaptation.
        base: The encoder that it was made from.
        encoder: Folder of the adapted encoder if labels chose it; empty: the installation's.
        labels: Number of labels that decided; 0: none yet.
        reason: Why, for people.
        hopeless: Whether there is nothing to adapt with.
    """

    purpose: str = ""
    base: str = ""
    encoder: str = ""
    labels: int = 0
    reason: str = ""
    hopeless: bool = False


def targets(examples: Iterable[Example], options: ProjectOptions) -> tuple[str, ...]:
    """Returns the normalised codes of the languages to adapt to, sorted."""
    sources = {normalise(code) for code in options.source_languages}
    return tuple(sorted({normalise(example.lang) for example in examples} - sources))


def source_of(examples: Iterable[Example], options: ProjectOptions) -> str:
    """Returns the source language with most texts; the first one if none has any."""
    sources = {normalise(code): code for code in reversed(options.source_languages)}
    texts = Counter(normalise(example.lang) for example in examples)
    return sources[max(reversed(sources), key=lambda code: texts[code])]


def purpose(
    encoder: str, examples: Sequence[Example], options: ProjectOptions, settings: Settings
) -> str | None:
    """Returns the purpose of an adaptation to these examples; None if it cannot learn anything."""
    languages = targets(examples, options)
    grouped = options.group_field is not None and any(e.group is not None for e in examples)
    if not options.adapt or not languages or not (settings.translations or grouped):
        return None
    tables = [_state_of(path) for path in (settings.translations, settings.lexicon)]
    return fingerprint([__version__, encoder, languages, options.source_languages, tables])


def is_due(record: Record, purpose: str | None, labels: int) -> bool:
    """Returns whether to make an adaptation, or to decide again by `labels` labels."""
    if purpose is None:
        return False
    if record.purpose != purpose:
        return True
    return not record.hopeless and labels >= max(_FEW_LABELS, _GROWTH * record.labels)


def encoder_of(record: Record, base: str) -> str:
    """Returns the encoder that models start from: the one that labels chose, if it still exists."""
    exists = record.encoder and (Path(record.encoder) / "config.json").is_file()
    return record.encoder if exists and record.base == base else base


def read(folder: Path) -> Record:
    """Reads the record in a workspace; returns an empty one if it is missing or damaged."""
    try:
        return Record(**files.read_json(folder / RECORD))
    except (XltError, TypeError):
        return Record()


def write(folder: Path, record: Record) -> None:
    """Writes the record, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / RECORD, files.as_json(asdict(record)))


def decided(result: Mapping[str, object], asked: Record, encoder: Path, labels: int) -> Record:
    """Returns the record after the training process made and judged an adaptation.

    Args:
        result: The process's result: `hopeless`, or `adapted` if the new encoder is better; reason.
        asked: Purpose and base.
        encoder: The adapted encoder.
        labels: Number of labels.
    """
    reason = str(result.get("reason", ""))
    if result.get("hopeless"):
        return replace(asked, reason=reason, hopeless=True)
    if labels < _FEW_LABELS:
        return replace(asked, reason=f"made; {_FEW_LABELS} labels decide whether it is used")
    chosen = str(encoder) if result.get("adapted") else ""
    return replace(asked, encoder=chosen, labels=labels, reason=reason)


def forget_others(folder: Path, kept: Path) -> None:
    """Deletes encoders that were adapted for another purpose."""
    for other in folder.glob("adapted-*"):
        if other.is_dir() and not other.name.startswith(kept.name):
            shutil.rmtree(other, ignore_errors=True)


def _state_of(path: Path | None) -> tuple[str, int, int] | None:
    """Returns a file's name, size and time of change; None for no file."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), status.st_size, status.st_mtime_ns)
