"""The texts that the demo uses."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from xlt.errors import DataError
from xlt_backend.demo.topics import SHIPPED, Limits, load

COLUMNS = {"text": None, "lang": None, "label": None}


def _shipped(**limits: int):
    return load(
        SHIPPED,
        COLUMNS,
        source="en",
        languages=None,
        limits=Limits(**limits),
        rng=np.random.default_rng(1),
    )


def _table(tmp_path: Path, rows: list[dict[str, str]]) -> Path:
    path = tmp_path / "table.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_shipped_texts_are_what_their_readme_says():
    """One high-resource and seven other languages, seven labels, equally frequent."""
    texts = _shipped(source=10**6, target=10**6, held_out=10**6)
    counts = Counter(e.lang for e in (*texts.pool, *texts.held_out))

    assert texts.source == "eng"
    assert texts.targets == ("hau", "ibo", "quy", "som", "swh", "yor", "zul")
    assert len(texts.task.labels) == 7
    assert {"eng": 280, **dict.fromkeys(texts.targets, 168)} == counts


def test_no_sentence_is_both_annotated_and_measured_on():
    """A held-out sentence's translations are held out too, in every language and label."""
    texts = _shipped()
    held_out = {e.group_key for e in texts.held_out}

    assert held_out.isdisjoint(e.group_key for e in texts.pool)
    assert {(label, lang) for label in texts.task.labels for lang in ("eng", *texts.targets)} == {
        (e.answer, e.lang) for e in texts.held_out
    }


def test_held_out_sentences_are_the_same_in_all_languages():
    """Accuracies of languages are compared on translations of the same sentences."""
    texts = _shipped()
    groups = {
        lang: {e.group_key for e in texts.held_out if e.lang == lang}
        for lang in ("eng", *texts.targets)
    }

    assert len({frozenset(keys) for keys in groups.values()}) == 1


def test_limits_bound_each_language():
    """No language has more texts than asked for."""
    texts = _shipped(source=20, target=10, held_out=5)

    assert {"eng": 20, **dict.fromkeys(texts.targets, 10)} == Counter(e.lang for e in texts.pool)
    assert {5} == set(Counter(e.lang for e in texts.held_out).values())


def test_ids_shared_by_translations_become_groups(tmp_path):
    """Tables such as SIB-200 name a sentence, not a row, by their id."""
    rows = [
        {"id": str(i), "lang": lang, "label": "ab"[i % 2], "text": f"{lang} {i}"}
        for i in range(20)
        for lang in ("eng", "hau")
    ]
    texts = load(
        _table(tmp_path, rows),
        COLUMNS,
        source="eng",
        languages=None,
        limits=Limits(),
        rng=np.random.default_rng(1),
    )

    assert len(rows) == len({e.id for e in (*texts.pool, *texts.held_out)})
    assert {e.text.split()[1] for e in texts.pool}.isdisjoint(
        e.text.split()[1] for e in texts.held_out
    )


def test_languages_are_named_in_any_spelling(tmp_path):
    """Of the options and of the table, where rows of one language may be spelled differently."""
    rows = [
        {"lang": (lang, name)[i % 4 > 1], "label": "ab"[i % 2], "text": f"{lang} {i}"}
        for i in range(40)
        for lang, name in [("eng", "English"), ("ha", "Hausa"), ("yo", "yor_Latn")]
    ]
    texts = load(
        _table(tmp_path, rows),
        COLUMNS,
        source="en",
        languages=["HAUSA"],
        limits=Limits(),
        rng=np.random.default_rng(1),
    )

    assert (texts.source, texts.targets) == ("eng", ("ha",))
    assert Counter(e.lang for e in (*texts.pool, *texts.held_out)) == {"eng": 40, "ha": 40}


