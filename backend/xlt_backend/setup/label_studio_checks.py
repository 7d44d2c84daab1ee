"""Checks of Label Studio, and of the connection between a project and xlt."""

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
from xlt_backend.queue.state import ProjectState
from xlt_backend.rounds.changes import in_words
from xlt_backend.rounds.unused import left_out_words, problems
from xlt_backend.setup.checks import Check, fail, ok, warn

#: The oldest release with the API that we use.
OLDEST = (1, 20)
#: The release that the end-to-end tests run on.
TESTED = (1, 23)

#: States of a model that Label Studio reached: connected, predicting, training.
_REACHED = ("CO", "PR", "TR")


class ScoreSource(Protocol):
    """The part of `Client` that the checks of the order need."""

    def versions(self, project_id: int) -> Mapping[str, int]:
        """Returns the number of predictions by version."""

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Returns the score of each task by its id."""


def check_version(client: Client) -> Check:
    """Checks that Label Studio answers, and that xlt supports its release."""
    name = "Label Studio"
    release = client.version()
    numbers = tuple(int(part) for part in release.split(".")[:2] if part.isdigit())
    if len(numbers) < 2 or numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return fail(name, f"version {release} at {client.url}", f"use {oldest} or later")
    if numbers > TESTED:
        tested = ".".join(map(str, TESTED))
        detail = f"version {release} at {client.url}; xlt is tested with {tested}"
        return warn(name, detail, "read the checks below; look for a newer xlt")
    return ok(name, f"version {release} at {client.url}")


def check_token(client: Client) -> Check:
    """Checks that Label Studio accepts the token (the client refuses all but personal ones)."""
    user = client.http.request("GET", "/api/current-user/whoami")
    return ok("token", f"personal access token of {user.get('email')}")


def check_health(url: str) -> Check:
    """Checks that our web server answers at its public address."""
    name = "xlt server"
    fix = "start it with `xlt up`, or set XLT_PUBLIC_URL to its address"
    try:
        answer = httpx.get(f"{url}/health", timeout=3.0)
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return fail(name, f"no answer at {url}/health ({error or type(error).__name__})", fix)
    if answer.status_code != 200 or not isinstance(body, dict) or body.get("status") != "UP":
        return fail(name, f"{url}/health is not xlt: {answer.status_code}", fix)
    return ok(name, f"answers at {url}")


# One project --------------------------------------------------------------------------------


def check_interface(project: ProjectInfo, options: ProjectOptions | None = None) -> Check:
    """Checks that xlt supports the labelling interface, and what options name of it."""
    name = "interface"
    try:
        interface = Interface.from_options(project.label_config, options or ProjectOptions())
    except XltError as error:
        return fail(name, str(error), "change the labelling interface (see label_config/)")
    keys = interface.text_keys
    texts = f"text{'s' * (len(keys) > 1)} from {', '.join(f'${key}' for key in keys)}"
    detail = f"learns {interface.describe()}; {texts}"
    return ok(name, "; ".join([detail, *interface.notes]))


def check_backend(
    client: Client, project: ProjectInfo, url: str, basic_auth: tuple[str, str] | None = None
) -> Check:
    """Checks that we are the project's model, once, and that Label Studio reaches us."""
    name, connect = "model", f"xlt connect --project {project.id}"
    rows = backends(client, project.id)
    ours = [row for row in rows if same_address(row.get("url"), url)]
    if not ours:
        others = ", ".join(str(row.get("url")) for row in rows) or "none"
        return fail(name, f"{url} is not the project's model (its models: {others})", connect)
    first = ours[0]
    if first.get("state") not in _REACHED:
        return _unreached(client, project, url, basic_auth)
    try:
        ProjectOptions.from_extra_params(first.get("extra_params"))
    except XltError as error:
        return fail(name, str(error), "correct the option with `xlt connect --option NAME=VALUE`")
    if len(ours) > 1 or rows[0]["id"] != first["id"]:
        return warn(name, f"{len(rows)} models; Label Studio uses only the first", connect)
    return ok(name, f"Label Studio reaches {url}")


def _unreached(
    client: Client, project: ProjectInfo, url: str, basic_auth: tuple[str, str] | None
) -> Check:
    """Saves the model unchanged, so that Label Studio reports why it cannot reach it."""
    name = "model"
    try:
        ensure_backend(client, project.id, url, basic_auth=basic_auth)
    except ForbiddenError:
        detail = f"Label Studio may not call {url}, which is a private address"
        return fail(name, detail, HOW_TO_SSRF)
    except LabelStudioError as error:
        fix = "start `xlt up`, or set XLT_PUBLIC_URL to our address as seen from Label Studio"
        return fail(name, str(error), fix)
    return ok(name, f"Label Studio reaches {url} again")


def check_webhook(client: Client, project: ProjectInfo, url: str, secret: str) -> Check:
    """Checks that exactly one webhook sends us events, with our secret."""
    name, connect = "webhook", f"xlt connect --project {project.id}"
    hook = f"{url}/webhook"
    rows = webhooks(client, project.id)
    ours = [row for row in rows if same_address(row.get("url"), hook)]
    if not ours:
        return fail(name, f"no webhook to {hook}, so xlt does not learn of new labels", connect)
    if len(ours) > 1:
        return fail(
            name, f"{len(ours)} webhooks to {hook}, so each event arrives several times", connect
        )
    wanted = wanted_webhook(project.id, hook, secret)
    wrong = [key for key, value in wanted.items() if differs(ours[0], {key: value})]
    if "headers" in wrong:
        detail = "the webhook lacks the secret of xlt, so all events are refused (401)"
        return fail(name, detail, connect)
    if wrong:
        return fail(name, f"wrong settings of the webhook: {', '.join(wrong)}", connect)
    orphans = [str(row["url"]) for row in rows if str(row["url"]).endswith("/webhook")]
    orphans.remove(str(ours[0]["url"]))
    if orphans:
        fix = "if they belong to removed models, delete them in Settings > Webhooks"
        return warn(name, f"other webhooks: {', '.join(orphans)}", fix)
    return ok(name, "one webhook with the secret, for labels, tasks and the interface")


