"""Fixtures of the tests of the store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

import pytest

from tests.s3 import BUCKET, s3_server


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[Mapping[str, str]]:
    """A real S3 server that lives as long as the session."""
    with s3_server() as environment:
        yield environment


@pytest.fixture
def s3_url(s3_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder of that server, which the environment leads to."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"
