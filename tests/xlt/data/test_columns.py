"""Which columns are read as what, and the line that says so."""

from __future__ import annotations

import unicodedata

import pytest

from tests.xlt.data.written import written
from xlt.data.corpus import corpus_of, read_examples
from xlt.data.tables import read_rows
from xlt.errors import DataError


def corpus(path, **asked):
    """The table as commands read it."""
    split = asked.pop("split", None)
    return corpus_of(read_rows(path), str(path), asked, split=split)


ROW = {"text": "hi", "lang": "en", "label": "x"}


@pytest.mark.parametrize("column", ["weight", "Weight", "weights"])
@pytest.mark.parametrize("cell", [0.01, 3.5, "12 kg", -1])
def test_weights_are_read_only_if_asked_for(tmp_path, column, cell):
    """A column may be called weight because it holds weights of something else."""
    path = written(tmp_path, ".jsonl", [ROW | {column: cell}])
    assert [example.weight for example in read_examples(path)] == [1.0]
    assert corpus(path).lines == [
        f"columns of data.jsonl: text, lang, label; not used: {column!r} (--weight)"
    ]


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_weights_that_are_asked_for_are_trust(tmp_path, kind):
    """Any column; an empty cell is full trust; a number out of range is one line."""
    path = written(tmp_path, kind, [ROW | {"trust": 0.25}, ROW | {"trust": None}])
    assert [example.weight for example in read_examples(path, weight="trust")] == [0.25, 1.0]
    line = "columns of data.*: text, lang, label, weight from 'trust'"
    assert corpus(path, weight="trust").lines[0] == line.replace(".*", kind)
    path = written(tmp_path, kind, [ROW | {"trust": 3.5}])
    with pytest.raises(DataError, match=r"weight must be in \(0, 1\], got '3.5'"):
        read_examples(path, weight="trust")


def test_the_line_names_columns_and_what_they_are_read_as(tmp_path):
    """Those with a usual name that is not the field's own; what is not used, with its option."""
    row = {"doc": 4, "tweet": "hi", "Locale": "en", "topic": "x", "category": "y", "split": "a"}
    assert corpus(written(tmp_path, ".csv", [row])).lines == [
        "columns of data.csv: text from 'tweet', lang from 'Locale', label from 'category'; "
        "not used: 'doc', 'topic' (--label), 'split' (--split)"
    ]


def test_the_line_stays_short(tmp_path):
    """However wide the table is."""
    path = written(tmp_path, ".csv", [{"text": "hi"} | {f"c{n}": n for n in range(30)}])
    [line] = corpus(path).lines
    assert line.endswith("'c6', 'c7', 22 more")


@pytest.mark.parametrize("field", ["lang", "label", "id", "group"])
def test_an_empty_name_is_no_column(tmp_path, field):
    """For a table whose columns have usual names and another meaning."""
    row = ROW | {"id": "7", "group": "g"}
    path = written(tmp_path, ".csv", [row])
    read, without = read_examples(path)[0], read_examples(path, **{field: ""})[0]
    names = {"label": "answer"}
    assert str(getattr(read, names.get(field, field))) == row[field]
    assert str(getattr(without, names.get(field, field))) != row[field]
    assert f"not used: {field!r}" in corpus(path, **{field: ""}).lines[0]


def test_a_column_is_named_in_any_unicode_form(tmp_path):
    """Users type composed letters; files of some systems have decomposed ones."""
    name = unicodedata.normalize("NFD", "catégorie")
    path = written(tmp_path, ".csv", [{"text": "hi", name: "x"}])
    assert read_examples(path, label="catégorie")[0].answer == "x"


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"labels": "x"}, "--label labels"),
        ({"note": "", "Labels": "x", "n": 1}, "--label Labels"),
        ({"gold class": "x"}, "--label 'gold class'"),
        ({"a": 1, "b": 2}, "--label COLUMN"),
        ({"lang": "en"}, None),
    ],
)
def test_a_table_without_labels_says_how_to_name_them(tmp_path, more, option):
    """The columns that are there, and the likeliest as an example."""
    path = written(tmp_path, ".csv", [{"text": "hi", **more}])
    with pytest.raises(DataError, match=r"none of its columns \['text', .* is read") as caught:
        corpus(path).labelled  # noqa: B018 - a property
    end = f"is read as label; name one with {option}" if option else "is read as label"
    assert str(caught.value).endswith(end)


def test_a_column_without_a_label_is_another_matter(tmp_path):
    """The column is right, the file is not."""
    path = written(tmp_path, ".csv", [ROW | {"label": ""}])
    with pytest.raises(DataError, match=r"no row of .* has a label$"):
        corpus(path).labelled  # noqa: B018 - a property


