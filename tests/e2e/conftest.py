"""A real Label Studio for the whole session; each test makes projects of its own in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlt_backend.labelstudio_server import LABEL_STUDIO_VERSION, LabelStudioServer, install

CLONE = Path(__file__).parents[2]
VENV = CLONE / ".xlt" / "label-studio"
#: A data folder with the database made and an account in it: making one takes most of a minute.
TEMPLATE = CLONE / ".xlt" / f"label-studio-data-{LABEL_STUDIO_VERSION}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder, and keep it in one process."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("label-studio"))


def fresh_data_dir(folder: Path) -> Path:
    """Fill `folder` with the data of a Label Studio that nobody has used yet."""
    if not TEMPLATE.exists():
        making = TEMPLATE.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        with LabelStudioServer(making, venv=VENV):
            pass
        making.rename(TEMPLATE)
    shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    """A running Label Studio with an empty database."""
    install(VENV)
    data_dir = fresh_data_dir(tmp_path_factory.mktemp("label-studio"))
    with LabelStudioServer(data_dir, venv=VENV) as server:
        yield server
