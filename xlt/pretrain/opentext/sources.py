"""Sources of text: pinned archives with their checksums, licences and authors."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Accepted licences: those that allow any use, and those that require the same licence for texts.
LICENCES = frozenset(
    (
        *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unicode-3.0"),
        *("CC-BY-3.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "MPL-2.0", "ODbL-1.0"),
    )
)
_FILE = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One pinned archive.

    Attributes:
        registry: npm, pypi or debian.
        name: The package's name in the registry.
        version: Its version.
        file: The archive's name in the cache; for Debian its path in the pool.
        sha256: Checksum of the archive.
        licence: SPDX identifier of the licence of its texts.
        attribution: Authors of the texts.
        corpus: Corpus of its rows.
        reader: Format of its files, see `xlt.pretrain.opentext.build`.
        pattern: Regular expression for the names of files to read; its group `lang` is their
            language.
        padded: True if its files have English text in place of missing translations.
        english: Language tag of its English files.
        most: Largest number of its English texts, and half that number of short ones, see
            `xlt.pretrain.opentext.selection`; 0 for all.
    """

    registry: str
    name: str
    version: str
    file: str
    sha256: str
    licence: str
    attribution: str
    corpus: str
    reader: str
    pattern: str
    padded: bool = False
    english: str = "en"
    most: int = 0


def read_sources(path: Path = _FILE) -> tuple[Source, ...]:
    """Reads `[[group]]` tables; a group's keys are defaults of its archives."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["group"]
    return tuple(
        Source(**{**{k: v for k, v in group.items() if k != "archives"}, **archive})
        for group in groups
        for archive in group["archives"]
    )


def licences(sources: Sequence[Source]) -> dict[str, list[str]]:
    """Returns the licences of each corpus, in alphabetical order."""
    corpora = dict.fromkeys(source.corpus for source in sources)
    return {
        corpus: sorted({source.licence for source in sources if source.corpus == corpus})
        for corpus in corpora
    }
