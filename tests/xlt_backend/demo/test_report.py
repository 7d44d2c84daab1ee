"""The demo's report as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rich.console import Console

from xlt_backend.demo.report import Summary


def _summary() -> Summary:
    return Summary(
        measure="accuracy",
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


def test_sentences_count_versions():
    """One version is a version; of several, the first and the last are named."""
    one = replace(_summary(), version_names=("v1",))

    assert one.sentences()[0] == "1 version promoted: v1."
    assert _summary().sentences()[0] == "2 versions promoted: first v1, last v2."
