"""The tab of the Data Manager that shows in which order the tasks come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import Interface

#: The tab of the Data Manager that shows the order.
VIEW_TITLE = "Next to label"
#: Width of the columns with texts, in pixels.
_WIDTH = 640
_OPEN = {
    "filter": "filter:tasks:total_annotations",
    "operator": "equal",
    "type": "Number",
    "value": 0,
}


def ensure_view(client: Client, interface: Interface, project_id: int, lang: str | None) -> bool:
    """A tab of the Data Manager with the open tasks, the next first; whether it had to be made.

    It is for looking: “Label All Tasks” follows the order in every tab, and reserves tasks.
    """
    rows = client.http.request("GET", "/api/dm/views/", params={"project": project_id})
    if any(row.get("data", {}).get("title") == VIEW_TITLE for row in rows):
        return False
    texts = [f"tasks:data.{key}" for key in interface.text_keys]
    shown = {"tasks:id", "tasks:predictions_score", *texts, f"tasks:data.{lang}"}
    params = {"project": project_id}
    columns = client.http.request("GET", "/api/dm/columns/", params=params)["columns"]
    if not rows:
        # Label Studio makes its own first tab, with all tasks, only where there is none.
        _make_view(client, project_id, columns, title="Default", shown=None)
    _make_view(
        client,
        project_id,
        columns,
        title=VIEW_TITLE,
        shown=shown,
        columnsWidth=dict.fromkeys(texts, _WIDTH // len(texts)),
        ordering=["tasks:predictions_score"],
        filters={"conjunction": "and", "items": [_OPEN]},
    )
    return True


def list_tasks(client: Client, project_id: int, title: str, tasks: Sequence[int]) -> None:
    """A tab with these tasks and no others, the lowest score first; made where there is none."""
    params = {"project": project_id}
    rows = client.http.request("GET", "/api/dm/views/", params=params)
    there = next((row for row in rows if row.get("data", {}).get("title") == title), None)
    if there is None and not tasks:
        return
    of = {"filter": "filter:tasks:id", "operator": "equal", "type": "Number"}
    wanted = {
        "ordering": ["tasks:predictions_score"],
        "filters": {"conjunction": "or", "items": [{**of, "value": id} for id in tasks or (0,)]},
    }
    if there is None:
        columns = client.http.request("GET", "/api/dm/columns/", params=params)["columns"]
        _make_view(client, project_id, columns, title=title, shown=None, **wanted)
        return
    body = {"project": project_id, "data": {**there["data"], **wanted}}
    client.http.request("PATCH", f"/api/dm/views/{there['id']}/", json=body)


def _make_view(
    client: Client,
    project_id: int,
    columns: Sequence[Mapping[str, Any]],
    *,
    title: str,
    shown: Collection[str] | None,
    **more: Any,  # noqa: ANN401 - any JSON
) -> None:
    """A tab with these columns; None: those that Label Studio shows by itself."""

    def hidden(where: str) -> list[str]:
        found = []
        for column in columns:
            name = ("tasks:data." if column.get("parent") == "data" else "tasks:") + column["id"]
            usual = (column.get("visibility_defaults") or {}).get(where, True)
            if column["id"] != "data" and not (usual if shown is None else name in shown):
                found.append(name)
        return found

    data = {
        "title": title,
        "type": "list",
        "target": "tasks",
        "hiddenColumns": {where: hidden(where) for where in ("explore", "labeling")},
        "columnsWidth": {},
        "columnsDisplayType": {},
        "gridWidth": 4,
        **more,
    }
    client.http.request("POST", "/api/dm/views/", json={"project": project_id, "data": data})
