"""One request to Label Studio: which errors, which repeats, which words."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from tests.stubserver import Answer, Request, Stub, serving
from xlt_backend import errors
from xlt_backend.demo.studio import free_port
from xlt_backend.labelstudio.client import Client, ProjectInfo
from xlt_backend.labelstudio.http import Http, checked_token, token_kind


def jwt(**claims: object) -> str:
    """A token with these claims, without a signature."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"exp": 4_000_000_000, **claims}]
    words = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(word.rstrip("=") for word in words), "c2lnbmF0dXJl"])


PERSONAL = jwt(token_type="refresh")
ACCESS = jwt(token_type="access")
LEGACY = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def label_studio(answer: Callable[[Request], Answer]) -> Iterator[tuple[Http, Stub]]:
    """A Label Studio that knows its token and answers everything else with `answer`."""

    def all_of_it(request: Request) -> Answer:
        if request.path == "/api/token/refresh/":
            return 200, {"access": ACCESS}
        return answer(request)

    with serving(all_of_it) as stub, closing(http_to(stub.url)) as http:
        yield http, stub


def http_to(url: str) -> Http:
    """Impatient requests to this address."""
    return Http(url, PERSONAL, timeout_s=0.5, attempts=3, backoff_s=0.01)


# Tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (PERSONAL, "personal"),
        (f"  {PERSONAL}\n", "personal"),
        (ACCESS, "access"),
        (LEGACY, "legacy"),
        (jwt(), "unknown"),
        ("a.b.c", "unknown"),
        ("Bearer x y", "unknown"),
        ("", "unknown"),
    ],
)
def test_token_kinds(token: str, kind: str) -> None:
    """The kind of a token is seen before it is ever sent."""
    assert token_kind(token) == kind


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "no Label Studio token"),
        (" ", "no Label Studio token"),
        (LEGACY, "legacy token"),
        (ACCESS, "five minutes"),
        ("nonsense!", "does not look like"),
    ],
)
def test_wrong_kinds_are_refused(token: str | None, words: str) -> None:
    """Any other token than a personal one is refused, with the way to one."""
    with pytest.raises(errors.AuthenticationError, match=words) as caught:
        checked_token(token)
    assert "Personal Access Token" in str(caught.value)
    assert not token or token.strip() == "" or token not in str(caught.value)


def test_expired_token() -> None:
    """An expired token is an authentication error as well."""
    with pytest.raises(errors.AuthenticationError, match="expired"):
        Http("http://localhost:1", jwt(token_type="refresh", exp=1))


def test_access_token_is_fetched_once() -> None:
    """The personal token is sent for refreshing only; requests carry the access token."""
    with label_studio(lambda _: (200, {})) as (http, stub):
        for _ in range(3):
            http.request("GET", "/api/version")
        assert stub.paths("POST") == ["/api/token/refresh/"]
        assert stub.requests[-1].headers["authorization"] == f"Bearer {ACCESS}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_ran_out_on_the_way_is_renewed(method: str) -> None:
    """Good when it was sent, refused when it came: nothing was done, so it is sent once more."""
    renewed = jwt(token_type="access", jti="renewed")
    tokens = iter([ACCESS, renewed])

    def answer(request: Request) -> Answer:
        if request.path == "/api/token/refresh/":
            return 200, {"access": next(tokens)}
        known = request.headers["authorization"] == f"Bearer {renewed}"
        return (200, {"id": 7}) if known else (401, {"detail": "credentials were not provided"})

    with serving(answer) as stub, closing(http_to(stub.url)) as http:
        assert http.request(method, "/api/projects/7/") == {"id": 7}
        assert http.request(method, "/api/projects/7/") == {"id": 7}
        assert stub.paths("POST").count("/api/token/refresh/") == 2


# Errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"detail": "No such label"}, errors.RejectedError, "400 No such label"),
        (400, {"validation_errors": {"url": ["bad"]}}, errors.RejectedError, r"url: \['bad'\]"),
        (401, {"detail": "Invalid token"}, errors.AuthenticationError, "Personal Access Token"),
        (403, {"detail": "blocked"}, errors.ForbiddenError, "403 blocked"),
        (404, {"detail": "Not found."}, errors.NotFoundError, "404 Not found"),
        (409, "taken", errors.RejectedError, "409"),
        (500, "<html>oops</html>", errors.LabelStudioError, "500"),
        (200, "<html>a proxy</html>", errors.UnreachableError, "not Label Studio's API"),
    ],
)
def test_errors(status: int, body: object, kind: type[Exception], words: str) -> None:
    """Each status is an error of ours that says what was asked and what Label Studio said."""
    with label_studio(lambda _: (status, body)) as (http, _), pytest.raises(kind, match=words):
        http.request("POST", "/api/projects/", json={})


def test_refused_refresh() -> None:
    """A token that is revoked or of another Label Studio is named as the cause."""

    def answer(request: Request) -> Answer:
        return 401, {"detail": "Token is blacklisted"}

    with (
        serving(answer) as stub,
        closing(http_to(stub.url)) as http,
        pytest.raises(errors.AuthenticationError, match=r"does not accept the token .*blacklisted"),
    ):
        http.request("GET", "/api/version")


def test_another_server() -> None:
    """Something else behind the address is recognised at the first request."""
    with (
        serving(lambda _: (200, "<html>hello</html>")) as stub,
        closing(http_to(stub.url)) as http,
        pytest.raises(errors.UnreachableError, match="not Label Studio"),
    ):
        http.request("GET", "/api/version")


def test_down() -> None:
    """Nobody there: one line with the address and what to look at."""
    with (
        closing(http_to(f"http://localhost:{free_port()}")) as http,
        pytest.raises(errors.UnreachableError, match="LABEL_STUDIO_URL"),
    ):
        http.request("GET", "/api/version")


def test_too_slow() -> None:
    """A request that is not answered in time ends, and says so."""
    ended = threading.Event()

    def answer(request: Request) -> Answer:
        ended.wait(10)
        return 200, {}

    with label_studio(answer) as (http, stub):
        with pytest.raises(errors.UnreachableError, match="too slow"):
            http.request("POST", "/api/projects/", json={})
        assert stub.paths("POST").count("/api/projects/") == 1
        ended.set()


# Repeats ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "times"), [("GET", 3), ("PATCH", 3), ("DELETE", 3), ("POST", 1)]
)
def test_only_idempotent_requests_are_repeated(method: str, times: int) -> None:
    """While Label Studio restarts, what does no harm is sent again, a POST is not."""
    with label_studio(lambda _: (503, "starting")) as (http, stub):
        with pytest.raises(errors.LabelStudioError, match="503"):
            http.request(method, "/api/tasks/", json={})
        assert stub.paths(method).count("/api/tasks/") == times


def test_repeat_until_it_answers() -> None:
    """The answer counts, however many attempts it took."""
    answers = iter([(502, ""), (503, ""), (200, {"release": "1.23.2"})])
    with label_studio(lambda _: next(answers)) as (http, _):
        assert http.request("GET", "/api/version") == {"release": "1.23.2"}


def test_no_repeat_where_it_is_not_wanted() -> None:
    """A request may be sent once at most."""
    with label_studio(lambda _: (503, "")) as (http, stub):
        with pytest.raises(errors.LabelStudioError):
            http.request("DELETE", "/api/x/", repeat=False)
        assert len(stub.paths("DELETE")) == 1


def test_empty_answer() -> None:
    """No body is no JSON, and no error."""
    with label_studio(lambda _: (204, "")) as (http, _):
        assert http.request("DELETE", "/api/webhooks/1/") is None


# The client ---------------------------------------------------------------------------------


def test_version_of_something_else() -> None:
    """A server that speaks JSON and is not Label Studio is recognised."""
    with (
        serving(lambda r: (200, {"access": ACCESS} if "refresh" in r.path else {})) as stub,
        closing(Client(stub.url, PERSONAL)) as client,
        pytest.raises(errors.UnreachableError, match="names no release"),
    ):
        client.version()


def test_project_key() -> None:
    """The key is Label Studio's own: id and second of creation."""
    body = {"id": 1, "created_at": "2026-11-22T08:40:02.814910Z", "title": None}
    assert ProjectInfo.from_json(body).key == "1.1795336802"
