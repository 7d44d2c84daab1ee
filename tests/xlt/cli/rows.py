"""Files of rows, and the JSON lines that commands answer."""

from __future__ import annotations

import json
from pathlib import Path

ROWS = [
    {"id": f"{lang}{i}", "lang": lang, "text": f"{words} {'abcdefghij'[i % 10]}", "label": label}
    for lang in ("en", "ha")
    for i in range(20)
    for words, label in [("the cat sat", "animal") if i % 2 else ("red house", "place")]
]


def table(folder: Path, rows, name: str = "data.jsonl") -> str:
    """A file with the rows."""
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def without_labels(rows):
    """The same rows, unlabelled."""
    return [{key: value for key, value in row.items() if key != "label"} for row in rows]


def lines(text: str) -> list[dict]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]
