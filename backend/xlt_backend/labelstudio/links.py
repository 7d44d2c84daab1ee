"""What ties a project of Label Studio to xlt: one model, one webhook; made or mended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlt_backend.errors import ForbiddenError, LabelStudioError, RejectedError
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.http import HOW_TO_SSRF
from xlt_backend.labelstudio.wire import SECRET_HEADER, WEBHOOK_ACTIONS
from xlt_backend.options import ProjectOptions

#: What the model is called in Label Studio.
BACKEND_TITLE = "xlt"

# Label Studio asks our /health (1 s) and /setup (3 s) twice when a model is saved, with retries.
_SAVE_S = 60.0

Json = dict[str, Any]


# The webhook --------------------------------------------------------------------------------


def ensure_webhook(
    client: Client, project_id: int, url: str, secret: str, done: list[str] | None = None
) -> int:
    """Exactly one webhook of the project to `url`, with our secret, for what concerns us.

    Label Studio's own is adopted, what is too many is removed.

    Returns:
        Its id.
    """
    done = [] if done is None else done
    ours = [row for row in webhooks(client, project_id) if same_address(row.get("url"), url)]
    wanted = wanted_webhook(project_id, url, secret)
    if not ours:
        made = _save(client, "POST", "/api/webhooks/", wanted)
        done.append("made the webhook, with its secret")
        return int(made["id"])
    first, *others = ours
    if differs(first, wanted):
        # Without `actions` in the body Label Studio would empty them.
        _save(client, "PATCH", f"/api/webhooks/{first['id']}/", wanted)
        done.append("mended the webhook")
    for row in others:
        client.http.request("DELETE", f"/api/webhooks/{row['id']}/")
        done.append("removed a second webhook")
    return int(first["id"])


def webhooks(client: Client, project_id: int) -> list[Json]:
    """All webhooks of the project, the oldest first."""
    rows = client.http.request("GET", "/api/webhooks/", params={"project": project_id})
    return sorted((r for r in rows if r.get("project") == project_id), key=lambda r: int(r["id"]))


def backends(client: Client, project_id: int) -> list[Json]:
    """All models of the project, the oldest first, as Label Studio shows them."""
    rows = client.http.request("GET", "/api/ml/", params={"project": project_id})
    return sorted(rows, key=lambda row: int(row["id"]))


def same_address(one: object, other: str) -> bool:
    """Whether two URLs differ at most in a slash at the end."""
    return str(one or "").rstrip("/") == other.rstrip("/")


def differs(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether something in the row is not as wanted (the order of actions does not count)."""
    for key, value in wanted.items():
        has = row.get(key)
        if key == "actions":
            has, value = sorted(has or ()), sorted(value)
        if has != value:
            return True
    return False


def wanted_webhook(project_id: int, url: str, secret: str) -> Json:
    """The one webhook that we want, as Label Studio's API describes it."""
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


def ensure_backend(
    client: Client,
    project_id: int,
    url: str,
    *,
    basic_auth: tuple[str, str] | None = None,
    options: ProjectOptions | None = None,
    done: list[str] | None = None,
) -> int:
    """Exactly one model of the project at `url`, reachable for Label Studio.

    Returns:
        Its id.

    Raises:
        LabelStudioError: If Label Studio cannot reach us, or may not; says what to do about it.
    """
    done = [] if done is None else done
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
        made = _save(client, "POST", "/api/ml/", {**wanted, "title": BACKEND_TITLE})
        done.append(f"made xlt ({url}) the project's model")
        return int(made["id"])
    first, *others = ours
    # Always, because the password cannot be read back; Label Studio then also looks whether we
    # answer. Without url and project it fails (1.23).
    _save(client, "PATCH", f"/api/ml/{first['id']}", wanted)
    for row in others:
        client.http.request("DELETE", f"/api/ml/{row['id']}")
        done.append("removed a second model with the same address")
    return int(first["id"])


def _save(client: Client, method: str, path: str, body: Json) -> Json:
    url = body["url"]
    try:
        saved: Json = client.http.request(method, path, json=body, timeout_s=_SAVE_S, repeat=False)
    except (ForbiddenError, RejectedError) as error:
        raise _explained(error, url) from error
    return saved


def _explained(error: LabelStudioError, url: str) -> LabelStudioError:
    """The same kind of error, with what to do about it."""
    text = str(error)
    if isinstance(error, ForbiddenError):
        return ForbiddenError(
            f"Label Studio may not call {url}, because it is a private address: {HOW_TO_SSRF}. "
            f"({text})"
        )
    if "authentication parameters" in text or "401 Client Error" in text:
        return RejectedError(
            f"Label Studio reaches {url}, but user or password are wrong: XLT_BASIC_AUTH_USER and "
            f"XLT_BASIC_AUTH_PASS must be the same here and in the server. ({text})"
        )
    if "health check failed" in text or "doesn't look like" in text:
        return RejectedError(
            f"Label Studio cannot use {url}: is `xlt up` (or `xlt serve`) running, and is this our "
            f"address as seen from Label Studio? Set XLT_PUBLIC_URL otherwise. ({text})"
        )
    return type(error)(text)
