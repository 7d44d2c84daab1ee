"""Identifies the language of texts that do not name theirs, as a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.languages import listed, macrolanguage, normalise, spellings
from xlt.identification import second
from xlt.identification.plausible import FEW, Scored, decide, family, plausible, restrict
from xlt.identification.profile_file import shipped
from xlt.identification.profiles import Profiles
from xlt.identification.writing import UNSPACED, writing

#: Texts that decide which languages are plausible in the set, and which come near to those that
#: people declared.
_SAMPLE, _FEWER = 1_000, 200
#: Texts of a language that its profile is learned from.
_LEARNED = 2_000
#: Texts that are scored at a time.
_CHUNK = 512
#: Score per n-gram within which py3langid is believed, in sets of many and of few texts, and what
#: it adds. Chosen on Common Voice sentences, and on training rows of XED and NusaX.
_NEAR, _NEARLY, _PREFERRED = 0.5, 1.3, 0.5
#: Share of a language's texts that py3langid takes for one that has this many times the texts in
#: the set, whose they are then.
_MOST, _TIMES = 0.7, 2.0
#: Texts that name a language before its profile is learned from them.
_ENOUGH = 10


class Identify(Protocol):
    """Identifies the languages of texts; tests replace it."""

    def __call__(
        self,
        texts: Sequence[str],
        named: Mapping[str, Sequence[str]] | None = None,
        only: Sequence[str] = (),
    ) -> Sequence[tuple[str, float]]:
        """Returns the language and the probability of each text, see `identify`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """Examples with their languages, and what was found.

    Attributes:
        examples: All examples; those that named no language now do, if it is sure.
        counts: Language, as it is called in the examples -> number of texts it was found for.
        unsure: Number of texts whose language is not sure.
    """

    examples: list[Example]
    counts: Mapping[str, int] = field(default_factory=dict)
    unsure: int = 0

    def line(self, how: str) -> str:
        """Returns a line that asks people to confirm the languages; empty if all were named.

        Args:
            how: What to do if they are wrong.
        """
        if not self.counts and not self.unsure:
            return ""
        total = sum(self.counts.values()) + self.unsure
        found = f"found {listed(self.counts)}" if self.counts else ""
        unsure = f"not sure of {self.unsure}" if self.unsure else ""
        results = "; ".join(filter(None, (found, unsure)))
        return f"{total} texts name no language: {results}. {how}".strip()


def identify(
    texts: Sequence[str],
    named: Mapping[str, Sequence[str]] | None = None,
    only: Sequence[str] = (),
) -> list[tuple[str, float]]:
    """Identifies the language of each text of a set.

    A language is believed only if it is plausible in the set: if other texts name it, or if enough
    of these texts are in it. The script of a text comes first, then profiles
    (`xlt.identification.profiles`), then py3langid between languages that it knows.

    Args:
        texts: N texts of one set.
        named: Language -> texts of the same set that name it. A language without a profile gets
            one from them; others learn from them.
        only: The languages of the set, as codes or names, if people declared them; no other is
            believed.

    Returns:
        For each text its language, as `normalise` returns it, and the probability in [0, 1];
        `UNKNOWN_LANGUAGE` if it is not sure, or if the text has no words.
    """
    if not texts:
        return []
    own = {normalise(lang): list(given) for lang, given in (named or {}).items()}
    own.pop(UNKNOWN_LANGUAGE, None)
    learned = {k: _spread(v, _LEARNED) for k, v in own.items() if len(v) >= _ENOUGH}
    profiles = shipped().with_texts(learned)
    declared = [key for key in map(normalise, only) if key != UNKNOWN_LANGUAGE]
    wanted = _with_members([*declared, *(() if declared else own)], profiles)
    rows = _sample(len(texts), _FEWER if declared else _SAMPLE)
    sample = _scored([texts[i] for i in rows], profiles)
    if declared:
        shares = restrict([lang for lang in wanted if lang in profiles.languages], {})
    else:
        opinions = second.among([texts[i] for i in rows], second.known() & set(profiles.languages))
        sample = _with_opinion(sample, [texts[i] for i in rows], opinions, profiles.scripts, wanted)
        shares = plausible(sample, [lang for lang in wanted if lang in profiles.languages])
        doubles = _doubles(shares, sample, opinions) - set(wanted)
        shares = {lang: share for lang, share in shares.items() if lang not in doubles}
        sample = sample.without(doubles)
    found = dict(zip(rows, decide(sample, shares, only=bool(declared)), strict=True))
    rest = [i for i in range(len(texts)) if i not in found]
    few = profiles.only({*shares, *sample.best})  # others have no text of the sample
    for start in range(0, len(rest), _CHUNK):
        chunk = rest[start : start + _CHUNK]
        scored = _scored([texts[i] for i in chunk], few)
        found |= zip(chunk, decide(scored, shares, only=bool(declared)), strict=True)
    decided = _decided(texts, [found[i] for i in range(len(texts))], shares)
    return [(wanted.get(lang, lang), probability) for lang, probability in decided]


