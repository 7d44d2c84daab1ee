"""The list of sources: pins, patterns and licences."""

from __future__ import annotations

import re

from xlt.pretrain.opentext.sources import LICENCES, licences, read_sources


def test_every_source_is_pinned_and_open():
    """A checksum, an open licence that reaches no further than the texts, authors, a registry."""
    sources = read_sources()

    assert len({(s.registry, s.name, s.pattern) for s in sources}) == len(sources) > 150
    for found in sources:
        assert re.fullmatch("[0-9a-f]{64}", found.sha256), found
        assert found.licence in LICENCES
        assert not re.search("GPL|NC|ND", found.licence)
        assert found.attribution
        assert found.version in found.file
        assert found.registry in {"npm", "pypi", "debian"}
        assert found.corpus in {
            *("wikdict", "jmdict", "cedict", "cldr", "interface", "office", "docs", "forms")
        }


def test_every_pattern_finds_what_its_reader_needs():
    """Files of interfaces and CLDR are found with their language, dictionaries with both."""
    for found in read_sources():
        groups = set(re.compile(found.pattern).groupindex)
        needed = {"dictd": {"first", "second"}, "jmdict": set(), "cedict": set()}
        assert groups == needed.get(found.reader, {"lang"}), found.name


def test_licences_are_told_by_corpus():
    """What has to be named beside a table made of them."""
    found = licences(read_sources())

    assert found["cldr"] == ["Unicode-3.0"]
    assert found["wikdict"] == ["CC-BY-3.0", "CC-BY-SA-3.0"]
    assert found["docs"] == ["CC-BY-SA-3.0", "MPL-2.0"]
