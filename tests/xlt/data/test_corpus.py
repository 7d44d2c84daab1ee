"""Tables become examples; bad tables get one clear line."""

from __future__ import annotations

import json
import math

import pytest

from tests.xlt.data.written import written
from xlt.data.corpus import corpus_of, read_examples
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.tables import read_rows
from xlt.errors import DataError

ROWS = [
    {"id": "1", "text": "Yara sun tafi.", "lang": "hau_Latn", "label": "travel"},
    {"id": "2", "text": 'Ẹ káàárọ̀, "ọ̀rẹ́"\nmi 😀', "lang": "yo", "label": "health"},
    {"id": "3", "text": "اردو متن", "lang": "ur", "label": ""},
]


KINDS = [".csv", "2.csv", ".tsv", ".json", ".jsonl", ".ndjson", ".jsonl.gz", ".parquet"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same_examples(tmp_path, kind):
    """Quotes, line breaks, emoji and scripts survive; an empty label is no label."""
    found = read_examples(written(tmp_path, kind, ROWS))
    assert found == [
        Example(id="1", texts=("Yara sun tafi.",), lang="hau_Latn", answer="travel"),
        Example(id="2", texts=('Ẹ káàárọ̀, "ọ̀rẹ́"\nmi 😀',), lang="yo", answer="health"),
        Example(id="3", texts=("اردو متن",), lang="ur", answer=None),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"Tweet": "hi", "Language": "en", "Sentiment": "good"}, ("1", "hi", "en", "good")),
        ({"uid": "a7", "sentence": "hi"}, ("a7", "hi", UNKNOWN_LANGUAGE, None)),
        ({"text": "hi", "label_id": "3", "Category": "x"}, ("1", "hi", UNKNOWN_LANGUAGE, "x")),
        ({"index-id": 9, "Text": "hi", "language_code": "sw"}, ("9", "hi", "sw", None)),
    ],
    ids=["tweet", "sentence", "category", "dashes"],
)
def test_usual_column_names_are_found(tmp_path, row, expected):
    """Case, `_` and `-` do not matter; what is not there is left out."""
    found = read_examples(written(tmp_path, ".jsonl", [row]))[0]
    assert (found.id, found.text, found.lang, found.answer) == expected


def test_named_columns_are_used_and_must_be_there(tmp_path):
    """A name that the user gave wins over the usual ones; a wrong one lists the columns."""
    path = written(tmp_path, ".csv", [{"text": "old", "new text": "new", "l": "ha"}])
    found = read_examples(path, text="new text", lang="l")[0]
    assert (found.text, found.lang) == ("new", "ha")
    with pytest.raises(DataError, match=r"no column 'x'; it has \['text', 'new text', 'l'\]"):
        read_examples(path, text="x")


def test_columns_that_only_later_rows_have_are_found(tmp_path):
    """In JSONL the first row may be unlabelled."""
    rows = [{"text": "a"}, {"text": "b", "label": "x", "lang": "ha"}]
    assert [e.answer for e in read_examples(written(tmp_path, ".jsonl", rows))] == [None, "x"]


LISTS = [
    (["health", "sport"], ("health", "sport")),
    (["sport"], ("sport",)),
    ([], ()),
    (None, None),
]


@pytest.mark.parametrize("kind", [".jsonl", ".parquet", ".csv", ".tsv"])
def test_a_cell_with_a_list_of_labels_is_a_tuple_of_them(tmp_path, kind):
    """A list in JSON and Parquet, the same written as JSON in CSV; no label of many is `[]`."""
    rows = [{"text": f"t{i}", "label": cell} for i, (cell, _) in enumerate(LISTS)]
    if kind in (".csv", ".tsv"):
        rows = [row | {"label": row["label"] and json.dumps(row["label"])} for row in rows]
        rows[2]["label"] = "[]"
    found = read_examples(written(tmp_path, kind, rows))
    assert [example.answer for example in found] == [answer for _, answer in LISTS]


@pytest.mark.parametrize("cell", ["[not json", "[null]", "[]x", "[unclear]", "['a' b]", "[true]"])
def test_a_label_that_only_looks_like_a_list_is_a_label(tmp_path, cell):
    """Only a list of strings or numbers is several labels."""
    found = read_examples(written(tmp_path, ".csv", [{"text": "t", "label": cell}]))
    assert found[0].answer == cell


