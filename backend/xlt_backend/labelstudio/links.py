"""Connection of a Label Studio project to xlt: one model and one webhook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlt_backend.errors import ForbiddenError, LabelStudioError, RejectedError
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.http import HOW_TO_SSRF
from xlt_backend.labelstudio.wire import SECRET_HEADER, WEBHOOK_ACTIONS
from xlt_backend.options import ProjectOptions

#: Title of the model in Label Studio.
BACKEND_TITLE = "xlt"

# Label Studio calls our /health (1 s) and /setup (3 s) twice when it saves a model, with retries.
_SAVE_S = 60.0

Json = dict[str, Any]


# The webhook --------------------------------------------------------------------------------


def ensure_webhook(
    client: Client, project_id: int, url: str, secret: str, changes: list[str] | None = None
) -> int:
    """Makes sure that the project has exactly one webhook to `url`, with our secret and events.

    It changes a webhook that Label Studio made, and deletes further ones to the same address.

    Args:
        client: Label Studio.
        project_id: Label Studio's id of the project.
        url: Address of our route /webhook.
        secret: Shared secret of the webhooks.
        changes: List to which it adds a message about each change.

    Returns:
        Label Studio's id of the webhook.
    """
    changes = [] if changes is None else changes
    ours = [row for row in webhooks(client, project_id) if same_address(row.get("url"), url)]
    wanted = wanted_webhook(project_id, url, secret)
    if not ours:
        created = _save(client, "POST", "/api/webhooks/", wanted)
        changes.append("created the webhook, with its secret")
        return int(created["id"])
    first, *others = ours
    if differs(first, wanted):
        # The body includes `actions`: without them Label Studio would clear the list.
        _save(client, "PATCH", f"/api/webhooks/{first['id']}/", wanted)
        changes.append("corrected the webhook")
    for row in others:
        client.http.request("DELETE", f"/api/webhooks/{row['id']}/")
        changes.append("removed a second webhook")
    return int(first["id"])


def webhooks(client: Client, project_id: int) -> list[Json]:
    """Returns all webhooks of the project, oldest first."""
    rows = client.http.request("GET", "/api/webhooks/", params={"project": project_id})
    return sorted((r for r in rows if r.get("project") == project_id), key=lambda r: int(r["id"]))


def backends(client: Client, project_id: int) -> list[Json]:
    """Returns all models of the project in Label Studio's JSON, oldest first."""
    rows = client.http.request("GET", "/api/ml/", params={"project": project_id})
    return sorted(rows, key=lambda row: int(row["id"]))


def same_address(one: object, other: str) -> bool:
    """Returns whether two URLs are equal apart from a slash at the end."""
    return str(one or "").rstrip("/") == other.rstrip("/")


def differs(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Returns whether a value differs from the wanted one; the order of actions is irrelevant."""
    for key, value in wanted.items():
        actual = row.get(key)
        if key == "actions":
            actual, value = sorted(actual or ()), sorted(value)
        if actual != value:
            return True
    return False


def wanted_webhook(project_id: int, url: str, secret: str) -> Json:
    """Returns the webhook that a project needs, in Label Studio's JSON."""
    return {
        "url": url,
        "project": project_id,
        "send_payload": True,
        "send_for_all_actions": False,
        "is_active": True,
        "headers": {SECRET_HEADER: secret},
        "actions": list(WEBHOOK_ACTIONS),
    }


# The model ----------------------------------------------------------------------------------


def stored_options(client: Client, project_id: int, url: str) -> ProjectOptions:
    """Returns the options that Label Studio keeps with our model; the defaults without a model.

    Raises:
        ConfigError: If they cannot be used.
    """
    ours = [r for r in backends(client, project_id) if same_address(r.get("url"), url)]
    return ProjectOptions.from_extra_params(ours[0].get("extra_params") if ours else None)


def ensure_backend(
    client: Client,
    project_id: int,
    url: str,
    *,
    basic_auth: tuple[str, str] | None = None,
    options: ProjectOptions | None = None,
    changes: list[str] | None = None,
) -> int:
    """Makes sure that the project has exactly one model at `url`, which Label Studio reaches.

    Args:
        client: Label Studio.
        project_id: Label Studio's id of the project.
        url: Our address.
        basic_auth: User and password of our routes; None if they are open.
        options: Options to store with the model; None keeps the stored ones.
        changes: List to which it adds a message about each change.

    Returns:
        Label Studio's id of the model.

    Raises:
        LabelStudioError: If Label Studio cannot or may not reach us; the message says what to do.
    """
    changes = [] if changes is None else changes
    ours = [row for row in backends(client, project_id) if same_address(row.get("url"), url)]
    wanted: Json = {"url": url, "project": project_id, "is_interactive": True}
    if basic_auth:
        user, password = basic_auth
        wanted |= {"auth_method": "BASIC_AUTH", "basic_auth_user": user}
        wanted |= {"basic_auth_pass": password}
    else:
        wanted |= {"auth_method": "NONE"}
    if options is not None:
        wanted["extra_params"] = options.model_dump(mode="json", exclude_defaults=True)
    if not ours:
        created = _save(client, "POST", "/api/ml/", {**wanted, "title": BACKEND_TITLE})
        changes.append(f"made xlt ({url}) the project's model")
        return int(created["id"])
    first, *others = ours
    # Always saved, since the password cannot be read back. Label Studio also checks that we answer.
    # Without url and project in the body it fails (1.23).
    _save(client, "PATCH", f"/api/ml/{first['id']}", wanted)
    for row in others:
        client.http.request("DELETE", f"/api/ml/{row['id']}")
        changes.append("removed a second model with the same address")
    return int(first["id"])


def _save(client: Client, method: str, path: str, body: Json) -> Json:
    url = body["url"]
    try:
        saved: Json = client.http.request(method, path, json=body, timeout_s=_SAVE_S, repeat=False)
    except (ForbiddenError, RejectedError) as error:
        raise _explained(error, url) from error
    return saved


def _explained(error: LabelStudioError, url: str) -> LabelStudioError:
    """Returns an error of the same class whose message says what to do."""
    text = str(error)
    if isinstance(error, ForbiddenError):
        return ForbiddenError(
            f"Label Studio may not call {url}, which is a private address: {HOW_TO_SSRF}. ({text})"
        )
    if "authentication parameters" in text or "401 Client Error" in text:
        return RejectedError(
            f"Label Studio reaches {url}, but user or password are wrong: set XLT_BASIC_AUTH_USER "
            f"and XLT_BASIC_AUTH_PASS to the same values here and for the server. ({text})"
        )
    if "health check failed" in text or "doesn't look like" in text:
        return RejectedError(
            f"Label Studio gets no answer of xlt from {url}: start `xlt up` or `xlt serve`, or set "
            f"XLT_PUBLIC_URL to our address as seen from Label Studio. ({text})"
        )
    return type(error)(text)
