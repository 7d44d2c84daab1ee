"""What `xlt doctor` says of each fault, and how it is printed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from tests.builders import CHOICES
from tests.stubserver import serving
from xlt.adapt.data import read_translations
from xlt.errors import EncoderError
from xlt_backend.demo.studio import free_port
from xlt_backend.errors import RedisDownError, UnreachableError
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, ProjectInfo
from xlt_backend.settings import Settings
from xlt_backend.setup import installation_checks, label_studio_checks
from xlt_backend.setup.checks import Check, Status, fail, guarded, ok, warn
from xlt_backend.setup.doctor import diagnose, show


def project(**fields: object) -> ProjectInfo:
    """A project as it should be."""
    facts = {
        "id": 3,
        "created_at": "2026-11-22T08:40:02Z",
        "title": "Topics",
        "label_config": CHOICES,
        "model_version": "v2",
        "sampling": UNCERTAINTY_SAMPLING,
        "task_number": 3,
        "maximum_annotations": 1,
    }
    return ProjectInfo.from_json(facts | fields)


class Scores:
    """Predictions that Label Studio has."""

    def __init__(self, scores: Mapping[int, float], versions: Mapping[str, int]) -> None:
        self._scores = scores
        self._versions = versions

    def versions(self, project_id: int) -> Mapping[str, int]:
        """All versions."""
        return self._versions

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Those of the project's version."""
        return self._scores


GOOD = Scores({1: 0.2, 2: 0.5, 3: 0.8}, {"v1": 3, "v2": 3})


# Our own side -------------------------------------------------------------------------------


def test_model_folder(tmp_path: Path) -> None:
    """The folder is made, tried and left as it was; a path that cannot be one is a failure."""
    folder = tmp_path / "new" / "models"
    assert installation_checks.check_model_folder(str(folder)).status is Status.OK
    assert list(folder.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    bad = installation_checks.check_model_folder(str(tmp_path / "file" / "models"))
    assert bad.status is Status.FAIL
    assert "XLT_MODEL_DIR" in bad.mend


@pytest.mark.parametrize("url", ["memory://models", "nonsense://bucket"])
def test_model_folder_elsewhere(url: str) -> None:
    """Any fsspec URL is tried in the same way; an unknown kind is named."""
    found = installation_checks.check_model_folder(url)
    assert found.status is (Status.OK if url.startswith("memory") else Status.FAIL)
    assert url in found.detail


def test_workers() -> None:
    """No worker is a failure: nobody would train."""
    assert installation_checks.check_workers(lambda: 2).status is Status.OK
    assert installation_checks.check_workers(lambda: 0).status is Status.FAIL


def test_a_table_of_translations_is_read(tmp_path):
    """How many there are; or what is wrong with the table, and how to mend it."""
    table = tmp_path / "translations.csv"

    def checked() -> Check:
        check = partial(
            installation_checks.check_table, "XLT_TRANSLATIONS", table, read_translations
        )
        return guarded("XLT_TRANSLATIONS", "name another table", check)

    missing = checked()
    assert (missing.status, missing.mend) == (Status.FAIL, "name another table")
    table.write_text("source,target,lang\nrain,ruwa,hau\ngoat,akuya,hau\n")
    assert checked().detail == f"2 translations in {table}"
    table.write_text("en,ha\nrain,ruwa\n")
    assert "must have columns source, target and lang" in checked().detail


def test_errors_of_ours_are_failures() -> None:
    """A check that raises one of our errors fails with its words; a bug is not hidden."""

    def down() -> None:
        raise RedisDownError("no Redis at all")

    found = guarded("Redis", "start it", lambda: installation_checks.check_redis(down, "here"))
    assert found == fail("Redis", "no Redis at all", "start it")

    def load(name: str) -> None:
        raise EncoderError(f"no encoder {name!r}")

    def again() -> Check:
        raise RedisDownError("no Redis: start it")

    assert guarded("Redis", "start it", again).detail == "no Redis"

    found = guarded("encoder", "set it", lambda: installation_checks.check_encoder("x/y", load))
    assert found.detail == "no encoder 'x/y'"

    def bug() -> Check:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        guarded("x", "y", bug)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"status": "UP"}, Status.OK),
        (200, {"hello": "world"}, Status.FAIL),
        (200, "<html>", Status.FAIL),
        (502, {"status": "UP"}, Status.FAIL),
    ],
    ids=["ours", "another", "a page", "a proxy"],
)
def test_health(status: int, body: object, expected: Status) -> None:
    """Only our own answer counts as our server."""
    with serving(lambda _: (status, body)) as stub:
        assert label_studio_checks.check_health(stub.url).status is expected


