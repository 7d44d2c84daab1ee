"""Checks of Label Studio and of what ties a project to xlt."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from xlt.errors import XltError
from xlt_backend.errors import ForbiddenError, LabelStudioError
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, Client, ProjectInfo
from xlt_backend.labelstudio.http import HOW_TO_SSRF
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.links import (
    backends,
    differs,
    ensure_backend,
    same_address,
    wanted_webhook,
    webhooks,
)
from xlt_backend.options import ProjectOptions
from xlt_backend.setup.checks import Check, fail, ok, warn

#: Older ones do not have the API that we use.
OLDEST = (1, 20)
#: What the end-to-end tests run on.
TESTED = (1, 23)

#: States of a model in Label Studio: connected, predicting, training.
_REACHED = ("CO", "PR", "TR")


class ScoreSource(Protocol):
    """What the check of the order needs."""

    def versions(self, project_id: int) -> Mapping[str, int]:
        """Version of predictions -> number."""

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Task id -> score."""


def check_version(client: Client) -> Check:
    """Label Studio answers, and is one that we know."""
    name = "Label Studio"
    release = client.version()
    numbers = tuple(int(part) for part in release.split(".")[:2] if part.isdigit())
    if len(numbers) < 2 or numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return fail(name, f"version {release} at {client.url}", f"use {oldest} or later")
    if numbers > TESTED:
        tested = ".".join(map(str, TESTED))
        detail = f"version {release} at {client.url}: newer than the {tested} xlt is tested with"
        return warn(name, detail, "watch the checks below; look for a newer xlt")
    return ok(name, f"version {release} at {client.url}")


def check_token(client: Client) -> Check:
    """The token is accepted, and is a personal one (others are refused by the client)."""
    who = client.http.request("GET", "/api/current-user/whoami")
    return ok("token", f"personal access token of {who.get('email')}")


def check_health(url: str) -> Check:
    """Our own web server answers at its public address."""
    name = "xlt server"
    mend = "start it with `xlt up`; set XLT_PUBLIC_URL if this is not its address"
    try:
        answer = httpx.get(f"{url}/health", timeout=3.0)
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return fail(name, f"no answer at {url}/health ({error or type(error).__name__})", mend)
    if answer.status_code != 200 or not isinstance(body, dict) or body.get("status") != "UP":
        return fail(name, f"{url}/health is not xlt: {answer.status_code}", mend)
    return ok(name, f"answers at {url}")


# One project --------------------------------------------------------------------------------


def check_interface(project: ProjectInfo) -> Check:
    """There is something to learn in the labelling interface."""
    name = "interface"
    try:
        found = Interface.from_label_config(project.label_config)
    except XltError as error:
        return fail(name, str(error), "change the labelling interface (see label_config/)")
    detail = f"learns {found.control!r}: {', '.join(found.labels)}; text from ${found.text_key}"
    return ok(name, "; ".join([detail, *found.notes]))


def check_backend(
    client: Client, project: ProjectInfo, url: str, basic_auth: tuple[str, str] | None = None
) -> Check:
    """The project has us as its model, once, and Label Studio reaches us."""
    name, connect = "model", f"xlt connect --project {project.id}"
    rows = backends(client, project.id)
    ours = [row for row in rows if same_address(row.get("url"), url)]
    if not ours:
        others = ", ".join(str(row.get("url")) for row in rows) or "none"
        return fail(name, f"{url} is not the project's model (it has: {others})", connect)
    first = ours[0]
    if first.get("state") not in _REACHED:
        return _unreached(client, project, url, basic_auth)
    try:
        ProjectOptions.from_extra_params(first.get("extra_params"))
    except XltError as error:
        return fail(name, str(error), "correct them with `xlt connect --option NAME=VALUE`")
    if len(ours) > 1 or rows[0]["id"] != first["id"]:
        return warn(name, f"{len(rows)} models; Label Studio asks the first only", connect)
    return ok(name, f"Label Studio reaches {url}")


def _unreached(
    client: Client, project: ProjectInfo, url: str, basic_auth: tuple[str, str] | None
) -> Check:
    """Saves the model as it is, because only then Label Studio says why it cannot reach it."""
    name = "model"
    try:
        ensure_backend(client, project.id, url, basic_auth=basic_auth)
    except ForbiddenError:
        detail = f"Label Studio may not call {url}, because it is a private address"
        return fail(name, detail, HOW_TO_SSRF)
    except LabelStudioError as error:
        mend = "start `xlt up`; XLT_PUBLIC_URL must be our address as seen from Label Studio"
        return fail(name, str(error), mend)
    return ok(name, f"Label Studio did not reach {url} before, and does so now")


