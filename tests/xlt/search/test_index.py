"""What a query finds: rankings, filters, texts like another, and queries that are refused."""

from __future__ import annotations

import numpy as np
import pytest

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.search.index import Index, Query, Row, check_query
from xlt.search.lexical import Lexical
from xlt.search.vectors import Space, Vectors

TEXTS = [
    ("0", "eng", "the dog barks at night", "animal"),
    ("1", "hau", "kare yana haushi da dare", None),
    ("2", "hau", "kasuwa tana cike da mutane", None),
    ("3", "eng", "the market is full of people", "place"),
    ("4", "hau", "kasuwa tana cike da mutane", "place"),
]
#: Texts that mean the same have the same vector.
MEANING = np.eye(8, dtype=np.float32)[[0, 0, 1, 1, 1]]


@pytest.fixture
def index() -> Index:
    """Five texts in two languages."""
    examples = [Example(id=i, lang=lang, texts=(text,), answer=a) for i, lang, text, a in TEXTS]
    langs = [example.lang for example in examples]
    return Index(
        rows=[Row.of(example) for example in examples],
        space=Space.of(Vectors.of(MEANING), langs),
        lexical=Lexical.of([example.text for example in examples]),
    )


def ids(index: Index, hits) -> list[str]:
    """The ids that were found."""
    return [index.rows[hit.row].id for hit in hits]


def test_each_ranking_says_where_it_has_a_text(index):
    """By meaning all texts have a place; by words those that share one."""
    query = Query(text="dog", lang="eng", translations={"hau": ["kare"]})
    hits = index.search(query, MEANING[0], 5)

    assert set(ids(index, hits)[:2]) == {"0", "1"}
    by_id = dict(zip(ids(index, hits), hits, strict=True))
    assert by_id["0"].ranks["words"] == 1
    assert by_id["1"].ranks["translation"] == 1
    assert all("meaning" in hit.ranks for hit in hits)
    assert "words" not in by_id["2"].ranks
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_words_alone_find_only_what_shares_one(index):
    """A query without a shared word finds nothing then."""
    assert ids(index, index.search(Query(text="kasuwa", lang="hau"), MEANING[1], 9, ways=["words"]))
    assert not index.search(Query(text="xyz", lang="hau"), MEANING[1], 9, ways=["words"])


@pytest.mark.parametrize(
    ("langs", "labelled", "found"),
    [
        ([], None, "01234"),
        (["ha"], None, "124"),
        (["Hausa"], False, "12"),
        ([], True, "034"),
        (["en", "hau"], None, "01234"),
        (["fra"], None, ""),
    ],
)
def test_filters_by_language_and_by_label(index, langs, labelled, found):
    """All codes and names of a language mean it; nothing else is found."""
    wanted = index.wanted(langs, labelled)
    hits = index.search(Query(text="market", lang="en"), MEANING[1], 9, wanted)

    assert sorted(ids(index, hits)) == list(found)


def test_texts_like_another_in_any_language_without_equal_ones(index):
    """Text 4 says letter for letter what text 2 says."""
    assert ids(index, index.like(2, 1)) == ["3"]
    assert ids(index, index.like(0, 1)) == ["1"]
    assert ids(index, index.like(2, 9, index.wanted(["hau"]))) == ["1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a query with words, got ''"),
        (" ?! ", "expected a query with words, got ' "),
        ("go " * 600, "the query has 600 words; at most 512 are searched for"),
        ("x" * 30_000, "the query has 30,000 characters; at most 20,000"),
    ],
)
def test_queries_that_are_refused(text, message):
    """In one line with what was seen."""
    with pytest.raises(DataError, match=message.replace("?", r"\?")) as caught:
        check_query(text)
    assert len(str(caught.value).splitlines()) == 1