def test_health_of_nobody() -> None:
    """Nobody there is a failure with what to start."""
    found = label_studio_checks.check_health(f"http://localhost:{free_port()}")
    assert found.status is Status.FAIL
    assert "xlt up" in found.mend


def test_events_heard() -> None:
    """Events of the kind are counted over all their outcomes."""
    text = (
        "# TYPE xlt_events_total counter\n"
        'xlt_events_total{action="PROJECT_UPDATED",outcome="ok"} 2\n'
        'xlt_events_total{action="PROJECT_UPDATED",outcome="ignored"} 1\n'
        'xlt_events_total{action="TASKS_CREATED",outcome="ok"} 5\n'
    )
    with serving(lambda r: (200, text) if "authorization" in r.headers else (401, "")) as stub:
        assert installation_checks.events_heard(stub.url, "PROJECT_UPDATED", ("a", "b")) == 3
        assert installation_checks.events_heard(stub.url, "NOTHING", ("a", "b")) == 0
        with pytest.raises(UnreachableError, match="401"):
            installation_checks.events_heard(stub.url, "PROJECT_UPDATED", None)


# A project ----------------------------------------------------------------------------------


def test_interface() -> None:
    """What is learned is told; what cannot be learned is a failure."""
    good = label_studio_checks.check_interface(project())
    assert (good.status, "health, sport, travel" in good.detail) == (Status.OK, True)
    assert label_studio_checks.check_interface(project(label_config="<View/>")).mend


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.OK),
        ({"sampling": "Sequential sampling"}, Status.FAIL),
        ({"maximum_annotations": 2}, Status.WARN),
    ],
    ids=["ours", "another", "overlap"],
)
def test_sampling(fields: dict[str, object], status: Status) -> None:
    """Another order is a failure; overlap, which mixes in another, a warning."""
    assert label_studio_checks.check_sampling(project(**fields)).status is status


@pytest.mark.parametrize(
    ("shown", "versions", "status"),
    [
        ("v2", {"v2": 3}, Status.OK),
        ("xlt", {}, Status.WARN),
        ("xlt", {"v2": 3}, Status.FAIL),
        ("", {"v2": 3}, Status.FAIL),
    ],
    ids=["matches", "nothing yet", "title", "empty"],
)
def test_model_version(shown: str, versions: dict[str, int], status: Status) -> None:
    """A model version without predictions means random order."""
    found = label_studio_checks.check_model_version(
        project(model_version=shown), Scores({}, versions)
    )
    assert found.status is status


def test_order() -> None:
    """Ties are told; the next task must be one that has a place."""
    check = label_studio_checks.check_order
    assert check(project(), GOOD).status is Status.OK
    assert check(project(model_version="v3"), GOOD).status is Status.WARN
    assert check(project(), Scores({1: 0.5, 2: 0.5}, {"v2": 2})).status is Status.WARN
    assert check(project(), GOOD, lambda _: {"id": 1}).status is Status.OK
    assert check(project(), GOOD, lambda _: {"id": 9}).status is Status.FAIL
    assert check(project(), GOOD, lambda _: None).status is Status.OK


# The command --------------------------------------------------------------------------------


def test_output() -> None:
    """One line per check with a mark, the mend below a fault, a count at the end."""
    found = [
        ("this installation", ok("Redis", "answers")),
        ("this installation", warn("model", "an old one", "a newer one")),
        ("Label Studio", fail("token", "wrong", "make another")),
    ]
    out = io.StringIO()
    assert show(found, Console(file=out, width=200, color_system=None)) == found
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines == [
        "this installation",
        "✓ Redis answers",
        "! model an old one",
        "→ a newer one",
        "Label Studio",
        "✗ token wrong",
        "→ make another",
        "1 ok, 1 warn, 1 fail",
    ]


@pytest.mark.parametrize(
    ("token", "words"), [(None, "no Label Studio token"), ("ab" * 20, "legacy token")]
)
def test_without_anything(tmp_path: Path, token: str | None, words: str) -> None:
    """On a bare machine each missing part is one failure with its mend, and nothing hangs."""
    settings = Settings(
        home=tmp_path,
        public_url=f"http://localhost:{free_port()}",
        encoder=str(tmp_path / "no-encoder"),
        label_studio_token=token,
    )
    found = {check.name: check for _, check in diagnose(settings)}
    assert found["model folder"].status is Status.OK
    for name in ("Redis", "xlt server", "encoder", "token"):
        assert found[name].status is Status.FAIL
        assert found[name].mend
    assert words in found["token"].detail
    assert "Personal Access Token" not in found["token"].detail
    assert "Personal Access Token" in found["token"].mend
