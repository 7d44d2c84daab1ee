"""Languages and fields that options name, against the tasks."""

from __future__ import annotations

import pytest

from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.named import resolve, unanswered

TASKS = [{"data": {"text": "a", "lang": "ha", "doc": {"id": 4}}}, {"data": {"text": "b"}}]
LANGS = ["ha", "English"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"source_languages": ["en"]},
        {"source_languages": "eng_Latn"},
        {"quota": {"hausa": 2, "english": 1}},
        {"quota": "equal", "text_field": "text", "group_field": "doc.id"},
        {"group_field": None},
    ],
)
def test_names_with_tasks_are_not_told(given):
    """Codes and names are the same; a field may be a path, and missing in some tasks."""
    assert unanswered(ProjectOptions(**given), LANGS, TASKS) == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"source_languages": ["en", "yo"]},
            "option source_languages: no task is in 'yo'; tasks are in ha (1), English (1)",
        ),
        (
            {"quota": {"ha": 1, "Klingon": 2}},
            "option quota: no task is in 'Klingon'; tasks are in ha (1), English (1)",
        ),
        (
            {"language_field": "language"},
            "option language_field: no task has 'language'; tasks have ['text', 'lang', 'doc']",
        ),
        (
            {"group_field": "doc.group"},
            "option group_field: no task has 'doc.group'; tasks have ['text', 'lang', 'doc']",
        ),
        (
            {"text_field": "x" * 900},
            f"option text_field: no task has '{'x' * 40}'; tasks have ['text', 'lang', 'doc']",
        ),
    ],
)
def test_names_without_tasks_are_told(given, line):
    """With what there is instead, in one short line."""
    assert unanswered(ProjectOptions(**given), LANGS, TASKS) == [line]


def test_nothing_is_missing_before_there_are_tasks():
    """Nor is a default that the user did not choose."""
    assert unanswered(ProjectOptions(source_languages=("xx",)), [], []) == []
    assert unanswered(ProjectOptions(), ["yo"], [{"data": {"text": "a"}}]) == []


def test_macrolanguages_name_their_members():
    """In sources and in weights; everything else stays as it was written."""
    options = ProjectOptions(source_languages=("qu", "en"), quota={"Fulah": 3.0, "ha": 1.0})
    found = resolve(options, ["quy", "quh", "fuv", "hau_Latn"])
    assert found.source_languages == ("quh", "quy", "en")
    assert found.quota == {"fuv": 3.0, "ha": 1.0}
    assert resolve(options, ["qu", "quy", "ff"]) == options
