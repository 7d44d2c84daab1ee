"""A real Label Studio for the whole session; each test makes projects of its own in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.builders import CHOICES
from tests.e2e import stack
from tests.e2e.stack import Service
from xlt_backend.demo.studio import LABEL_STUDIO_VERSION, LabelStudioServer, install
from xlt_backend.labelstudio.client import Client, ProjectInfo

CLONE = Path(__file__).parents[2]
VENV = CLONE / ".xlt" / "label-studio"
#: A data folder with the database made and an account in it: making one takes most of a minute.
TEMPLATE = CLONE / ".xlt" / f"label-studio-data-{LABEL_STUDIO_VERSION}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder, and begin with it: its files take longest."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
    items.sort(key=lambda item: here not in item.path.parents)


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
    # Test processes side by side share what is made once.
    VENV.parent.mkdir(exist_ok=True)
    with FileLock(VENV.with_suffix(".lock")):
        install(VENV)
        data_dir = fresh_data_dir(tmp_path_factory.mktemp("label-studio"))
    with LabelStudioServer(data_dir, venv=VENV) as server:
        yield server


@pytest.fixture(scope="session")
def client(label_studio: LabelStudioServer) -> Iterator[Client]:
    """A client of that Label Studio, with the token of its one account."""
    found = Client(label_studio.url, label_studio.account.token)
    yield found
    found.close()


#: Makes a project with this many tasks; further arguments go to `Client.create_project`.
MakeProject = Callable[..., ProjectInfo]


@pytest.fixture(scope="module")
def service(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """`xlt up` beside that Label Studio."""
    with stack.running(tmp_path_factory.mktemp("xlt"), label_studio) as running:
        yield running


@pytest.fixture(autouse=True)
def _deleted_projects(request: pytest.FixtureRequest) -> Iterator[None]:
    """Deletes the projects that a test made: services look at every project again and again."""
    if "client" not in request.fixturenames:
        yield
        return
    client: Client = request.getfixturevalue("client")
    before = {project.id for project in client.projects()}
    yield
    for project in client.projects():
        if project.id not in before:
            client.http.request("DELETE", f"/api/projects/{project.id}/")


@pytest.fixture
def make_project(client: Client, request: pytest.FixtureRequest) -> MakeProject:
    """Projects of one test's own."""
    numbers = count(1)

    def make(tasks: int = 0, label_config: str = CHOICES, **fields: Any) -> ProjectInfo:
        title = f"{request.node.name[:40]} {next(numbers)}"
        project = client.create_project(title, label_config, **fields)
        if tasks:
            keys = ("text", "left", "right")
            texts = [
                {key: f"{key.title()} number {n}." for key in keys} | {"lang": "en"}
                for n in range(tasks)
            ]
            client.import_tasks(project.id, texts)
        return client.project(project.id)

    return make


@pytest.fixture(scope="session")
def colleague(label_studio: LabelStudioServer) -> Iterator[Client]:
    """A client with the token of a second annotator."""
    found = Client(label_studio.url, label_studio.add_user("colleague@xlt.local").token)
    yield found
    found.close()