def test_a_column_that_the_user_named_is_nothing_else(tmp_path):
    """Numbers that start again in each document are groups if the user says so, and no ids."""
    rows = [{"text": f"{doc} {n}", "lang": "en", "id": n} for doc in "ab" for n in (1, 2)]
    path = written(tmp_path, ".csv", rows)
    with pytest.raises(DataError, match="--id '' to number the rows"):
        read_examples(path)
    found = read_examples(path, group="id")
    assert [(example.id, example.group) for example in found] == [
        ("2", "1"), ("3", "2"), ("4", "1"), ("5", "2")
    ]  # fmt: skip
    assert [example.id for example in read_examples(path, id="")] == ["2", "3", "4", "5"]


@pytest.mark.parametrize("names", [["text", "Text"], ["Text", "text"], ["TEXT", "te xt"]])
def test_of_columns_that_differ_in_case_the_plain_one_or_the_first_is_read(tmp_path, names):
    """A second one is for example what somebody cleaned."""
    wanted = "text" if "text" in names else names[0]
    path = written(tmp_path, ".csv", [{name: f"of {name}" for name in names}])
    assert [example.text for example in read_examples(path)] == [f"of {wanted}"]


PAIR = {"lang": "en", "premise": "It rains.", "hypothesis": "It is wet.", "label": "yes"}


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("asked", [None, "premise,hypothesis", " premise , hypothesis ,"])
def test_two_columns_are_two_texts(tmp_path, kind, asked):
    """Found by their usual names or named; the line says so."""
    path = written(tmp_path, kind, [PAIR])
    [example] = read_examples(path, text=asked)
    assert (example.texts, example.answer) == (("It rains.", "It is wet."), "yes")
    assert corpus(path, text=asked).lines == [
        f"columns of data{kind}: text from 'premise', second text from 'hypothesis', lang, label"
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("Sentence1", "sentence2"),
        ("sentence_A", "sentence_B"),
        ("text 1", "text 2"),
        ("question1", "question2"),
        ("question", "answer"),
        ("hypothesis", "premise"),
    ],
)
def test_usual_names_of_pairs(tmp_path, names):
    """As tables of pairs call them; the premise comes first wherever it stands."""
    row = {names[0]: "one", names[1]: "two", "label": "x"}
    [example] = read_examples(written(tmp_path, ".csv", [row]))
    assert set(example.texts) == {"one", "two"}
    assert example.texts == (row[min(names, key=lambda n: n != "premise")], example.texts[1])


def test_one_text_comes_before_two(tmp_path):
    """A table is read as before if a column has a usual name of a text."""
    [example] = read_examples(written(tmp_path, ".csv", [PAIR | {"sentence": "alone"}]))
    assert example.texts == ("alone",)


def test_half_a_pair_is_left_out_and_counted(tmp_path):
    """Of either side, and named in the line as other rows without text are."""
    rows = [PAIR, PAIR | {"premise": ""}, PAIR | {"hypothesis": None}]
    read = corpus(written(tmp_path, ".jsonl", rows))
    assert len(read.examples) == 1
    assert read.lines[1] == "left out 2 rows of data.jsonl without text: 2, 3"


def test_three_columns_are_the_most(tmp_path):
    """A context and two texts; more, or one of them twice, is one line."""
    path = written(tmp_path, ".csv", [PAIR | {"context": "Outside.", "more": "!"}])
    [example] = read_examples(path, text="context,premise,hypothesis")
    assert example.texts == ("Outside.", "It rains.", "It is wet.")
    for asked in ("context,premise,hypothesis,more", "premise,premise", ","):
        with pytest.raises(DataError, match="up to 3 different ones, got --text"):
            read_examples(path, text=asked)
    with pytest.raises(DataError, match="has no column 'nothing'"):
        read_examples(path, text="premise,nothing")


def test_a_column_whose_name_has_a_comma(tmp_path):
    """It is found whole before the name is taken apart."""
    row = {"premise,hypothesis": "whole"} | PAIR
    [example] = read_examples(written(tmp_path, ".jsonl", [row]), text="premise,hypothesis")
    assert example.texts == ("whole",)


def test_a_cell_with_more_texts_than_are_read(tmp_path):
    """It is one line that names the row."""
    path = written(tmp_path, ".jsonl", [{"text": ["a"] * 3}, {"text": ["a"] * 4}])
    with pytest.raises(DataError, match="row 2: expected at most 3 texts in 'text', got 4"):
        read_examples(path)


def test_two_choices_and_what_they_are_about(tmp_path):
    """A table of preferences: the premise comes first if there is one."""
    row = {"label": "choice1", "choice2": "It rained.", "choice1": "It shone."}
    [example] = read_examples(written(tmp_path, ".csv", [row]))
    assert example.texts == ("It shone.", "It rained.")
    [example] = read_examples(written(tmp_path, ".csv", [row | {"premise": "All is dry."}]))
    assert example.texts == ("All is dry.", "It shone.", "It rained.")
