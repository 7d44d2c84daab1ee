"""Which encoder a project's models start from: the installation's, or one adapted to its languages.

An adaptation is made in a quiet hour, once for a set of languages, from translations that the
installation was given or that the project's tasks are of one another. Labels decide whether it is
used, again and again as their number grows (`xlt.adapt.judge`). Pure, but for the record's file.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from xlt import __version__
from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.disk.durable import replace_file
from xlt.disk.fingerprints import fingerprint
from xlt.errors import XltError
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.snapshot import Snapshot
from xlt_backend.settings import Settings
from xlt_backend.trainer import folder as files

#: Below a project's place to work.
RECORD = "adapted.json"

#: Labels below which no choice is made, and the growth after which it is made again.
_FEW_LABELS, _GROWTH = 40, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of a project's adaptation.

    Attributes:
        purpose: What it is for; another one needs another adaptation.
        base: The encoder that it was made from.
        encoder: Folder of the adapted encoder, where labels chose it; empty: the installation's.
        labels: By how many labels that was decided; 0: not yet.
        reason: Why, for people.
        hopeless: There is nothing to adapt with.
    """

    purpose: str = ""
    base: str = ""
    encoder: str = ""
    labels: int = 0
    reason: str = ""
    hopeless: bool = False


def targets(examples: Iterable[Example], options: ProjectOptions) -> tuple[str, ...]:
    """Normalised codes of the languages to adapt to, sorted."""
    sources = {normalise(code) for code in options.source_languages}
    return tuple(sorted({normalise(example.lang) for example in examples} - sources))


def source_of(snapshot: Snapshot, options: ProjectOptions) -> str:
    """The source language that the project has most texts in; the first, where it has none."""
    sources = {normalise(code): code for code in reversed(options.source_languages)}
    texts = Counter(normalise(e.lang) for e in (*snapshot.train, *snapshot.pool))
    return sources[max(reversed(sources), key=lambda code: texts[code])]


def purpose(
    encoder: str, snapshot: Snapshot, options: ProjectOptions, settings: Settings
) -> str | None:
    """What an adaptation of this project would be for; None where it has nothing to learn from."""
    examples = (*snapshot.train, *snapshot.pool)
    languages = targets(examples, options)
    grouped = options.group_field is not None and any(e.group is not None for e in examples)
    if not options.adapt or not languages or not (settings.translations or grouped):
        return None
    tables = [_state_of(path) for path in (settings.translations, settings.lexicon)]
    return fingerprint([__version__, encoder, languages, options.source_languages, tables])


def is_due(record: Record, purpose: str | None, labels: int) -> bool:
    """Whether there is something to make, or to decide anew by `labels` labels."""
    if purpose is None:
        return False
    if record.purpose != purpose:
        return True
    return not record.hopeless and labels >= max(_FEW_LABELS, _GROWTH * record.labels)


def encoder_of(record: Record, base: str) -> str:
    """The encoder that models start from: what labels chose, as long as it is there."""
    there = record.encoder and (Path(record.encoder) / "config.json").is_file()
    return record.encoder if there and record.base == base else base


def read(folder: Path) -> Record:
    """The record in a project's place to work; an empty one where there is none, or it is torn."""
    try:
        return Record(**files.read_json(folder / RECORD))
    except (XltError, TypeError):
        return Record()


def write(folder: Path, record: Record) -> None:
    """Keeps the record; whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / RECORD, files.as_json(asdict(record)))


def decided(found: Mapping[str, object], asked: Record, encoder: Path, labels: int) -> Record:
    """The record after the training process made, and judged, an adaptation.

    Args:
        found: What the process said: `hopeless`, or whether the adapted one is better; and why.
        asked: Purpose and base.
        encoder: The adapted encoder.
        labels: Labels that there were.
    """
    reason = str(found.get("reason", ""))
    if found.get("hopeless"):
        return replace(asked, reason=reason, hopeless=True)
    if labels < _FEW_LABELS:
        return replace(asked, reason=f"made; {_FEW_LABELS} labels decide whether it is used")
    chosen = str(encoder) if found.get("adapted") else ""
    return replace(asked, encoder=chosen, labels=labels, reason=reason)


def forget_others(folder: Path, kept: Path) -> None:
    """Deletes encoders that were adapted for another purpose."""
    for other in folder.glob("adapted-*"):
        if other.is_dir() and not other.name.startswith(kept.name):
            shutil.rmtree(other, ignore_errors=True)


def _state_of(path: Path | None) -> tuple[str, int, int] | None:
    """A file's name, size and time of change; None where there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), found.st_size, found.st_mtime_ns)
