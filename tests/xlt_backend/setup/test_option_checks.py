"""Check of the names in a project's options."""

from __future__ import annotations

from xlt_backend.queue.state import ProjectState
from xlt_backend.setup.checks import Status
from xlt_backend.setup.option_checks import check_options


def test_names_without_tasks_are_a_warning() -> None:
    """Tasks in a language may be imported later."""
    assert check_options(ProjectState()).status is Status.OK
    found = check_options(ProjectState(unanswered=["option quota: no task is in 'x'", "more"]))
    assert found.status is Status.WARN
    assert found.detail == "option quota: no task is in 'x'; more"
    assert "xlt connect --option" in found.fix
