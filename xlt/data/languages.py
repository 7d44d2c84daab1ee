"""Normalises language codes, and identifies the language of texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from xlt.data.examples import UNKNOWN_LANGUAGE, Example

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]  # no stubs

#: Texts -> language and probability of each.
Identify = Callable[[Sequence[str]], Sequence[tuple[str, float]]]

# Two letters (ISO 639-1), then the three of ISO 639-3; the withdrawn in, iw, ji and mo included.
_TWO_LETTERS = (
    "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul "
    "bibis bmbam bnben bobod brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym "
    "dadan dedeu dvdiv dzdzo eeewe elell eneng eoepo esspa etest eueus fafas ffful fifin fjfij "
    "fofao frfra fyfry gagle gdgla glglg gngrn guguj gvglv hahau heheb hihin hohmo hrhrv hthat "
    "huhun hyhye hzher iaina idind ieile igibo iiiii ikipk ioido isisl itita iuiku jajpn jvjav "
    "kakat kgkon kikik kjkua kkkaz klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor kykir "
    "lalat lbltz lglug lilim lnlin lolao ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon "
    "mrmar msmsa mtmlt mymya nanau nbnor ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya "
    "ococi ojoji omorm orori ososs papan pipli plpol pspus ptpor quque rmroh rnrun roron rurus "
    "rwkin sasan scsrd sdsnd sesme sgsag sisin skslk slslv smsmo snsna sosom sqsqi srsrp ssssw "
    "stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk tltgl tntsn toton trtur tstso "
    "tttat twaka tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid yoyor "
    "zazha zhzho zuzul inind iwheb jiyid moron"
)

# Codes of individual languages that data sets use for the macrolanguage, and the bibliographic
# codes of ISO 639-2: the left code is read as the right one.
_SAME = (
    "swh:swa quy:que quz:que ory:ori cmn:zho arb:ara gaz:orm hae:orm npi:nep plt:mlg zsm:msa "
    "zlm:msa khk:mon ekk:est lvs:lav als:sqi uzn:uzb azj:aze ydd:yid pes:fas fil:tgl kpv:kom "
    "nob:nor twi:aka fat:aka kmr:kur gug:grn fuv:ful dik:din dip:din ayr:aym pbt:pus pbu:pus "
    "ike:iku knc:kau kng:kon mhr:chm ojb:oji src:srd alb:sqi arm:hye baq:eus bur:mya chi:zho "
    "cze:ces dut:nld fre:fra geo:kat ger:deu gre:ell ice:isl mac:mkd mao:mri may:msa per:fas "
    "rum:ron slo:slk tib:bod wel:cym"
)

_KEYS = {pair[:2]: pair[2:] for pair in _TWO_LETTERS.split()} | {
    left: right for left, _, right in (pair.partition(":") for pair in _SAME.split())
}

#: Lowest probability at which `identify` names a language.
_SURE = 0.2
#: Longer texts are identified by their first characters.
_MAX_CHARACTERS = 2_000
#: Code of py3langid for text without words (numbers, addresses).
_NO_LANGUAGE = "zxx"


def normalise(code: str) -> str:
    """Returns a key that is the same for all codes of one language.

    ISO 639-1, 639-2 and 639-3 codes of a language have the same key, and script and region do not
    count: `en`, `eng`, `en-GB` and `eng_Latn` give `eng`. An individual language that most data
    sets use for its macrolanguage gives the macrolanguage (`swh` gives `swa`, `cmn` gives `zho`).
    Any other code gives itself in lower case; an empty code gives `UNKNOWN_LANGUAGE`.
    """
    language = re.split(r"[-_\s]", code.strip().lower(), maxsplit=1)[0]
    return _KEYS.get(language, language) or UNKNOWN_LANGUAGE


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Identifies the language of each text with py3langid, which knows 142 languages.

    Returns:
        For each text its language, as `normalise` returns it, and the probability in [0, 1];
        `UNKNOWN_LANGUAGE` if the text has no words or no language is likely.
    """
    identifier = _identifier()
    return [_named(*identifier.classify(text[:_MAX_CHARACTERS])) for text in texts]


def with_languages(
    examples: Sequence[Example], identifier: Identify | None = None
) -> list[Example]:
    """Returns the examples, with the language of those that do not name theirs identified.

    Args:
        examples: Any.
        identifier: Takes texts, returns languages with probabilities; None: `identify`.
    """
    silent = [index for index, example in enumerate(examples) if example.lang == UNKNOWN_LANGUAGE]
    named = list(examples)
    if silent:
        languages = (identifier or identify)([examples[index].text for index in silent])
        for index, (lang, _) in zip(silent, languages, strict=True):
            named[index] = replace(examples[index], lang=lang)
    return named


def in_languages(examples: Sequence[Example], codes: Sequence[str]) -> list[Example]:
    """Returns the examples in these languages; all of them if none is named."""
    keys = {normalise(code) for code in codes}
    return [example for example in examples if not keys or normalise(example.lang) in keys]


def _named(code: str, probability: float) -> tuple[str, float]:
    unsure = code == _NO_LANGUAGE or probability < _SURE
    return (UNKNOWN_LANGUAGE if unsure else normalise(code)), min(1.0, float(probability))


@cache
def _identifier() -> LanguageIdentifier:
    """Loads the identifier once per process (0.6 s); its model is plain arrays, no pickle."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