def check_round_trip(
    client: Client,
    project: ProjectInfo,
    count: Callable[[], float],
    *,
    wait_s: float = 5.0,
) -> Check:
    """Checks that an event of Label Studio arrives here.

    Args:
        client: Label Studio.
        project: The project; its title is saved unchanged, which causes a PROJECT_UPDATED event.
        count: Returns the number of such events that our server accepted.
        wait_s: Longest wait in seconds.
    """
    name = "round trip"
    before, start = count(), time.monotonic()
    client.update_project(project.id, title=project.title)
    while time.monotonic() - start < wait_s:
        if count() > before:
            return ok(name, f"an event arrived after {time.monotonic() - start:.1f} s")
        time.sleep(0.1)
    detail = f"an event of Label Studio did not arrive within {wait_s:.0f} s"
    fix = (
        "Label Studio waits 1 s for our answer and does not retry: set WEBHOOK_TIMEOUT=5 there. "
        f"If its SSRF protection blocks webhooks: {HOW_TO_SSRF}"
    )
    return fail(name, detail, fix)


def check_sampling(project: ProjectInfo) -> Check:
    """Checks that Label Studio serves tasks in the order of their predictions' scores."""
    name = "sampling"
    if project.sampling != UNCERTAINTY_SAMPLING:
        detail = f"{project.sampling!r}, so tasks are not served in our order"
        return fail(name, detail, f"xlt connect --project {project.id}")
    if project.maximum_annotations > 1:
        detail = f"{project.maximum_annotations} annotators per task: started tasks come first"
        return warn(name, detail, "set one annotator per task to follow our order fully")
    return ok(name, project.sampling)


def check_model_version(project: ProjectInfo, source: ScoreSource) -> Check:
    """Checks that the project shows a version that has predictions."""
    name = "model version"
    stored, shown = source.versions(project.id), project.model_version
    if stored.get(shown):
        return ok(name, f"{shown}, {stored[shown]} predictions")
    if not stored:
        fix = "wait for the first round (see /status of the server)"
        return warn(name, f"no predictions yet (the project names {shown!r})", fix)
    newest = ", ".join(sorted(stored)[-3:])
    detail = f"{shown!r} has no predictions, so tasks come in random order; newest: {newest}"
    fix = "press “Start training” in Settings > Model; the next round sets it"
    return fail(name, detail, fix)


def check_order(
    project: ProjectInfo, source: ScoreSource, next_task: Callable[[int], Any] | None = None
) -> Check:
    """Checks that each task has its own score and that the lowest one is served next.

    Args:
        project: The project.
        source: Gives the scores.
        next_task: Asks Label Studio for the next task, which reserves it for the token's owner
            for a day; None to skip this.
    """
    name = "order"
    if project.model_version not in source.versions(project.id):
        return warn(name, "no order yet", "see “model version” above")
    scores = source.scores(project.id, project.model_version)
    bad = [task for task, score in scores.items() if not math.isfinite(score)]
    ties = sum(count - 1 for count in Counter(scores.values()).values())
    if bad or ties:
        detail = f"{len(bad)} scores are not numbers, {ties} are not unique"
        return warn(name, detail, "wait for the next round, which publishes a new order")
    missing = project.task_count - len(scores)
    if next_task is not None:
        return _served(scores, next_task(project.id))
    if missing:
        detail = f"{len(scores)} of {project.task_count} tasks have a place"
        return ok(name, f"{detail}; the others are labelled, unusable or wait for a round")
    return ok(name, f"each of {len(scores)} tasks has its own place")


def _served(scores: Mapping[int, float], served: Any) -> Check:  # noqa: ANN401 - JSON or None
    name = "order"
    if not served:
        return ok(name, "no task is left to label")
    task = int(served["id"])
    place = scores.get(task)
    if place is None:
        fix = "wait for a round; Label Studio serves tasks first that their annotator locked"
        return fail(name, f"task {task} is served next but has no place", fix)
    earlier = sum(score < place for score in scores.values())
    return ok(name, f"task {task} is served next; {earlier} before it are labelled or locked")


def check_answers(project: ProjectInfo, state: ProjectState) -> Check:
    """Checks that the answers of annotators are used, as the last round found them."""
    name = "answers"
    if lost := problems(state.unused):
        fix = (
            "give control and labels their former names in the interface, tell xlt of renamed "
            "labels (see “labels” above), or correct these tasks; "
            f"{project.title!r} learns from the others"
        )
        return warn(name, lost, fix)
    used = sum(state.labels.values()) + sum(state.audit_labels.values())
    detail = f"{used} are used"
    if state.model and state.changes:
        changes = in_words(state.changes)
        detail += f"; since the last training {changes}, which the next one takes into account"
    return ok(name, f"{detail}; waits: {state.missing}" if state.missing else detail)


def check_suggestions(state: ProjectState) -> Check:
    """Checks that Label Studio stored every suggestion of the last order."""
    name, words = "suggestions", left_out_words(state.left_out)
    if not state.left_out.get("bare"):
        return ok(name, words or "Label Studio stored all of them")
    fix = (
        "those tasks have their place in the queue; with `<Choices>` that are not nested Label "
        "Studio stores all suggestions"
    )
    return warn(name, words, fix)
