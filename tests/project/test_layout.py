"""Rooms are folders: no module lands in the root of a package."""

from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]

#: Modules that stand directly under a package's root. A new module belongs in a folder.
ROOTS = {
    "xlt": {"__init__", "config", "errors", "losses"},
    # jobs: the former name of worker.jobs, which queued rounds still carry
    "backend/xlt_backend": {"__init__", "cli", "errors", "jobs", "names", "options", "settings"},
}


@pytest.mark.parametrize("root", ROOTS)
def test_a_module_stands_in_a_folder_and_not_in_the_root(root):
    """A folder says what its modules are for; a root full of modules says nothing."""
    modules = {path.stem for path in (CLONE / root).glob("*.py")}

    assert modules == ROOTS[root]


@pytest.mark.parametrize(
    ("root", "package"), [("xlt", "xlt"), ("xlt_backend", "backend/xlt_backend")]
)
def test_the_folders_of_the_tests_are_those_of_the_code(root, package):
    """Whoever knows where a module is knows where its tests are."""
    tests = CLONE / "tests" / root
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}

    assert [str(folder) for folder in folders if not (CLONE / package / folder).is_dir()] == []


@pytest.mark.parametrize(("folder", "most"), [("xlt", 300), ("backend", 300), ("tests", 500)])
def test_no_file_is_longer_than_can_be_read_in_one_sitting(folder, most):
    """A module does one thing, and its tests one file: a longer one has to be split."""
    lengths = {
        str(path.relative_to(CLONE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (CLONE / folder).rglob("*.py")
    }

    assert {name: length for name, length in lengths.items() if length > most} == {}


def test_kinds_of_tasks_do_not_know_one_another():
    """A kind can be read, changed or taken out alone; what kinds share is beside their folders."""
    folders = [path.parent for path in (CLONE / "xlt" / "tasks").glob("*/kind.py")]

    assert len(folders) > 1
    for folder in folders:
        code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
        others = [other.name for other in folders if other != folder]
        assert [name for name in others if f"xlt.tasks.{name}" in code] == []
