"""Small objects that tests build again and again."""

from __future__ import annotations

from typing import Any

# Label Studio -------------------------------------------------------------------------------

#: An interface with one choice per text.
CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text">'
    '<Choice value="health"/><Choice value="sport"/><Choice value="travel"/></Choices></View>'
)


def region(label: object, *, control: str = "label") -> dict[str, Any]:
    """A choice as Label Studio stores it."""
    return {
        "from_name": control,
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [label]},
    }


def annotation(label: object = None, *, by: int = 1, **fields: Any) -> dict[str, Any]:
    """One annotation of a task, as exported; without a label its result is empty."""
    return {
        "id": fields.pop("id", 1),
        "completed_by": by,
        "result": [] if label is None else [region(label)],
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 3.2,
        "parent_prediction": None,
        "created_at": "2026-11-22T08:00:00.000000Z",
        "updated_at": "2026-11-22T08:00:00.000000Z",
        **fields,
    }


def task(*annotations: dict[str, Any], id: int = 7, **data: Any) -> dict[str, Any]:
    """One task as exported."""
    return {
        "id": id,
        "data": {"text": "A long walk.", "lang": "en"} | data,
        "annotations": list(annotations),
        "is_labeled": bool(annotations),
    }
