"""Unifies the language codes of different sources, and names the script of a text."""

from __future__ import annotations

import re
from bisect import bisect_right

# Sources use several codes for one language (macrolanguage, individual language, region). The
# right-hand side is the code under which their rows are sampled and reported.
JOINED: dict[str, str] = {
    "arb": "ara", "swh": "swa", "ayr": "aym", "quy": "que", "dik": "din", "dip": "din",
    "gaz": "orm", "hae": "orm", "gug": "grn", "fuv": "ful", "fuc": "ful", "fuf": "ful",
    "pbt": "pus", "pbu": "pus", "twi": "aka", "fat": "aka", "zsm": "msa", "zlm": "msa",
    "npi": "nep", "plt": "mlg", "lvs": "lav", "ekk": "est", "pes": "fas", "cmn": "zho",
    "khk": "mon", "als": "sqi", "uzn": "uzb", "azj": "aze", "fil": "tgl", "ydd": "yid",
    "kpv": "kom", "koi": "kom", "kng": "kon", "ktu": "kon", "ike": "iku", "mhr": "chm",
    "ydg": "yid", "sa": "san", "ia": "ina", "kur": "kmr", "bcl": "bik", "ojb": "oji",
    "hnj": "hmn", "hms": "hmn", "hea": "hmn", "gsw": "gsw", "ory": "ori", "nob": "nor",
    "nno": "nor", "rmn": "rom", "tdt": "tet", "src": "srd", "swb": "zdj", "quz": "que",
    "kok": "gom",
}  # fmt: skip

# ISO 639-1 to ISO 639-3, including codes withdrawn from 639-1 and a few other codes in the file
# names of projects (`cz`, `jp`, `ua`).
_PAIRS = (
    "aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze "
    "ba:bak be:bel bg:bul bi:bis bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha "
    "co:cos cr:cre cs:ces cu:chu cv:chv cy:cym cz:ces da:dan de:deu dv:div dz:dzo ee:ewe "
    "el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra "
    "fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv "
    "ht:hat hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk in:ind io:ido "
    "is:isl it:ita iu:iku iw:heb ja:jpn ji:yid jp:jpn jv:jav ka:kat kg:kon ki:kik kj:kua "
    "kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat "
    "lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd "
    "ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld "
    "nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli "
    "pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san sc:srd sd:snd "
    "se:sme sg:sag sh:hbs si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw "
    "st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn "
    "to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ua:ukr ug:uig uk:ukr ur:urd uz:uzb ve:ven "
    "vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul"
)
_TWO_LETTERS: dict[str, str] = dict(pair.split(":") for pair in _PAIRS.split())
# Three-letter tags that name no language, or a family of languages.
_NO_LANGUAGE = frozenset(("bat", "fiu", "map", "mul", "qaa", "qqq", "roa", "und", "zxx"))

# First code point of each range of a script.
_STARTS: tuple[tuple[int, str], ...] = (
    (0x0000, "Latn"), (0x0370, "Grek"), (0x0400, "Cyrl"), (0x0530, "Armn"), (0x0590, "Hebr"),
    (0x0600, "Arab"), (0x0700, "Syrc"), (0x0750, "Arab"), (0x0780, "Thaa"), (0x07C0, "Nkoo"),
    (0x0800, "Zzzz"), (0x08A0, "Arab"), (0x0900, "Deva"), (0x0980, "Beng"), (0x0A00, "Guru"),
    (0x0A80, "Gujr"), (0x0B00, "Orya"), (0x0B80, "Taml"), (0x0C00, "Telu"), (0x0C80, "Knda"),
    (0x0D00, "Mlym"), (0x0D80, "Sinh"), (0x0E00, "Thai"), (0x0E80, "Laoo"), (0x0F00, "Tibt"),
    (0x1000, "Mymr"), (0x10A0, "Geor"), (0x1100, "Hang"), (0x1200, "Ethi"), (0x13A0, "Cher"),
    (0x1400, "Cans"), (0x1680, "Zzzz"), (0x1780, "Khmr"), (0x1800, "Mong"), (0x18B0, "Cans"),
    (0x1900, "Zzzz"), (0x1C50, "Olck"), (0x1C80, "Cyrl"), (0x1C90, "Geor"), (0x1CC0, "Zzzz"),
    (0x1D00, "Latn"), (0x1F00, "Grek"), (0x2000, "Zyyy"), (0x2C00, "Zzzz"), (0x2D30, "Tfng"),
    (0x2D80, "Ethi"), (0x2E00, "Zyyy"), (0x2E80, "Hani"), (0x3040, "Jpan"), (0x3100, "Hani"),
    (0x3130, "Hang"), (0x3190, "Hani"), (0xA000, "Yiii"), (0xA4D0, "Zzzz"), (0xA500, "Vaii"),
    (0xA640, "Cyrl"), (0xA6A0, "Zzzz"), (0xA720, "Latn"), (0xA800, "Zzzz"), (0xA8E0, "Deva"),
    (0xA900, "Zzzz"), (0xA960, "Hang"), (0xA980, "Zzzz"), (0xA9E0, "Mymr"), (0xAA00, "Zzzz"),
    (0xAA60, "Mymr"), (0xAA80, "Zzzz"), (0xAAE0, "Mtei"), (0xAB00, "Ethi"), (0xAB30, "Latn"),
    (0xAB70, "Cher"), (0xABC0, "Mtei"), (0xAC00, "Hang"), (0xD800, "Zzzz"), (0xF900, "Hani"),
    (0xFB00, "Latn"), (0xFB1D, "Hebr"), (0xFB50, "Arab"), (0xFE00, "Zyyy"), (0xFE70, "Arab"),
    (0xFF00, "Zyyy"), (0x11100, "Cakm"), (0x11150, "Zzzz"), (0x20000, "Hani"),
)  # fmt: skip
_BOUNDS = [start for start, _ in _STARTS]
_LETTERS_READ = 24


def joined(code: str) -> str:
    """Returns the language code under which rows with a source's `code` are counted.

    Suffixes for region and script (`zho-TW`, `ace_Arab`) are dropped: `script_of` reads the script
    from the text, because lexicons often mix two scripts under one code.
    """
    language = code.replace("_", "-").split("-")[0]
    return JOINED.get(language, language)


def language_of_tag(tag: str) -> str | None:
    """Returns the language code of a BCP 47 or gettext tag such as `pt_BR.UTF-8`.

    The code is the one that `joined` returns. It is None if the tag names no language, and for
    English other than plain or American: `en-GB` or `en@pirate` is neither a translation nor the
    text that others translate.
    """
    first, *rest = re.split(r"[-_@.]", tag.lower())
    if first in _NO_LANGUAGE or (first == "en" and rest and rest[0] != "us"):
        return None
    if len(first) == 3 and first.isascii() and first.isalpha():
        return joined(first)
    return joined(_TWO_LETTERS[first]) if first in _TWO_LETTERS else None


def script_of(text: str) -> str:
    """Returns the ISO 15924 code of the script of most of a text's first letters.

    It is `Zyyy` if the text has no letter. One kana is enough for `Jpan`, because Japanese is
    mostly written with Chinese characters.
    """
    counts: dict[str, int] = {}
    letters = 0
    for character in text:
        if not character.isalpha():
            continue
        script = _STARTS[bisect_right(_BOUNDS, ord(character)) - 1][1]
        counts[script] = counts.get(script, 0) + 1
        letters += 1
        if letters == _LETTERS_READ:
            break
    if not counts:
        return "Zyyy"
    return "Jpan" if "Jpan" in counts else max(counts, key=counts.__getitem__)
