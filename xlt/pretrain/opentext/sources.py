"""Names every archive that text is taken from, with its checksum, its licence and its authors."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: What may be taken: licences that allow any use, and those that ask for the same licence on texts.
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
        attribution: Whose texts they are.
        corpus: The corpus that its rows belong to.
        reader: What its members hold, see `xlt.pretrain.opentext.build`.
        pattern: Regular expression of the members to read; the group `lang` finds their language.
        padded: Its files hold the English text wherever a translation is missing.
        english: The language tag of its English files.
        most: So many of its English texts are taken, and half as many of few words, see
            `xlt.pretrain.opentext.selection`; all if 0.
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
    """Reads `[[group]]` tables, whose keys hold for every archive of the group that lacks them."""
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