def test_a_text_cell_with_a_list_is_several_texts(tmp_path):
    """To be read together; if one of them is empty, the row has no text."""
    rows = [{"text": ["a premise", " a guess "], "lang": "en"}, {"text": ["alone"]}]
    found = read_examples(written(tmp_path, ".jsonl", rows))
    assert [example.texts for example in found] == [("a premise", "a guess"), ("alone",)]
    assert found[0].text == "a premise\na guess"
    assert [example.input for example in found] == [("a premise", "a guess"), "alone"]
    rows.append({"text": ["a", " "]})
    assert len(read_examples(written(tmp_path, ".jsonl", rows))) == 2


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_whole_numbers_are_written_as_such(tmp_path, kind):
    """Pandas makes 1.0 of 1 where a value lacks; a model must know the label again."""
    rows = [{"id": 7.0, "text": "a", "label": 1.0}, {"id": 8.0, "text": "b", "label": None}]
    if kind == ".csv":
        rows = [{"id": 7, "text": "a", "label": 1}, {"id": 8, "text": "b", "label": None}]
    found = read_examples(written(tmp_path, kind, rows))
    assert [(e.id, e.answer) for e in found] == [("7", "1"), ("8", None)]


def test_ids_are_distinct_within_a_language_however_it_is_called(tmp_path):
    """One language with two names is no translation."""
    rows = [{"id": 1, "lang": lang, "text": f"text {lang}"} for lang in ("ha", "Hausa")]
    with pytest.raises(DataError, match="'1' occurs 2 times in language 'ha'"):
        read_examples(written(tmp_path, ".csv", rows))


def test_an_id_shared_by_languages_is_their_group(tmp_path):
    """The same id in several languages is one sentence: ids become distinct, groups appear."""
    rows = [{"id": 1, "lang": lang, "text": f"text {lang}"} for lang in ("en", "ha")]
    found = read_examples(
        written(tmp_path, ".parquet", [*rows, {"id": 2, "lang": "en", "text": "b"}])
    )
    assert [(e.id, e.group) for e in found] == [("1/en", "1"), ("1/ha", "1"), ("2/en", "2")]


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "a", "split": 1}, {"text": "b", "split": 2}],
        [{"text": "a", "Split": "1 "}, {"text": "b", "Split": "2"}],
        [{"text": "a", "SPLIT": 1.0}, {"text": "b", "SPLIT": None}],
    ],
)
def test_splits_are_numbers_too_and_their_column_is_found_as_others_are(tmp_path, rows):
    """Case and white space do not matter."""
    assert [e.text for e in read_examples(written(tmp_path, ".jsonl", rows), split="1")] == ["a"]


def test_a_split_of_a_table_without_splits_names_the_columns(tmp_path):
    """Instead of a split called None."""
    path = written(tmp_path, ".csv", [{"text": "a", "part": "train"}])
    with pytest.raises(DataError, match=r"no column split; it has \['text', 'part'\]"):
        read_examples(path, split="train")


