"""Check of the names in a project's options."""

from __future__ import annotations

from xlt_backend.queue.state import ProjectState
from xlt_backend.setup.checks import Status
from xlt_backend.setup.option_checks import check_languages, check_options


def test_names_without_tasks_are_a_warning() -> None:
    """Tasks in a language may be imported later."""
    assert check_options(ProjectState()).status is Status.OK
    found = check_options(ProjectState(unanswered=["option quota: no task is in 'x'", "more"]))
    assert found.status is Status.WARN
    assert found.detail == "option quota: no task is in 'x'; more"
    assert "xlt connect --option" in found.fix


def test_languages_that_were_found_wait_for_people_to_confirm_them():
    """The check says how; with the option it is content."""
    line = "80 texts name no language: found bam (40), wol (40)."
    found = check_languages(ProjectState(identified=line))
    assert found.status is Status.WARN
    assert found.detail == line
    assert "--option languages=" in found.fix
    declared = ProjectState(identified=line, extra_params={"languages": ["bam", "wol"]})
    assert check_languages(declared).status is Status.OK
    assert check_languages(ProjectState()).detail == "all tasks name theirs"
