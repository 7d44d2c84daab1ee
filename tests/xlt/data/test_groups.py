"""Groups that were found by their name are checked: are they translations?"""

from __future__ import annotations

import pytest

from tests.xlt.data.written import written
from xlt.data.corpus import corpus_of
from xlt.data.examples import Example
from xlt.data.groups import check_groups
from xlt.data.tables import read_rows
from xlt.errors import DataError

#: Numbers of sentences start again in each document.
RESTARTING = [
    {"doc": doc, "sentence_id": n, "sentence": f"{lang} {doc} {n}", "lang": lang}
    for doc, lang in enumerate(["en", "en", "ha"])
    for n in range(3)
]


@pytest.mark.parametrize("name", ["sentence_id", "group", "Parallel-ID", "translation id"])
def test_numbers_that_start_again_are_no_groups(tmp_path, name):
    """One line: two texts that were seen, and what to do."""
    rows = [{name: row["sentence_id"], **row} for row in RESTARTING]
    rows = [{key: row[key] for key in (name, "sentence", "lang")} for row in rows]
    path = written(tmp_path, ".csv", rows)
    corpus = corpus_of(read_rows(path), str(path), {})
    with pytest.raises(DataError, match=r"in group '0' two different texts are in 'en'") as caught:
        corpus.check_groups()
    message = str(caught.value)
    assert "'en 0 0' and 'en 1 0'" in message
    assert f"{name!r} was taken for groups" in message
    assert "--group ''" in message
    assert "\n" not in message


def test_the_ways_out_work(tmp_path):
    """No groups, or the same column on purpose: texts that belong together are kept together."""
    path = written(tmp_path, ".csv", RESTARTING)
    groups = {"": [None] * 9, "sentence_id": [*"012"] * 3, "doc": sorted([*"012"] * 3)}
    for column, expected in groups.items():
        corpus = corpus_of(read_rows(path), str(path), {"group": column})
        corpus.check_groups()
        assert [example.group for example in corpus.examples] == expected
    [line] = corpus.lines
    assert "group from 'doc' (3 groups, 3 with different texts of one language)" in line


def test_translations_are_groups_and_announced(tmp_path):
    """Texts of several languages, and a text that occurs twice."""
    rows = [
        {"text": f"{lang} {n % 4}", "lang": lang, "group": n % 4, "id": f"{lang}{n}"}
        for lang in ("en", "ha")
        for n in range(5)
    ]
    path = written(tmp_path, ".jsonl", rows)
    corpus = corpus_of(read_rows(path), str(path), {})
    corpus.check_groups()
    assert corpus.lines == ["columns of data.jsonl: text, lang, id, group (4 groups)"]


def test_ids_that_become_groups_are_announced(tmp_path):
    """An id that several languages share."""
    rows = [{"text": f"{lang} {n}", "lang": lang, "id": n} for lang in ("en", "ha") for n in (1, 2)]
    path = written(tmp_path, ".csv", rows)
    corpus = corpus_of(read_rows(path), str(path), {})
    assert corpus.lines == ["columns of data.csv: text, lang, id (2 groups)"]


def test_texts_of_unknown_languages_may_be_translations():
    """They are looked at when their language has been identified."""
    texts = [("a", "und"), ("b", "und"), ("c", "en")]
    examples = [Example(id=t, texts=(t,), lang=lang, group="g") for t, lang in texts]
    check_groups(examples, "group", "f.csv")


def test_one_language_with_two_names_is_one_language():
    """Two texts of it in one group are no translations."""
    texts = [("Hausa", "ina kwana"), ("ha", "sannu")]
    examples = [Example(id=t, texts=(t,), lang=lang, group="1") for lang, t in texts]
    with pytest.raises(DataError, match="in group '1' two different texts are in 'Hausa'"):
        check_groups(examples, "group", "f.csv")
