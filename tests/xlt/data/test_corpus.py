"""Tables become examples; bad tables get one clear line; groups stay together."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.corpus import folds_by_group, read_examples, read_pairs, split_by_group, write_jsonl
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.errors import DataError

ROWS = [
    {"id": "1", "text": "Yara sun tafi.", "lang": "hau_Latn", "label": "travel"},
    {"id": "2", "text": 'Ẹ káàárọ̀, "ọ̀rẹ́"\nmi 😀', "lang": "yo", "label": "health"},
    {"id": "3", "text": "اردو متن", "lang": "ur", "label": ""},
]


def written(folder: Path, kind: str, rows=ROWS) -> Path:
    """A file of that kind with the rows."""
    path = folder / f"data{kind}"
    if kind == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind in (".jsonl", ".ndjson"):
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    elif kind == ".jsonl.gz":
        path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    else:
        with open(path, "w", encoding="utf-8-sig", newline="") as file:
            delimiter = {".csv": ",", ".tsv": "\t", "2.csv": ";"}[kind]
            writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return path


KINDS = [".csv", "2.csv", ".tsv", ".jsonl", ".ndjson", ".jsonl.gz", ".parquet"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same_examples(tmp_path, kind):
    """Quotes, line breaks, emoji and scripts survive; an empty label is no label."""
    found = read_examples(written(tmp_path, kind))
    assert found == [
        Example(id="1", text="Yara sun tafi.", lang="hau_Latn", label="travel"),
        Example(id="2", text='Ẹ káàárọ̀, "ọ̀rẹ́"\nmi 😀', lang="yo", label="health"),
        Example(id="3", text="اردو متن", lang="ur", label=None),
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
    assert (found.id, found.text, found.lang, found.label) == expected


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
    assert [e.label for e in read_examples(written(tmp_path, ".jsonl", rows))] == [None, "x"]


def test_an_id_shared_by_languages_is_their_group(tmp_path):
    """The same id in several languages is one sentence: ids become distinct, groups appear."""
    rows = [{"id": 1, "lang": lang, "text": f"text {lang}"} for lang in ("en", "ha")]
    found = read_examples(
        written(tmp_path, ".parquet", [*rows, {"id": 2, "lang": "en", "text": "b"}])
    )
    assert [(e.id, e.group) for e in found] == [("1/en", "1"), ("1/ha", "1"), ("2/en", "2")]


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
        ("a.csv", b"text,lang\n ,en\n", "row 2: text is empty"),
        ("a.csv", b'text\n"abc\n', "line 3|line 2"),
        ("a.csv", "text\nü\n".encode("latin-1"), "not UTF-8"),
        ("a.csv", b"text\n" + b"x" * 2_100_000 + b"\n", "field larger than"),
        ("a.csv", b"text\n" + b"x" * 1_100_000 + b"\n", "longer than 1000000"),
        ("a.csv", b"text,lang\na," + b"x" * 1100 + b"\n", "row 2: lang is longer"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is not JSON"),
        ("a.jsonl", b'["a"]\n', "line 1: expected an object, got list"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1 is not JSON"),
        ("a.jsonl", b'{"text": {"a": 1}}\n', "row 1: text must be text, got dict"),
        ("a.jsonl", b'{"text": null}\n', "row 1: text is empty"),
        ("a.jsonl", b'{"text": "a", "weight": 2}\n', r"weight must be in \(0, 1\]"),
        ("a.jsonl", b'{"text": "a", "id": 1}\n{"text": "b", "id": 1}\n', "'1' stands 2 times"),
        ("a.parquet", b"not parquet", "not a Parquet file"),
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
    assert [e.label for e in read_examples("owner/name:test")] == ["yes", "no"]
    assert asked == [(("owner/name",), {"split": "test"})]


TEXTS = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)


@given(
    st.lists(
        st.builds(
            Example,
            id=st.uuids().map(str),
            text=TEXTS,
            lang=st.sampled_from(["en", "ha", UNKNOWN_LANGUAGE]),
            label=st.none() | TEXTS,
            group=st.none() | TEXTS,
            weight=st.sampled_from([1.0, 0.5]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read_back(tmp_path_factory, examples):
    """JSONL keeps every field of every example."""
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    write_jsonl(path, examples)
    assert read_examples(path) == examples


@given(
    st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=30),
    st.floats(0, 1),
    st.integers(0, 2**31),
)
def test_groups_are_never_split(groups, share, seed):
    """Every example is on one side, each group on one side only, in the old order."""
    examples = [Example(id=str(i), text="x", group=g) for i, g in enumerate(groups)]
    train, held = split_by_group(examples, share, np.random.default_rng(seed))
    assert sorted(e.id for e in [*train, *held]) == sorted(e.id for e in examples)
    assert {e.group_key for e in train}.isdisjoint(e.group_key for e in held)
    assert [e for e in examples if e in train] == train
    count = len({e.group_key for e in examples})
    assert len({e.group_key for e in held}) == int(np.floor(count * share + 0.5))


def test_the_seed_decides_the_split(rng):
    """The same generator state gives the same split; a share out of range is refused."""
    examples = [Example(id=str(i), text="x") for i in range(40)]
    one = split_by_group(examples, 0.5, np.random.default_rng(1))
    assert one == split_by_group(examples, 0.5, np.random.default_rng(1))
    assert one != split_by_group(examples, 0.5, np.random.default_rng(2))
    with pytest.raises(DataError, match=r"1\.5"):
        split_by_group(examples, 1.5, rng)


def test_pairs_are_read_from_two_columns(tmp_path):
    """`source` and `target`, or any two columns; a missing half is named."""
    rows = [{"source": "hello", "target": "sannu", "note": "x"}]
    assert read_pairs(written(tmp_path, ".jsonl", rows)) == [("hello", "sannu")]
    assert read_pairs(written(tmp_path, ".tsv", [{"en": "a", "ha": "b"}])) == [("a", "b")]
    with pytest.raises(DataError, match="row 2: expected two texts"):
        read_pairs(written(tmp_path, ".csv", [{"en": "a", "ha": ""}]))
    with pytest.raises(DataError, match="source and target"):
        read_pairs(written(tmp_path, ".csv", [{"a": "1", "b": "2", "c": "3"}]))


def test_folds_keep_translations_together_and_are_even(rng):
    """Every group in one fold, as many groups in each."""
    examples = [
        Example(id=f"{lang}{n}", text=f"{n}", lang=lang, group=str(n))
        for n in range(23)
        for lang in ("en", "ha")
    ]
    folds = folds_by_group(examples, 5, rng)

    fold_of = {e.group_key: fold for e, fold in zip(examples, folds.tolist(), strict=True)}
    assert [fold_of[e.group_key] for e in examples] == folds.tolist()
    assert sorted(np.bincount(list(fold_of.values()))) == [4, 4, 5, 5, 5]
