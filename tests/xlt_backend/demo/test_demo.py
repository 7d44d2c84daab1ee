"""The demo's pure parts: which texts it uses, and what it reports."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from xlt.errors import ConfigError, DataError
from xlt_backend.demo.command import own_folder
from xlt_backend.demo.loop import rejection
from xlt_backend.demo.report import Summary
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
    """One high-resource and seven other languages, seven labels, as many texts of each."""
    texts = _shipped(source=10**6, target=10**6, held_out=10**6)
    counts = Counter(e.lang for e in (*texts.pool, *texts.held_out))

    assert texts.source == "eng"
    assert texts.targets == ("hau", "ibo", "quy", "som", "swh", "yor", "zul")
    assert len(texts.labels) == 7
    assert {"eng": 280, **dict.fromkeys(texts.targets, 168)} == counts


def test_no_sentence_is_both_annotated_and_measured_on():
    """A held-out sentence's translations are held out too, in every language and label."""
    texts = _shipped()
    held_out = {e.group_key for e in texts.held_out}

    assert held_out.isdisjoint(e.group_key for e in texts.pool)
    assert {(label, lang) for label in texts.labels for lang in ("eng", *texts.targets)} == {
        (e.label, e.lang) for e in texts.held_out
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


@pytest.mark.parametrize(
    ("row", "source", "languages", "message"),
    [
        ({"lang": "eng", "text": "x"}, "eng", None, "needs a label column"),
        ({"lang": "eng", "text": "x", "label": "a"}, "fra", None, r"no text in \['fra'\]"),
        ({"lang": "eng", "text": "x", "label": "a"}, "eng", ["hau"], r"no text in \['hau'\]"),
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


def test_model_that_is_not_promoted_ends_the_wait():
    """Only one of a round that ended after the labels were given, with the round's reason."""
    last = {"trained": True, "action": "nothing", "reason": "worse", "ended_at": 20.0}

    assert rejection({"last_round": last}, 10.0) == "worse"
    assert rejection({"last_round": last}, 30.0) == ""
    assert rejection({"last_round": {**last, "action": "publish"}}, 10.0) == ""
    assert rejection({"last_round": {**last, "trained": False}}, 10.0) == ""
    assert rejection({}, 10.0) == ""


def _summary() -> Summary:
    return Summary(
        before={"eng": 0.5, "hau": 0.25, "quy": 0.35},
        after={"eng": 0.75, "hau": 0.5, "quy": 0.4},
        source="eng",
        labels={"eng": 3, "hau": 4},
        version_names=("v1", "v2"),
        seconds_per_version=(30.0, 40.0, 20.0),
        served_in_order=7,
        served=7,
        held_out={"eng": 4, "hau": 4, "quy": 4},
    )


def test_summary_is_one_line_of_json_with_the_promised_keys():
    """Programs find before, after, source, labels, versions and seconds."""
    line = _summary().to_json()
    body = json.loads(line)

    assert "\n" not in line
    assert body["before"] == {"eng": 0.5, "hau": 0.25, "quy": 0.35}
    assert body["after"] == {"eng": 0.75, "hau": 0.5, "quy": 0.4}
    assert (
        body["source"],
        body["labels"],
        body["versions"],
        body["seconds"],
    ) == ("eng", {"eng": 3, "hau": 4}, 2, 30.0)


def test_means_leave_the_source_out():
    """What counts is how the low-resource languages do."""
    assert pytest.approx(0.3) == _summary().mean(_summary().before)
    assert pytest.approx(0.45) == _summary().mean(_summary().after)


def test_table_names_every_language_and_its_gain():
    """A person reads the gain of each language and their mean."""
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(_summary().table())
    text = captured.get()

    assert all(word in text for word in ("eng (source)", "hau", "+25.0", "+5.0", "+15.0"))


def test_a_second_demo_leaves_the_first_alone(tmp_path):
    """One at a time in a folder; a scripted one begins with nothing, a person's work is kept."""
    place = tmp_path / ".xlt" / "demo"
    with own_folder(place, empty=True) as folder:
        folder.mkdir()
        (folder / "work").write_text("mine")
        second = own_folder(place, empty=True)
        with pytest.raises(ConfigError, match="another demo is running"), second:
            pytest.fail("two at once")
        assert (folder / "work").read_text() == "mine"

    with own_folder(place, empty=False) as folder:
        assert (folder / "work").exists()
    with own_folder(place, empty=True) as folder:
        assert not folder.exists()
