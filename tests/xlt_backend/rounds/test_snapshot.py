"""From Label Studio's tasks to what a round decides on."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.fakes import CONFIG, FakeLabelStudio
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.snapshot import ProjectReading, read_project

INTERFACE = Interface.from_label_config(CONFIG)


def taken(
    label_studio: FakeLabelStudio, *, share: float = 0.3, languages: str = "", **more: Any
) -> ProjectReading:
    """A snapshot of the project."""
    fields: dict[str, Any] = {
        "salt": "1.2",
        "shown": "",
        "scores": {},
        "identify": lambda texts, named=None, only=(): [("swa", 0.9) for _ in texts],
    }
    declared = (languages,) if languages else ()
    options = ProjectOptions(audit_share=share, group_field="group", languages=declared)
    return read_project(label_studio.tasks(1), INTERFACE, options, **(fields | more))


def test_every_task_has_its_place():
    """Labelled, waiting or unusable: none is lost, none is in two of the first two."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(60)
    for number in range(1, 31):
        label_studio.label(number)
    label_studio.stored[60]["data"] = {"text": ""}
    found = taken(label_studio).snapshot

    train, audit = ({e.id for e in part} for part in (found.train, found.audit))
    pool = {e.id for e in found.pool}
    assert train | audit == {str(n) for n in range(1, 31)}
    assert not train & audit
    assert 2 <= len(audit) <= 18
    assert pool == {str(n) for n in range(31, 60)}
    assert found.unusable == ("60",)
    assert found.open_ids == (*sorted(pool, key=int), "60")


def test_audit_tasks_stay_audit_tasks():
    """Whether a task judges depends on nothing but itself and the project."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(60)
    for number in range(1, 31):
        label_studio.label(number)
    before = {e.id for e in taken(label_studio).snapshot.audit}
    label_studio.add_tasks(20)
    for number in range(31, 70):
        label_studio.label(number)
    after = {e.id for e in taken(label_studio).snapshot.audit}

    assert before == {id for id in after if int(id) <= 30}


def test_translations_judge_together():
    """A text whose translation trains the model cannot judge it."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(60)
    for number in range(1, 61):
        label_studio.stored[number]["data"]["group"] = f"g{(number - 1) // 3}"
        label_studio.label(number)
    found = taken(label_studio).snapshot
    groups = [{e.group for e in part} for part in (found.train, found.audit)]

    assert not groups[0] & groups[1]
    assert groups[1]


def test_task_that_waits_for_a_second_annotator_is_in_both():
    """Its label counts, and it has its place in the queue."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(1)
    label_studio.label(1)
    label_studio.stored[1]["is_labeled"] = False
    found = taken(label_studio, share=0.0).snapshot

    assert [e.id for e in found.train] == [e.id for e in found.pool] == ["1"]


def test_languages_that_tasks_do_not_say_are_identified():
    """Only those are asked about."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(3, langs=["en"])
    del label_studio.stored[2]["data"]["lang"]
    asked: list[list[str]] = []

    def identify(texts, named=None, only=()):
        asked.append(list(texts))
        return [("swa", 0.9) for _ in texts]

    found = taken(label_studio, identify=identify).snapshot

    assert [e.lang for e in found.pool] == ["en", "swa", "en"]
    assert asked == [[label_studio.stored[2]["data"]["text"]]]


def test_unscored_are_those_without_a_place():
    """Of the version that is shown."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(3)
    found = taken(label_studio, shown="v1", scores={1: 0.5, 3: 0.1}).snapshot

    assert found.unscored == ("2",)
    assert found.shown == "v1"
    assert taken(label_studio).label_counts() == ({}, {})


def test_labels_know_when_they_were_made():
    """The first answer counts, skips do not; what says no time has none."""
    label_studio = FakeLabelStudio()
    label_studio.add_tasks(4)
    label_studio.label(1, created_at="2026-11-22T08:00:00.500000Z")
    label_studio.label(2)
    label_studio.label(3, created_at="yesterday")
    skipped = {"was_cancelled": True, "created_at": "2026-11-22T07:00:00Z", "completed_by": 2}
    label_studio.stored[1]["annotations"].append(skipped)
    found = taken(label_studio).snapshot.labelled_at
    assert found == {"1": 1795334400.5, "2": 0.0, "3": 0.0}


def test_what_was_found_in_a_project_is_told_and_the_option_restricts_it():
    """Bambara and Wolof tasks without a language are in two languages, not in fourteen."""
    from tests.xlt.identification.test_identify import BAMBARA, WOLOF
    from xlt.identification.identify import identify

    label_studio = FakeLabelStudio()
    label_studio.add_tasks(80)
    for task, text in zip(label_studio.stored.values(), [*BAMBARA, *WOLOF], strict=True):
        del task["data"]["lang"]
        task["data"]["text"] = text
    reading = taken(label_studio, identify=identify)
    assert Counter(reading.snapshot.languages) == {"bam": 40, "wol": 40}
    assert reading.identified == "80 texts name no language: found bam (40), wol (40)."
    declared = taken(label_studio, identify=identify, languages="Wolof")
    assert set(declared.snapshot.languages) <= {"Wolof", "und"}