def _with_opinion(
    scored: Scored,
    texts: Sequence[str],
    opinions: Sequence[str],
    written: Sequence[frozenset[str]],
    named: Collection[str],
) -> Scored:
    """Prefers what py3langid takes each text for, if its profile fits nearly as well as the best.

    It knows the larger languages, which profiles alone take for smaller ones that are alike:
    Spanish for Asturian. And a few texts say little of which languages the set is in. A language
    that other texts name, or that it knows, keeps its texts.
    """
    few = len(texts) < FEW
    near = _NEARLY if few else _NEAR
    column = {lang: i for i, lang in enumerate(scored.languages)}
    scores = scored.scores.copy()
    known = second.known() & set(column)
    scripts = Counter(script for i in map(column.__getitem__, known) for script in written[i])
    for row, lang in enumerate(opinions):
        if scripts[writing(texts[row])] < 2:  # it takes Tigrinya for Amharic, and is sure of it
            continue
        best, own = scores[row].max(), scores[row, column[lang]]
        first = int(scores[row].argmax())
        same = family(scored.languages[first]) == family(lang) and not scored.any_fit[first]
        if same and not few:  # it has one name for the varieties of Quechua
            continue
        rival = scored.languages[first]
        if rival in named or (rival in known and not few):
            continue
        if np.isfinite(own) and best - own < near:
            scores[row, column[lang]] = best + _PREFERRED
    return replace(scored, scores=scores)


def _doubles(shares: Mapping[str, float], sample: Scored, opinions: Sequence[str]) -> set[str]:
    """Returns languages whose texts are a larger language's, as py3langid says.

    A profile that was counted in formal text fits everyday sentences badly: some are taken for a
    smaller language that is alike. Most of such texts are one larger language's for py3langid,
    which has more texts in the set, and fits not much worse.
    """
    found = decide(sample, shares)
    doubles: set[str] = set()
    for lang in set(shares) - second.known():
        rows = [row for row, (best, _) in enumerate(found) if best == lang]
        if not rows:
            continue
        [(rival, n)] = Counter(opinions[row] for row in rows).most_common(1)
        if n < _MOST * len(rows) or shares.get(rival, 0.0) < _TIMES * shares[lang]:
            continue
        own, other = (sample.languages.index(name) for name in (lang, rival))
        gaps = sample.scores[rows, own] - sample.scores[rows, other]
        if np.median(gaps) < _NEARLY:
            doubles.add(lang)
    return doubles


def _sample(n: int, most: int) -> list[int]:
    """Returns the places of at most this number of n texts, from all over the set."""
    return sorted({int(i) for i in np.linspace(0, n - 1, min(most, n))})


def with_languages(
    examples: Sequence[Example], identifier: Identify | None = None, only: Sequence[str] = ()
) -> Identified:
    """Identifies the language of the examples that do not name theirs.

    An identified language is called as the other examples call it.

    Args:
        examples: One set.
        identifier: None: `identify`.
        only: Languages of the set, if people declared them; see `identify`.
    """
    keys = {lang: normalise(lang) for lang in {example.lang for example in examples}}
    silent = [i for i, e in enumerate(examples) if keys[e.lang] == UNKNOWN_LANGUAGE]
    if not silent:
        return Identified(examples=list(examples))
    named: dict[str, list[str]] = {}
    for example in examples:
        if keys[example.lang] != UNKNOWN_LANGUAGE:
            named.setdefault(example.lang, []).append(example.text)
    languages = (identifier or identify)([examples[i].text for i in silent], named, only)
    called = spellings([*named, *only, *(lang for lang, _ in languages)])
    result = list(examples)
    for index, (lang, _) in zip(silent, languages, strict=True):
        result[index] = replace(examples[index], lang=called[lang])
    counts = Counter(result[index].lang for index in silent)
    unsure = counts.pop(UNKNOWN_LANGUAGE, 0)
    return Identified(examples=result, counts=counts, unsure=unsure)


def _scored(texts: Sequence[str], profiles: Profiles) -> Scored:
    scores, sizes = profiles.scores(texts)
    return Scored(
        languages=profiles.languages,
        scores=scores,
        sizes=sizes,
        any_fit=np.array([own <= UNSPACED for own in profiles.scripts], dtype=bool),
    )


def _decided(
    texts: Sequence[str], believed: list[tuple[str | None, float]], shares: Mapping[str, float]
) -> list[tuple[str, float]]:
    """Asks py3langid about texts for which it knows the language and one more that is plausible."""
    known = second.known() & set(shares) if len(shares) > 1 else frozenset()
    rows = [i for i, (lang, _) in enumerate(believed) if lang in known] if len(known) > 1 else []
    other = dict(zip(rows, second.among([texts[i] for i in rows], known), strict=True))
    return [
        (other.get(i, lang) or UNKNOWN_LANGUAGE, probability if lang else 0.0)
        for i, (lang, probability) in enumerate(believed)
    ]


def _with_members(wanted: Sequence[str], profiles: Profiles) -> dict[str, str]:
    """Returns the languages to look for, each with what it is called.

    A macrolanguage without a profile is looked for as its members, and called as it was named.
    """
    result: dict[str, str] = {}
    for key in wanted:
        members = [lang for lang in profiles.languages if macrolanguage(lang) == key]
        for lang in [key] if key in profiles.languages else members:
            result.setdefault(lang, key)
    return result | {key: key for key in wanted}


def _spread(texts: Sequence[str], most: int) -> list[str]:
    """Returns at most this number of texts, from all over the set."""
    step = max(1, -(-len(texts) // most))
    return list(texts[::step])
