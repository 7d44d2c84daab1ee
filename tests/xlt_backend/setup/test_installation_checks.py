"""Checks of the installation: folders, workers, tables and events."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.stubserver import serving
from xlt.adapt.texts import read_translations
from xlt_backend.errors import UnreachableError
from xlt_backend.setup import installation_checks
from xlt_backend.setup.checks import Check, Status, guarded


def test_model_folder(tmp_path: Path) -> None:
    """The folder is made, tried and left as it was; a path that cannot be one is a failure."""
    folder = tmp_path / "new" / "models"
    assert installation_checks.check_model_folder(str(folder)).status is Status.OK
    assert list(folder.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    bad = installation_checks.check_model_folder(str(tmp_path / "file" / "models"))
    assert bad.status is Status.FAIL
    assert "XLT_MODEL_DIR" in bad.fix


@pytest.mark.parametrize("url", ["memory://models", "nonsense://bucket"])
def test_model_folder_elsewhere(url: str) -> None:
    """Any fsspec URL is tried in the same way; an unknown kind is named."""
    found = installation_checks.check_model_folder(url)
    assert found.status is (Status.OK if url.startswith("memory") else Status.FAIL)
    assert url in found.detail


def test_model_folder_in_storage_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The errors of the storage's client are a failure with its cause, on one line."""
    for name, value in (
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_CONFIG_FILE", str(tmp_path / "none")),
    ):
        monkeypatch.setenv(name, value)
    found = installation_checks.check_model_folder("s3://bucket/models")
    assert found.status is Status.FAIL
    assert "127.0.0.1:9" in found.detail
    assert "\n" not in found.detail


def test_workers() -> None:
    """Without a worker nothing is trained: a failure."""
    assert installation_checks.check_workers(lambda: 2).status is Status.OK
    assert installation_checks.check_workers(lambda: 0).status is Status.FAIL


def test_a_table_of_translations_is_read(tmp_path):
    """The check counts the rows, or tells the error of the table and its fix."""
    table = tmp_path / "translations.csv"

    def checked() -> Check:
        check = partial(
            installation_checks.check_table, "XLT_TRANSLATIONS", table, read_translations
        )
        return guarded("XLT_TRANSLATIONS", "name another table", check)

    missing = checked()
    assert (missing.status, missing.fix) == (Status.FAIL, "name another table")
    table.write_text("source,target,lang\nrain,ruwa,hau\ngoat,akuya,hau\n")
    assert checked().detail == f"2 translations in {table}"
    table.write_text("en,ha\nrain,ruwa\n")
    assert "must have columns source, target and lang" in checked().detail


def test_count_events() -> None:
    """Events of the kind are counted over all their outcomes."""
    text = (
        "# TYPE xlt_events_total counter\n"
        'xlt_events_total{action="PROJECT_UPDATED",outcome="ok"} 2\n'
        'xlt_events_total{action="PROJECT_UPDATED",outcome="ignored"} 1\n'
        'xlt_events_total{action="TASKS_CREATED",outcome="ok"} 5\n'
    )
    with serving(lambda r: (200, text) if "authorization" in r.headers else (401, "")) as stub:
        assert installation_checks.count_events(stub.url, "PROJECT_UPDATED", ("a", "b")) == 3
        assert installation_checks.count_events(stub.url, "NOTHING", ("a", "b")) == 0
        with pytest.raises(UnreachableError, match="401"):
            installation_checks.count_events(stub.url, "PROJECT_UPDATED", None)
