"""Words that are translated through third languages."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import example, given
from hypothesis import strategies as st

from xlt.pretrain.opentext.pivot import direct, pivoted

LANGUAGES = ("eng", "deu", "fra", "ita", "pol")
WORDS = st.sampled_from("vwxyz")
DICTIONARIES = st.dictionaries(
    st.tuples(st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES)).filter(lambda p: p[0] < p[1]),
    st.sets(st.tuples(WORDS, WORDS), max_size=12),
)


def agreed(pairs, language, target):
    """The rule in the plainest words: two languages agree, and half as many as for the best."""
    votes = {}
    for word in "vwxyz":
        for found in "vwxyz":
            votes[word, found] = sum(
                any(
                    (word, x) in pairs[language, pivot] and (x, found) in pairs[pivot, target]
                    for x in "vwxyz"
                )
                for pivot in LANGUAGES
                if pivot not in (language, target)
            )
    return {
        (word, found)
        for (word, found), n in votes.items()
        if n >= 2 and n >= max(votes[word, other] for other in "vwxyz") / 2
    }


@given(DICTIONARIES)
@example({(a, b): {("x", "x")} for a in LANGUAGES for b in LANGUAGES if a < b})
def test_a_pivoted_pair_is_one_that_languages_agree_on(dictionaries):
    """All pairs of the rule and no others, for every language."""
    pairs = defaultdict(set)
    for (first, second), found in dictionaries.items():
        pairs[first, second] = found
        pairs[second, first] = {(b, a) for a, b in found}

    for language in LANGUAGES[1:]:
        assert pivoted(dict(pairs), language, "eng") == agreed(pairs, language, "eng")
        assert direct(dict(pairs), language, "eng") == pairs[language, "eng"]
