"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from redis import Redis

# No test may reach a hub: what is not on this disk is not there.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tiny tensors lose by being split over threads, all the more where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# How long an example takes says how busy the machine is, not whether a rule holds.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture
def rng() -> np.random.Generator:
    """A fresh generator with the suite's one seed."""
    return np.random.default_rng(13)


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders run in float32 by torch on every processor, as they did when results were recorded.

    Eight bits round a little otherwise from processor to processor.
    """
    from xlt.errors import EncoderError

    def not_exported(*_: object) -> None:
        raise EncoderError("nothing is exported in this test")

    monkeypatch.setattr("xlt.encoder.encoder.fast_bf16", lambda device: False)
    monkeypatch.setattr("xlt.encoder.export.export", not_exported)


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a real Redis that lives as long as the session."""
    from xlt_backend.queue.connection import embedded, socket_path

    home = tmp_path_factory.mktemp("redis-home")
    with embedded(home):
        yield str(socket_path(home))


@pytest.fixture
def redis(redis_socket: str) -> Iterator[Redis]:
    """A client of that Redis, which is empty before and after."""
    from redis import Redis

    with Redis(unix_socket_path=redis_socket) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random BERT of two layers, with an MLM head."""
    from tests.builders import save_tiny_encoder

    return save_tiny_encoder(tmp_path_factory.mktemp("tiny") / "bert")


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[Mapping[str, str]]:
    """A real S3 server that lives as long as the session."""
    from tests.s3 import s3_server

    with s3_server() as environment:
        yield environment


@pytest.fixture
def s3_url(s3_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder of that server, which the environment leads to."""
    from tests.s3 import BUCKET

    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"
