"""Check of labels that changed."""

from __future__ import annotations

from xlt_backend.labelstudio.client import ProjectInfo
from xlt_backend.queue.state import ProjectState
from xlt_backend.setup.checks import Check, Status
from xlt_backend.setup.label_checks import check_labels

PROJECT = ProjectInfo.from_json({"id": 3, "created_at": "2026-11-22T08:40:02Z"})


def check(**changes: object) -> Check:
    """What is said of these changes, as the project's state has them."""
    return check_labels(PROJECT, ProjectState(label_changes=changes))


def test_changes_that_xlt_follows_are_no_fault() -> None:
    """They are said all the same."""
    assert check().status is Status.OK
    found = check(added=["news"], renamed={"food": "cuisine"})
    assert found.status is Status.OK
    assert "'news'" in found.detail
    assert "'food' as 'cuisine'" in found.detail


def test_a_label_that_vanished_comes_with_the_command_that_tells_its_name() -> None:
    """It is proposed and not done."""
    found = check(vanished={"food": {"answers": 2, "perhaps": "cuisine"}}, added=["cuisine"])
    assert found.status is Status.WARN
    assert "'food' (2 answers) is no label of the interface any more" in found.detail
    assert "not suggested yet: 'cuisine'" in found.detail
    assert "`xlt connect --project 3 --rename food=cuisine`" in found.fix
    assert "nothing behind `=`" in found.fix


def test_renames_without_effect_and_models_that_cannot_be_used() -> None:
    """Both need a person, and no command."""
    stale = check(no_effect=["'food' is still a label"])
    assert stale.status is Status.WARN
    assert "the option rename has no effect: 'food' is still a label" in stale.detail
    assert "correct the option rename" in stale.fix
    few = check(unusable="the active version knows too few of the labels")
    assert few.status is Status.WARN
    assert "no suggestions until the next training" in few.detail
