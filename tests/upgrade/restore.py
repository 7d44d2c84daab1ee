"""Restores a Redis and a fake Label Studio from JSON files."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis import Redis

from tests.fakes import FakeLabelStudio
from xlt_backend.labelstudio.convert import PublishRow


def read_keys(path: Path) -> dict[str, dict[str, Any]]:
    """Reads a dump of Redis: key -> its `type`, `value` and `ttl_ms` (None: it stays)."""
    return {row["key"]: row for row in json.loads(path.read_text("utf-8"))}


def restore_redis(redis: Redis, path: Path) -> None:
    """Writes the keys of a dump, apart from the lease of its worker, which is gone."""
    for key, row in read_keys(path).items():
        value, kind = row["value"], row["type"]
        if key.startswith("xlt:lease:"):
            continue
        if kind == "string":
            redis.set(key, as_bytes(value))
        elif kind == "hash":
            redis.hset(key, mapping={name: as_bytes(item) for name, item in value.items()})
        elif kind == "list":
            redis.rpush(key, *map(as_bytes, value))
        elif kind == "set":
            redis.sadd(key, *map(as_bytes, value))
        else:
            redis.zadd(key, {as_bytes(item): score for item, score in value})
        if row["ttl_ms"] is not None:
            redis.pexpire(key, row["ttl_ms"])


def as_bytes(value: Any) -> bytes:
    """Bytes of a dump's text, or of its base64 for what is no text."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def restore_label_studio(fake: FakeLabelStudio, path: Path) -> float:
    """Fills a fake Label Studio; returns the time at which the file was made."""
    value = json.loads(path.read_text("utf-8"))
    fake.info = replace(fake.info, **value["info"])
    fake.extra_params = value["extra_params"]
    fake.tabs = value["tabs"]
    fake.stored = {task["id"]: task for task in value["tasks"]}
    fake.predictions = {
        version: {n: PublishRow(task_id=n, score=score, result=result) for n, score, result in rows}
        for version, rows in value["predictions"].items()
    }
    fake._revision = value["revision"]
    return float(value["time"])