@pytest.mark.parametrize(
    ("row", "source", "languages", "message"),
    [
        ({"lang": "eng", "text": "x"}, "eng", None, "no row of .* has a label"),
        (
            {"lang": "eng", "text": "x", "label": "a"},
            "fra",
            None,
            "no text is in 'fra'; texts",
        ),
        (
            {"lang": "eng", "text": "x", "label": "a"},
            "eng",
            ["hau"],
            "no text is in 'hau'; texts",
        ),
        ({"lang": "eng", "text": "x", "label": "a"}, "eng", None, "all texts are in 'eng'"),
    ],
    ids=["no label", "no source", "no such language", "source only"],
)
def test_data_that_cannot_show_the_loop_is_refused_in_one_line(
    tmp_path, row, source, languages, message
):
    """What is missing is named."""
    path = _table(tmp_path, [{**row, "id": str(i), "text": f"text {i}"} for i in range(4)])
    with pytest.raises(DataError, match=message):
        load(
            path,
            COLUMNS,
            source=source,
            languages=languages,
            limits=Limits(),
            rng=np.random.default_rng(1),
        )


def test_columns_are_announced_and_groups_can_be_refused(tmp_path: Path):
    """The demo measures on held-out groups: numbers that start again are none."""
    rows = [
        {"text": f"{lang} {n}", "lang": lang, "label": "ab"[n % 2], "sentence_id": str(n % 4)}
        for lang in ("en", "ha")
        for n in range(20)
    ]
    options = {"source": "en", "languages": None, "limits": Limits(), "kind": None}
    path = _table(tmp_path, rows)
    with pytest.raises(DataError, match="'sentence_id' was taken for groups"):
        load(path, COLUMNS, rng=np.random.default_rng(1), **options)
    texts = load(path, COLUMNS | {"group": ""}, rng=np.random.default_rng(1), **options)
    assert texts.lines == ("columns of table.jsonl: text, lang, label; not used: 'sentence_id'",)


OPTIONS = {"source": "en", "languages": None, "limits": Limits()}


@pytest.mark.parametrize(
    ("labels", "more", "kind"),
    [
        ([["a"], ["a", "b"], []], {}, "single_label"),
        ([["a"], ["a", "b"], []], {}, "taxonomy"),
        ([[["a", "b"]], [["c"]]], {}, "multi_label"),
        (["a", "b"], {"text": ["one", "two"]}, "rating"),
    ],
)
def test_a_kind_is_made_of_texts_with_one_label_alone(tmp_path, labels, more, kind):
    """Other labels are neither taken for one nor kept as they are; their own kind is no fault."""
    rows = [
        {"text": f"{lang} {n}", "lang": lang, "label": labels[n % len(labels)], **more}
        for lang in ("en", "ha")
        for n in range(12)
    ]
    path = _table(tmp_path, rows)
    with pytest.raises(DataError, match=f"tasks of the kind {kind} are made of single texts"):
        load(path, COLUMNS, rng=np.random.default_rng(1), kind=kind, **OPTIONS)
    own = load(path, COLUMNS, rng=np.random.default_rng(1), **OPTIONS).task
    again = load(path, COLUMNS, rng=np.random.default_rng(1), kind=own.kind, **OPTIONS).task
    assert again == own


def test_exports_are_read_and_languages_identified(tmp_path):
    """As by the commands on files."""
    texts = {
        "en": "The children walked to school in the rain this morning, number",
        "ha": "Yaran sun tafi makaranta da safe cikin ruwan sama, lamba",
    }
    rows = [
        {"id": n, "data": {"text": f"{text} {n}"}, "annotations": [_chosen("ab"[n % 2])]}
        for n in range(20)
        for text in [texts["en" if n < 10 else "ha"]]
    ]
    found = load(_table(tmp_path, rows), COLUMNS, rng=np.random.default_rng(1), **OPTIONS)
    assert (found.source, found.targets) == ("eng", ("hau",))
    assert found.task.labels == ("a", "b")


def _chosen(label: str) -> dict[str, object]:
    value = {"from_name": "topic", "type": "choices", "value": {"choices": [label]}}
    return {"id": 1, "completed_by": 1, "result": [value]}
