"""Files as labelling tools write them, from the answers of annotators."""

from __future__ import annotations

import csv
import json
from pathlib import Path


def result(labels, control="topic", **value):
    """A result with choices; a region's has a start."""
    kind = {"from_name": control, "to_name": "text", "type": "choices"}
    return {"id": "r", **kind, "value": {"choices": list(labels), **value}}


def annotation(number, labels, who=1, *, control="topic", **more):
    """An annotation; without labels its result is empty."""
    stamp = f"2026-11-01T10:00:{number % 60:02d}Z"
    given = {"id": number, "completed_by": who, "was_cancelled": False, "lead_time": 3.0}
    given |= {"ground_truth": False, "created_at": stamp, "updated_at": stamp}
    return given | {"result": [result(labels, control)] if labels else [], **more}


def rated(number, value, who=1, *, kind="rating", control="stars", **more):
    """An annotation with a rating, or with a number."""
    given = {"from_name": control, "to_name": "text", "type": kind, "value": {kind: value}}
    return annotation(number, [], who) | {"result": [{"id": "r", **given}], **more}


def task(number, *annotations, **data):
    """A task of Label Studio's JSON export."""
    filled = {"text": f"text number {number}", "lang": "en", **data}
    extra = {"drafts": [], "predictions": [], "meta": {}}
    return {"id": number, "data": filled, "annotations": list(annotations), **extra}


def json_file(folder: Path, value, name: str = "export.json") -> Path:
    """A file with the value as JSON."""
    path = folder / name
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def lines_file(folder: Path, rows, name: str = "export.jsonl") -> Path:
    """A file with one row per line."""
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def min_rows(tasks, control="topic"):
    """The rows of JSON_MIN: one per annotation that was not skipped, labels as Label Studio has."""
    rows = []
    for one in tasks:
        for given in one["annotations"]:
            if given["was_cancelled"]:
                continue
            row = {**one["data"], "id": one["id"], "annotator": given["completed_by"]}
            row |= {"annotation_id": given["id"], "lead_time": 3.0}
            row |= {key: given[key] for key in ("created_at", "updated_at")}
            labels = [label for part in given["result"] for label in part["value"]["choices"]]
            if labels:
                row[control] = labels[0] if len(labels) == 1 else {"choices": labels}
            rows.append(row)
    return rows


def csv_file(folder: Path, tasks, kind: str = ".csv") -> Path:
    """The same rows as CSV or TSV; several labels are JSON text."""
    rows = [
        {
            key: json.dumps(cell) if isinstance(cell, dict | list) else cell
            for key, cell in row.items()
        }
        for row in min_rows(tasks)
    ]
    path = folder / f"export{kind}"
    with open(path, "w", encoding="utf-8", newline="") as file:
        names = sorted({name for row in rows for name in row})
        writer = csv.DictWriter(file, names, delimiter="\t" if kind == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path
