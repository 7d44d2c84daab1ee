"""Names of emoji and of codes in CLDR."""

from __future__ import annotations

import json

from tests.xlt.pretrain.opentext.samples import package
from xlt.pretrain.opentext.cldr import cldr_entries


def test_emoji_have_names_and_keywords():
    """One keyword alone says no more than the name; English, Hinglish and signs are left out."""

    def annotations(name, *keywords):
        return {"annotations": {"annotations": {"😀": {"tts": [name], "default": keywords}}}}

    trees = {
        "en": annotations("grinning face", "face", "grin"),
        "en-GB": annotations("grin", "face", "cheeky"),
        "es": annotations("cara sonriente", "cara", "cara sonriente", "feliz"),
        "ky": annotations("жылмайган", "жүз"),
        "hi-Latn": annotations("hansta face", "face", "hansna"),
        "zu": annotations("↑↑↑"),
    }
    files = [(f"{tag}.json", json.dumps(tree).encode()) for tag, tree in trees.items()]
    pattern = r"(?P<lang>[\w-]+)\.json$"

    found = list(cldr_entries(package("cldr-annotations", pattern=pattern), files))

    assert [(e.english, *e.translations) for e in found] == [
        ("face, grin", ("spa", "cara, feliz")),
        ("grinning face", ("kir", "жылмайган")),
        ("grinning face", ("spa", "cara sonriente")),
    ]


def test_names_of_codes_are_translated():
    """A code that stands for a missing name, another form or the English name are left out."""

    def names(**languages):
        return {"localeDisplayNames": {"languages": languages}}

    trees = {
        "en": names(de="German", fr="French", **{"fr-alt-short": "Fr."}, ab="Abkhazian"),
        "nl": names(de="Duits", fr="fr", **{"fr-alt-short": "Frans"}, ab="Abkhazian", xx="Iets"),
    }
    files = [
        (f"{tag}.json", json.dumps({"main": {tag: tree}}).encode()) for tag, tree in trees.items()
    ]

    found = list(cldr_entries(package("cldr-names"), files))

    assert [(e.english, *e.translations) for e in found] == [("German", ("nld", "Duits"))]