def check_webhook(client: Client, project: ProjectInfo, url: str, secret: str) -> Check:
    """Exactly one webhook tells us of labels, with our secret."""
    name, connect = "webhook", f"xlt connect --project {project.id}"
    hook = f"{url}/webhook"
    rows = webhooks(client, project.id)
    ours = [row for row in rows if same_address(row.get("url"), hook)]
    if not ours:
        return fail(name, f"none to {hook}: xlt hears of no label", connect)
    if len(ours) > 1:
        return fail(name, f"{len(ours)} to {hook}: each event comes several times", connect)
    wanted = wanted_webhook(project.id, hook, secret)
    odd = [key for key, value in wanted.items() if differs(ours[0], {key: value})]
    if odd:
        return fail(name, f"not as it should be ({', '.join(odd)})", connect)
    orphans = [str(row["url"]) for row in rows if str(row["url"]).endswith("/webhook")]
    orphans.remove(str(ours[0]["url"]))
    if orphans:
        mend = "Label Studio keeps those of removed models: delete them in Settings > Webhooks"
        return warn(name, f"others too: {', '.join(orphans)}", mend)
    return ok(name, "one, with the secret, for labels, tasks and the interface")


def check_round_trip(
    client: Client,
    project: ProjectInfo,
    heard: Callable[[], float],
    *,
    wait_s: float = 5.0,
) -> Check:
    """An event that Label Studio sends arrives here.

    Args:
        client: Label Studio.
        project: Its title is set to what it is, which makes a PROJECT_UPDATED event.
        heard: How many such events our server has accepted so far.
        wait_s: How long to wait for it.
    """
    name = "round trip"
    before, begun = heard(), time.monotonic()
    client.update_project(project.id, title=project.title)
    while time.monotonic() - begun < wait_s:
        if heard() > before:
            return ok(name, f"an event arrived after {time.monotonic() - begun:.1f} s")
        time.sleep(0.1)
    detail = f"an event of Label Studio did not arrive within {wait_s:.0f} s"
    mend = (
        "Label Studio waits 1 s for our answer and never repeats: set WEBHOOK_TIMEOUT=5 there; "
        f"or its SSRF protection keeps webhooks back: {HOW_TO_SSRF}"
    )
    return fail(name, detail, mend)


def check_sampling(project: ProjectInfo) -> Check:
    """Tasks are served by their predictions' scores."""
    name = "sampling"
    if project.sampling != UNCERTAINTY_SAMPLING:
        detail = f"{project.sampling!r}: tasks are not served in our order"
        return fail(name, detail, f"xlt connect --project {project.id}")
    if project.maximum_annotations > 1:
        detail = f"{project.maximum_annotations} annotators per task: tasks begun come first"
        return warn(name, detail, "our order counts fully where one annotator per task is enough")
    return ok(name, project.sampling)


def check_model_version(project: ProjectInfo, source: ScoreSource) -> Check:
    """The project shows a version whose predictions are there."""
    name = "model version"
    stored, shown = source.versions(project.id), project.model_version
    if stored.get(shown):
        return ok(name, f"{shown}, {stored[shown]} predictions")
    if not stored:
        mend = "wait for the first round (`/status` of the server says what it does)"
        return warn(name, f"no predictions yet (the project says {shown!r})", mend)
    newest = ", ".join(sorted(stored)[-3:])
    detail = f"{shown!r} has no predictions, so that tasks come in random order; there are {newest}"
    mend = "press “Start training” in Settings > Model; the next round sets it"
    return fail(name, detail, mend)


def check_order(
    project: ProjectInfo, source: ScoreSource, next_task: Callable[[int], Any] | None = None
) -> Check:
    """Every task has its own place in the queue, and the lowest is served next.

    Args:
        project: The project.
        source: Scores of the project's version.
        next_task: Asks Label Studio for the next task, which reserves it for the token's owner
            for a day; None: not asked.
    """
    name = "order"
    if project.model_version not in source.versions(project.id):
        return warn(name, "no order yet", "see “model version”")
    scores = source.scores(project.id, project.model_version)
    bad = [task for task, score in scores.items() if not math.isfinite(score)]
    ties = sum(count - 1 for count in Counter(scores.values()).values())
    if bad or ties:
        detail = f"{len(bad)} scores are not numbers, {ties} are shared"
        return warn(name, detail, "the next round publishes a new order")
    missing = project.task_count - len(scores)
    if next_task is not None:
        return _served(scores, next_task(project.id))
    if missing:
        detail = f"{len(scores)} of {project.task_count} tasks have a place"
        return ok(name, f"{detail}; the others are labelled, unusable or wait for a round")
    return ok(name, f"each of {len(scores)} tasks has its place")


def _served(scores: Mapping[int, float], served: Any) -> Check:  # noqa: ANN401 - JSON or None
    name = "order"
    if not served:
        return ok(name, "nothing is left to label")
    task = int(served["id"])
    place = scores.get(task)
    if place is None:
        mend = "wait for a round; tasks locked by their annotator are served first"
        return fail(name, f"task {task} is served next and has no place", mend)
    earlier = sum(score < place for score in scores.values())
    return ok(name, f"task {task} is served next; {earlier} before it are labelled or locked")
