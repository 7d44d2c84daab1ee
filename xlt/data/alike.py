"""Tells languages apart of whose script the identifier knows one language alone.

py3langid 0.4 calls Tigrinya Amharic and Tibetan Dzongkha, and is sure of it
(findings/py3langid-unknown-script.sh). Letters and frequent syllables that one of the two has, and
the other has hardly, tell more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from xlt.data.examples import UNKNOWN_LANGUAGE

#: Script -> what is looked at, a letter or a syllable.
_UNITS = {"ETHIOPIC": re.compile("[ሀ-ፚ]"), "TIBETAN": re.compile("[ཀ-ྼ]+")}
#: Script -> language -> its letters or syllables.
_OWN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "ETHIOPIC": {
        "amh": frozenset("ሁሆሏሟሯሷቧቷቸቹችቾኃኘኙኝኞአጤጩጫጮ"),
        "tir": frozenset("ሑሒሓሕቐቑቒቓቕቖኡኣኸኹኺኻኼኽኾዑዒዖዪጢጺ"),
    },
    "TIBETAN": {
        "bod": frozenset(["ལ", "རེད", "པ", "ནས", "བྱེད", "བྱས", "དུ", "ཞིག", "ཡིན", "ཡིས", "ཀྱི", "ཡོད"]),
        "dzo": frozenset(["ལུ", "ཨིན", "ཚུ", "འདི", "འབད", "མས", "ཟེར", "ནང", "གིས", "མི", "ཡོདཔ", "སྦེ"]),
    },
}


def told_apart(text: str, script: str, language: str) -> str:
    """Returns the language of a text, if its script is one of those here.

    Args:
        text: Its letters or syllables decide; if they do not, the language is unknown.
        script: Of the text, as `xlt.data.letters.script` names it.
        language: What it is taken for in any other script.
    """
    if script not in _OWN:
        return language
    units = Counter(_UNITS[script].findall(text))
    counts = {name: sum(units[unit] for unit in own) for name, own in _OWN[script].items()}
    most = max(counts.values())
    likely = [name for name, count in counts.items() if count == most]
    return likely[0] if len(likely) == 1 else UNKNOWN_LANGUAGE
