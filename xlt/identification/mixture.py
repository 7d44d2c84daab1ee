"""Texts that mix languages: the share of each, by the windows that its words are in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.data.languages import normalise
from xlt.identification.profile_file import shipped
from xlt.identification.profiles import Profiles
from xlt.identification.writing import writing

#: Words of a window, and log-likelihood that it costs to change the language between two words.
_WINDOW, _CHANGE = 3, 4.0
#: Texts are read up to this number of words.
_WORDS = 400
#: Weight of a window's score: a character is in four n-grams, and a word in three windows.
_TEMPER = 0.25 / _WINDOW


def language_shares(
    text: str, languages: Sequence[str], profiles: Profiles | None = None
) -> dict[str, float]:
    """Returns the share of the words of a text that is in each language.

    Windows of three words are scored in each language; the likeliest sequence of languages
    (Viterbi) changes seldom. A word that two languages share goes with its neighbours.

    Args:
        text: Any; a text of more than 400 words is read so far.
        languages: The languages to look for, as codes or names.
        profiles: None: those that ship with xlt.

    Returns:
        Key (`normalise`) of each language that has words -> share, summing to 1, the largest first;
        empty if the text has no words in a script of these languages.
    """
    known = (shipped() if profiles is None else profiles).only(set(map(normalise, languages)))
    words = text.split()[:_WORDS]
    if not words or not known.languages:
        return {}
    half = _WINDOW // 2
    windows = [" ".join(words[max(0, i - half) : i + half + 1]) for i in range(len(words))]
    scores, sizes = known.scores(windows)
    own = [writing(word) for word in words]
    for row, script in enumerate(own):  # a window may reach into another script
        fits = np.array([script in scripts for scripts in known.scripts])
        scores[row] = np.where(fits, np.where(np.isfinite(scores[row]), scores[row], -2.0), -np.inf)
    rows = np.flatnonzero(np.isfinite(scores).any(axis=1))
    if not len(rows):
        return {}
    path = _likeliest(scores[rows] * (sizes[rows] * _TEMPER)[:, None])
    counts = np.bincount(path, minlength=len(known.languages)) / len(rows)
    order = np.argsort(-counts, kind="stable")
    return {known.languages[i]: float(counts[i]) for i in order if counts[i] > 0}


def _likeliest(evidence: NDArray[np.floating]) -> NDArray[np.intp]:
    """Returns the likeliest sequence of columns (N,), given the evidence (N, L) of each."""
    total = evidence[0]
    before = []
    for row in evidence[1:]:
        best = int(total.argmax())
        stays = total >= total[best] - _CHANGE
        before.append(np.where(stays, np.arange(len(total)), best))
        total = np.where(stays, total, total[best] - _CHANGE) + row
    path = [int(total.argmax())]
    for came in reversed(before):
        path.append(int(came[path[-1]]))
    return np.array(path[::-1])
