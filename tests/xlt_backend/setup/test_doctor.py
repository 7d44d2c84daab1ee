"""`xlt doctor`: its output, and its checks on a bare machine."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from xlt_backend.demo.studio import free_port
from xlt_backend.settings import Settings
from xlt_backend.setup.checks import Status, fail, ok, warn
from xlt_backend.setup.doctor import diagnose, show


def test_output() -> None:
    """One line per check with a mark, the fix below a fault, a count at the end."""
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
    """On a bare machine each missing part is one failure with its fix, and nothing hangs."""
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
        assert found[name].fix
    assert words in found["token"].detail
    assert "Personal Access Token" not in found["token"].detail
    assert "Personal Access Token" in found["token"].fix
