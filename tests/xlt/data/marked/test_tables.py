"""Tables with spans: which columns are read, what texts and spans they give, what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.xlt.data.written import written
from xlt.data.corpus import corpus_of
from xlt.data.spans import Span
from xlt.data.tables import read_rows
from xlt.errors import DataError

UNER = Path(__file__).parents[5] / "shared" / "data" / "uner.parquet"
PERSON = Span(0, 3, "PER")
MARKS = [{"start": 0, "end": 3, "label": "PER"}]
TOKENS = {"tokens": ["Ama", "lives", "in", "Accra"], "tags": ["B-PER", "O", "O", "B-LOC"]}
SPANS = (PERSON, Span(13, 18, "LOC"))


def corpus(path, kind=None, split=None, **asked):
    """The table as commands read it."""
    return corpus_of(read_rows(path), str(path), asked, split=split, kind=kind)


def only(path, **asked):
    """The only example of the table."""
    [example] = corpus(path, **asked).examples
    return example


# Columns with offsets -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [".jsonl", ".json", ".parquet", ".csv", ".tsv"])
@pytest.mark.parametrize("column", ["spans", "entities", "Labels", "label"])
def test_a_column_with_spans_is_found(tmp_path, kind, column):
    """By a usual name and by its cells; `[]` says that there is none, an empty cell nothing."""
    cells = [[*MARKS, {"start": 4, "end": 9, "label": "LOC"}], [], None]
    if kind in (".csv", ".tsv"):
        cells = [cell if cell is None else json.dumps(cell) for cell in cells]
    rows = [{"text": "Ama Accra", column: cell} for cell in cells]
    read = corpus(written(tmp_path, kind, rows))
    answers = [example.answer for example in read.examples]
    assert answers == [(PERSON, Span(4, 9, "LOC")), (), None]
    assert read.lines[1:] == [f"read 2 spans of data{kind}, 1 of 2 texts without one"]


def test_any_column_can_be_named(tmp_path):
    """By the option for the label."""
    path = written(tmp_path, ".jsonl", [{"text": "Ama ran", "marked": [[0, 3, "PER"]]}])
    assert only(path).answer is None
    assert only(path, label="marked").answer == (PERSON,)


def test_a_column_with_labels_is_read_before_one_with_spans(tmp_path):
    """A table that was read for its labels stays one; the line says how to read the spans."""
    path = written(tmp_path, ".jsonl", [{"text": "Ama ran", "label": "sport", "spans": MARKS}])
    read = corpus(path)
    assert read.examples[0].answer == "sport"
    assert read.lines == ["columns of data.jsonl: text, label; not used: 'spans' (--label)"]
    assert only(path, label="spans").answer == (PERSON,)
    assert only(path, label="").answer is None


def test_a_model_of_spans_reads_spans_and_other_models_labels(tmp_path):
    """If the kind is known, it decides."""
    path = written(tmp_path, ".jsonl", [{"text": "Ama ran", "label": "sport", "spans": MARKS}])
    assert corpus(path, kind="spans").examples[0].answer == (PERSON,)
    assert corpus(path, kind="single_label").examples[0].answer == "sport"
    path = written(tmp_path, ".jsonl", [{"text": "Ama ran", "spans": MARKS}])
    assert corpus(path, kind="single_label").examples[0].answer is None


@pytest.mark.parametrize("cell", [["a", "b"], "none", 4, [["a", "b"]], ["ORG: R.H. Saunders"]])
def test_a_column_of_that_name_with_other_cells_is_not_read(tmp_path, cell):
    """WikiANN has its entities in words there."""
    path = written(tmp_path, ".jsonl", [{"text": "Ama ran", "spans": cell}])
    assert only(path).answer is None


@pytest.mark.parametrize("cells", [[[]], [[], None]])
def test_lists_without_any_span_are_spans_only_for_a_model_of_spans(tmp_path, cells):
    """In a table, empty lists alone are no labels of several."""
    rows = [{"text": "Ama ran", "label": cell} for cell in cells]
    for kind in (None, "spans"):
        read = corpus(written(tmp_path, ".jsonl", rows), kind=kind)
        assert read.examples[0].answer == ()
        assert bool(read.notes) == (kind == "spans")


@pytest.mark.parametrize("more", [{}, {"label": "sport"}, {"labels": None}])
def test_empty_lists_in_a_column_for_spans_are_no_spans_for_a_model_of_them(tmp_path, more):
    """A test set may have none at all; to other models the column says nothing."""
    rows = [{"text": "Ama ran", **more, "entities": cell} for cell in ([], None, [])]
    path = written(tmp_path, ".jsonl", rows)
    assert [e.answer for e in corpus(path, "spans").examples] == [(), None, ()]
    assert {e.answer for e in corpus(path).examples} == {more.get("label")}


def test_a_cell_that_is_no_list_of_spans_is_named(tmp_path):
    """In one line, as other cells that cannot be read."""
    rows = [{"text": "Ama ran", "spans": cell} for cell in (MARKS, "PER")]
    with pytest.raises(DataError, match=r"row 2: expected a list of spans, .*, got PER") as caught:
        corpus(written(tmp_path, ".jsonl", rows))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_white_space_around_a_text_counts(tmp_path, kind):
    """Offsets are those of the text as it is in the file."""
    text = " \nAma ran  "
    cell = [{"start": 2, "end": 5, "label": "PER"}]
    path = written(tmp_path, kind, [{"text": text, "spans": json.dumps(cell)}])
    example = only(path)
    assert example.text == text
    assert example.answer == (Span(2, 5, "PER"),)
    path = written(tmp_path, kind, [{"text": text, "label": "x"}])
    assert only(path).text == "Ama ran"
    assert corpus(path, kind="spans", label="").examples[0].text == text


def test_what_is_no_span_is_counted_in_a_line(tmp_path):
    """By reason; the texts are used with their other spans."""
    cell = [[0, 3, "PER"], [0, 99, "PER"], [5, 90, "PER"], [2, 2, "PER"], {"rating": 1}]
    read = corpus(written(tmp_path, ".jsonl", [{"text": "Ama ran", "spans": cell}]))
    assert read.examples[0].answer == (PERSON,)
    assert read.lines[1] == (
        "read 1 span of data.jsonl, 0 of 1 text without one; left out 2 beyond the text, "
        "1 empty, 1 of unknown form"
    )


def test_offsets_in_utf16_are_used_and_named(tmp_path):
    """If the spans' own texts show it."""
    rows = [{"text": "𞤀𞤣𞤢𞤥 Ama", "spans": [{"start": 9, "end": 12, "label": "PER", "text": "Ama"}]}]
    read = corpus(written(tmp_path, ".jsonl", rows))
    assert read.examples[0].answer == (Span(5, 8, "PER"),)
    assert read.lines[1].endswith(
        "; the spans' own texts show that offsets count UTF-16 code units"
    )
    rows[0]["spans"][0] |= {"start": 0, "end": 3}
    read = corpus(written(tmp_path, ".jsonl", rows))
    assert read.lines[1].endswith("; 1 with another text of their own than is at their place")