def test_a_split_column_can_be_chosen(tmp_path):
    """Only rows of that split are read; a wrong name lists the ones there are."""
    rows = [{"text": "a", "split": "train"}, {"text": "b", "split": "test"}]
    path = written(tmp_path, ".csv", rows)
    assert [e.text for e in read_examples(path, split="test")] == ["b"]
    with pytest.raises(DataError, match=r"\['test', 'train'\]"):
        read_examples(path, split="dev")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "no header"),
        ("a.csv", b"text\n", "no rows"),
        ("a.csv", b"title,lang\na,b\n", "no column with text.*title"),
        ("a.csv", b"text,lang\na,en\nb\n", "line 3: expected 2 columns, got 1"),
        ("a.csv", b"text,text\na,b\n", "distinct"),
        ("a.csv", b"text,lang\n ,en\n", "no row of .* has a text in 'text'"),
        ("a.csv", b'text\n"abc\n', "line 3|line 2"),
        ("a.csv", "text\nü\n".encode("latin-1"), "not UTF-8"),
        ("a.csv", b"text\n" + b"x" * 2_100_000 + b"\n", "field larger than"),
        ("a.csv", b"text\n" + b"x" * 1_100_000 + b"\n", "longer than 1000000"),
        ("a.csv", b"text,lang\na," + b"x" * 1100 + b"\n", "row 2: lang is longer"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is not JSON"),
        ("a.jsonl", b'["a"]\n', "row 1: expected an object, got str"),
        ("a.json", b'{\n"text": "a"\n}\n', "expected a list of objects or one object per line"),
        ("a.jsonl", b'{"text": "a", "label": {"b": {}}}\n', "a label or a list of labels, got {"),
        ("a.jsonl", b'{"text": "a", "label": [[0]]}\n', "a label or a list of labels, got \\[\\["),
        ("a.csv", b"text,label\na," + b"[" * 99_000 + b"\n", "row 2: label is longer"),
        ("a.jsonl", b'{"text": "a"}\n["a"]\n', "line 2: expected an object, got list"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1 is not JSON"),
        ("a.jsonl", b'{"text": {"a": 1}}\n', "row 1: text must be text, got dict"),
        ("a.jsonl", b'{"text": null}\n', "no rows"),
        ("a.jsonl", b'{"text": [], "lang": "en"}\n', "no row of .* has a text in 'text'"),
        ("a.jsonl", b'{"text": "a", "id": 1}\n{"text": "b", "id": 1}\n', "'1' occurs 2 times"),
        ("a.parquet", b"not parquet", "cannot read .* as a Parquet file"),
        ("a.jsonl.gz", b"not gzip", "cannot read"),
        ("a.xlsx", b"", "expected a file ending in .csv"),
    ],
)  # fmt: skip
def test_bad_tables_get_one_clear_line(tmp_path, name, content, message):
    """The message names the file, the row and what was expected."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_examples(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)[:60]


def test_a_file_that_is_not_there_is_named(tmp_path):
    """No traceback for a typo."""
    with pytest.raises(DataError, match="there is no file"):
        read_examples(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="expected a file ending in"):
        read_examples(tmp_path / "nothing")


def test_hub_data_sets_are_read_by_name_and_split(monkeypatch):
    """`owner/name:split` loads that split; class numbers become their names."""
    import datasets

    table = datasets.Dataset.from_dict(
        {"text": ["a", "b"], "label": [1, 0]},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
        ),
    )
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda *a, **k: (asked.append((a, k)), table)[1])
    assert [e.answer for e in read_examples("owner/name:test")] == ["yes", "no"]
    assert asked == [(("owner/name",), {"split": "test"})]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_text_are_left_out_and_counted(tmp_path, kind):
    """One empty cell does not end the run, and does not go without a word."""
    texts = ["a", "", "b", " \u00a0", "c"]
    path = written(tmp_path, kind, [{"text": text, "label": "x"} for text in texts])
    corpus = corpus_of(read_rows(path), str(path), {})
    numbers = [number for number, _ in read_rows(path)]
    assert [example.id for example in corpus.examples] == [str(numbers[n]) for n in (0, 2, 4)]
    assert list(corpus.without_text) == [numbers[1], numbers[3]]
    line = f"left out 2 rows of {path.name} without text: {numbers[1]}, {numbers[3]}"
    assert corpus.lines[1:] == [line]


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_words_for_no_label_are_counted(tmp_path, kind):
    """As pandas and databases write them; they make no class, and a line says so."""
    labels = ["x", "nan", "NULL", None, "nan", "none"]
    path = written(tmp_path, kind, [{"text": "t", "label": label} for label in labels])
    corpus = corpus_of(read_rows(path), str(path), {})
    assert [example.answer for example in corpus.examples] == ["x", *[None] * 4, "none"]
    assert corpus.lines[1:] == [f"read as no label in {path.name}: 'nan' (2), 'NULL' (1)"]


def test_a_number_that_is_none_is_no_label(tmp_path):
    """NaN, in Parquet and in JSON as Python writes it; other numbers are labels."""
    rows = [{"text": "t", "label": label} for label in (1.0, math.nan, -1.0)]
    for kind in (".parquet", ".jsonl"):
        found = read_examples(written(tmp_path, kind, rows))
        assert [example.answer for example in found] == ["1", None, "-1"]