# Tokens and tags ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [".jsonl", ".parquet", ".csv"])
@pytest.mark.parametrize("column", ["tags", "ner_tags", "NER", "label"])
def test_tokens_and_tags_are_read(tmp_path, kind, column):
    """The tokens are joined to the text; in CSV the lists are as Python prints them."""
    row = {"tokens": TOKENS["tokens"], column: TOKENS["tags"]}
    if kind == ".csv":
        row = {name: str(cell) for name, cell in row.items()}
    read = corpus(written(tmp_path, kind, [row]))
    [example] = read.examples
    assert (example.text, example.answer) == ("Ama lives in Accra", SPANS)
    assert read.lines == [
        f"columns of data{kind}: text from 'tokens', "
        + ("label" if column == "label" else f"label from {column!r}"),
        f"read 2 spans of data{kind}, 0 of 1 text without one",
    ]


def test_lists_that_pandas_writes_to_csv_are_read(tmp_path):
    """As Python prints them, with its quotes and escapes."""
    row = {"tokens": str(["it's", 'a "b\'c"', "\u200bAma"]), "tags": str(["O", "O", "B-PER"])}
    example = only(written(tmp_path, ".csv", [row]))
    assert [example.text[s.start : s.end] for s in example.answer] == ["\u200bAma"]
    example = only(written(tmp_path, ".csv", [{"text": "Ama ran", "spans": str(MARKS)}]))
    assert example.answer == (PERSON,)


def test_class_numbers_of_tags_are_named_by_the_file(tmp_path):
    """As the data sets of the Hub have them; numbers without names are refused."""
    names = ["O", "B-PER", "I-PER", "B-LOC"]
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
        }
    )
    rows = {"tokens": [TOKENS["tokens"]], "ner_tags": [[1, 0, 0, 3]]}
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table(rows, schema=features.arrow_schema), path)
    assert only(path).answer == SPANS
    pq.write_table(pa.table(rows), path)
    with pytest.raises(DataError, match=r"row 1: expected tags such as B-PER and O, got the num"):
        only(path)


def test_a_text_beside_its_tokens_is_kept(tmp_path):
    """With its own white space; one that does not consist of the tokens is counted."""
    text = "Ama  lives\nin Accra"
    read = corpus(written(tmp_path, ".jsonl", [{"text": text, **TOKENS}]))
    assert read.examples[0].text == text
    assert [text[s.start : s.end] for s in read.examples[0].answer] == ["Ama", "Accra"]
    read = corpus(written(tmp_path, ".jsonl", [{"text": "Ama is in Accra", **TOKENS}]))
    assert read.examples[0].text == "Ama lives in Accra"
    assert read.lines[2] == (
        "1 text of data.jsonl does not consist of the tokens, which are joined instead"
    )


def test_tokens_alone_are_texts(tmp_path):
    """A pool to label, also for models of other kinds."""
    path = written(tmp_path, ".jsonl", [{"words": ["Ama", "ran"], "label": "sport"}])
    assert (only(path).text, only(path).answer) == ("Ama ran", "sport")
    path = written(tmp_path, ".jsonl", [TOKENS])
    assert only(path, label="").answer is None


def test_labels_of_texts_with_tokens_are_labels(tmp_path):
    """Several labels are no tags; tags of slots beside an intent are read if they are named."""
    path = written(
        tmp_path, ".jsonl", [{"text": "Ama ran", "words": ["Ama", "ran"], "label": ["x"]}]
    )
    assert only(path).answer == ("x",)
    path = written(tmp_path, ".jsonl", [{**TOKENS, "label": "where"}])
    assert only(path).answer == "where"
    assert only(path, label="tags").answer == SPANS
    assert corpus(path, kind="spans").examples[0].answer == SPANS


def test_tags_without_tokens_are_labels_if_they_are_named(tmp_path):
    """As before there were spans."""
    path = written(tmp_path, ".jsonl", [{"text": "Ama ran", "tags": ["sport", "people"]}])
    assert only(path).answer is None
    assert only(path, label="tags").answer == ("sport", "people")


def test_texts_without_tags_are_unlabelled(tmp_path):
    """Tags of O alone say that there is no span."""
    rows = [TOKENS, {"tokens": ["a"], "tags": None}, {"tokens": ["b"], "tags": ["_"]}]
    rows += [{"tokens": ["c", "d"], "tags": ["O", "O"]}]
    read = corpus(written(tmp_path, ".jsonl", rows))
    assert [example.answer for example in read.examples] == [SPANS, None, None, ()]


def test_tags_and_tokens_must_be_as_many(tmp_path):
    """Or else no tag is sure to belong to its token."""
    rows = [TOKENS, {"tokens": ["a", "b"], "tags": ["O"]}]
    with pytest.raises(DataError, match=r"row 2: expected one tag for each token, got 1 tags in"):
        corpus(written(tmp_path, ".jsonl", rows))


def test_lenient_readings_are_counted(tmp_path):
    """Spans that begin with I-, unknown tags, and labels without the letters of places."""
    row = {"tokens": ["a", "b", "c"], "tags": ["I-PER", "PER", "B-PER"]}
    read = corpus(written(tmp_path, ".jsonl", [row]))
    line = "read 2 spans of data.jsonl, 0 of 1 text without one"
    assert read.lines[1] == f"{line}; 1 begin without a tag B-; 1 unknown tags read as O"
    row = {"tokens": ["a", "b", "c"], "tags": ["art", "O", "building"]}
    read = corpus(written(tmp_path, ".jsonl", [row]))
    assert read.examples[0].answer == (Span(0, 1, "art"), Span(4, 5, "building"))
    assert read.lines[1].startswith(f"{line}; the tags are labels alone")


def test_what_conll2003_of_label_studio_loses_is_said(tmp_path):
    """Texts in scripts without spaces are one token there, and every annotator's is a text."""
    path = tmp_path / "export.conll"
    sentence = "ខ្ញុំរស់នៅភ្នំពេញ"
    lines = [
        "-DOCSTART- -X- O",
        f"{sentence} -X- _ B-LOC",
        "",
        "Ama -X- _ B-PER",
        "",
        "Ama -X- _ O",
    ]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert corpus(path).lines[2:4] == [
        "1 text of export.conll in a script without spaces is one token with a tag, as Label "
        "Studio's CONLL2003 export writes them: use its JSON export, which has the spans",
        "1 text of export.conll is there more than once, with different tags, as Label Studio's "
        "CONLL2003 export writes several annotators: its JSON export has their votes",
    ]


def test_only_what_is_read_of_a_split_is_counted(tmp_path):
    """The line is about the rows that the command uses."""
    rows = [{**TOKENS, "split": "train"}, {"tokens": ["a"], "tags": ["O"], "split": "test"}]
    read = corpus(written(tmp_path, ".jsonl", rows), split="test")
    assert read.lines[1] == "read 0 spans of data.jsonl, 1 of 1 text without one"


def test_universal_ner_is_read():
    """The table of the real data, as it is."""
    if not UNER.exists():
        pytest.skip("no shared data beside this checkout")
    read = corpus(UNER, split="train")
    assert len(read.examples) == 16194
    spans = [
        (span.label, example.text[span.start : span.end])
        for example in read.examples
        for span in example.answer
    ]
    assert len(spans) == 11112
    assert {label for label, _ in spans} == {"PER", "ORG", "LOC", "OTH"}
    assert all(text == text.strip() for _, text in spans)
