"""Pages in general: who sees them, headers, languages, escapes, forms, weight."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from fastapi import Request, Response
from fastapi.testclient import TestClient
from redis import Redis

from tests.fakes import CONFIG
from tests.xlt_backend.page.html import Page
from tests.xlt_backend.service.test_registry import Loader
from tests.xlt_backend.web.server import make_parts
from xlt.store.versions import Store
from xlt_backend.page.forms import VALID_S, make_token
from xlt_backend.page.site import Site
from xlt_backend.web.app import create_app

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> \"' & {{ 7*7 }}"
ADA = {"Authorization": "Basic " + base64.b64encode("ada:pässword".encode()).decode()}


# Who sees a page --------------------------------------------------------------------------------


def test_the_address_of_the_server_answers_people_by_a_page_and_machines_by_json(browser):
    """Label Studio and probes ask `/` too, and must get what they always got."""
    assert browser.get("/").headers["content-type"].startswith("text/html")
    assert browser.get("/", headers={"Accept": "*/*"}).json()["status"] == "UP"
    assert browser.get("/health").json()["status"] == "UP"


@pytest.mark.parametrize("path", ["/", "/projects", "/projects/1", "/events", "/static/style.css"])
def test_pages_are_behind_the_password(locked, path):
    """A page shows titles and accuracy: it needs what /status needs."""
    refused = locked.get(path)

    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers
    assert locked.get(path, headers=ADA).status_code in (200, 404)
    assert locked.get("/", headers={"Accept": "*/*"}).status_code == 200


# Headers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/style.css", "/events"])
def test_the_policy_allows_nothing_inline_and_no_other_host(browser, path):
    """Even a script that got into a page would not run, and could send nothing away."""
    headers = browser.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_keep_the_policy(browser, states):
    """Nothing is inline: neither styles nor handlers nor scripts."""
    states.put("1", title="Topics")
    page = Page(browser.get("/").text)

    assert all(set(script) <= {"src", "defer"} and script["src"] for script in page.all("script"))
    assert page.all("style") == []
    names = {name for _, attributes in page.elements for name in attributes}
    assert [name for name in names if name == "style" or name.startswith("on")] == []


def test_no_address_leaves_this_server(browser, states):
    """The page works without a network."""
    states.put("1", title="Topics", label_config=CONFIG)

    assert all(a[0] in "/?#" for a in Page(browser.get("/").text).addresses())


# Weight -----------------------------------------------------------------------------------------


def test_the_first_view_is_light(browser, states):
    """At most 150 kB and 15 requests, with fifty projects."""
    for number in range(1, 51):
        states.put(str(number), title=f"Project {number}", label_config=CONFIG, tasks=100_000)
    answer = browser.get("/")
    files = {a for a in Page(answer.text).addresses() if a.startswith("/static/")}
    sizes = [len(browser.get(name).content) for name in files]

    assert len(answer.content) + sum(sizes) <= 150_000
    assert 1 + len(files) <= 15
    assert browser.get("/static/style.css").headers["Cache-Control"].startswith("private, max-age")


@pytest.mark.parametrize("name", ["../routes.py", "..%2Froutes.py", "nothing.css", "en.toml"])
def test_only_static_files_are_served(browser, name):
    """No other file of the package or the machine can be read."""
    assert browser.get(f"/static/{name}").status_code == 404


# Texts of people --------------------------------------------------------------------------------


def test_a_script_in_a_text_is_shown_as_text(browser, states):
    """Titles, labels and errors come from people; none becomes an element."""
    config = CONFIG.replace('value="sport"', 'value="&lt;b&gt;sport"')
    states.put("1", title=EVIL, label_config=config, last_error=EVIL, missing=EVIL, model=EVIL)
    page = Page(browser.get("/").text)

    assert page.faults == []
    assert page.text.count("<script>alert(1)</script>") >= 3
    assert "{{ 7*7 }}" in page.text
    assert "<b>sport" in page.text
    assert len(page.all("script")) == 1
    assert all(image["src"].startswith("/static/") for image in page.all("img"))


def test_an_error_page_shows_the_address_as_text(browser):
    """The id in an address comes from outside."""
    answer = browser.get("/projects/%3Cscript%3Ealert(1)%3C/script%3E")

    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


# Errors -----------------------------------------------------------------------------------------


def test_errors_are_pages_for_people_and_json_for_machines(browser):
    """Both name what was wrong."""
    page = browser.get("/nothing")

    assert page.status_code == 404
    assert Page(page.text).faults == []
    assert browser.get("/nothing", headers={"Accept": "*/*"}).json() == {"error": "Not Found"}


def test_without_redis_a_page_says_so(tmp_path):
    """One clear line and what to do; no traceback."""
    gone = Redis(unix_socket_path=str(tmp_path / "none"), retry=None)
    parts = make_parts(gone, Store(tmp_path / "models"), Loader())
    client = TestClient(create_app(parts), raise_server_exceptions=False)
    answer = client.get("/", headers={"Accept": "text/html"})

    assert answer.status_code == 503
    assert "Redis" in Page(answer.text).text
    assert "Traceback" not in answer.text


# Languages --------------------------------------------------------------------------------------


def test_a_link_chooses_the_language_and_the_browser_remembers_it(browser):
    """The choice holds on the next page, also if the browser prefers another language."""
    answer = browser.get("/?page-language=en", headers={"Accept-Language": "fr"})

    assert answer.headers["Content-Language"] == "en"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]
    assert Page(browser.get("/", headers={"Accept-Language": "fr"}).text).all("html")[0] == {
        "lang": "en",
        "dir": "ltr",
    }


@pytest.mark.parametrize("lang", ["xx", "../en", "<b>", ""])
def test_an_unknown_language_is_ignored(browser, lang):
    """The page is shown all the same, and nothing is remembered."""
    answer = browser.get("/", params={"page-language": lang})

    assert answer.headers["Content-Language"] == "en"
    assert "set-cookie" not in answer.headers


# Forms ------------------------------------------------------------------------------------------


def make_site(parts) -> Site:
    """Everything behind the pages, at a certain time."""
    return Site(
        service=parts.service,
        queue=parts.queue,
        versions=parts.versions,
        controls=parts.controls,
        secret=parts.secret,
        label_studio_url=parts.label_studio_url,
        now=lambda: 1_800_000_000.0,
    )


@pytest.fixture
def forms(parts) -> TestClient:
    """A server with a route that reads a form and says who sent it."""
    app = create_app(replace(parts, basic_auth=("ada", "pässword")))
    site = make_site(parts)

    @app.post("/form")
    async def form(request: Request) -> Response:
        fields = await site.form(request)
        return Response(f"{site.person(request)} {sorted(fields.items())}")

    return TestClient(app, raise_server_exceptions=False, headers=ADA)


TOKEN = make_token("s3cret", "ada", 1_800_000_000.0)


def test_a_form_of_our_page_is_read(forms):
    """It comes with the token that the page holds; the log gets the person's name."""
    answer = forms.post(
        "/form",
        data={"token": TOKEN, "quota": "2", "empty": ""},
        headers={"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
    )

    assert answer.status_code == 200
    assert answer.text == "ada [('empty', ''), ('quota', '2')]"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "1800000000.",
        ".",
        "é.é",
        TOKEN[:-1],
        TOKEN.replace("1800000000", "1800000001"),
        make_token("other", "ada", 1_800_000_000.0),
        make_token("s3cret", "eve", 1_800_000_000.0),
        make_token("s3cret", "ada", 1_800_000_000.0 - VALID_S - 1),
        make_token("s3cret", "ada", 1_800_000_000.0 + 60),
    ],
)
def test_a_form_without_a_valid_token_is_refused(forms, token):
    """Tokens are bound to server, person and day."""
    answer = forms.post("/form", data={"token": token})

    assert answer.status_code == 403
    assert "reload the page" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://["},
    ],
)
def test_a_form_of_another_site_is_refused(forms, headers):
    """Even with a token that leaked."""
    assert forms.post("/form", data={"token": TOKEN}, headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook", "/cancel?project=1"])
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_no_other_site_can_use_the_password_that_a_browser_keeps(locked, path, headers):
    """The routes of Label Studio read no tokens: a browser that another site sends is refused."""
    body = '{"action": "START_TRAINING", "project": {"id": 1}}'
    plain = ADA | {"Content-Type": "text/plain", "Accept": "*/*"}

    refused = locked.post(path, content=body, headers=plain | headers)
    assert refused.status_code == 403
    assert "other sites" in refused.json()["error"]
    assert locked.post(path, content=body, headers=plain).status_code != 403


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"x" * 70_000, 413), (b"\xff=1", 400), (b"&".join([b"a=1"] * 300), 400), (b"", 403)],
)
def test_malformed_forms_are_refused(forms, body, status):
    """Bounded, and one line that says what is wrong."""
    answer = forms.post("/form", content=body)

    assert answer.status_code == status
    assert "\n" not in answer.json()["error"]


def test_after_a_form_the_browser_goes_only_to_this_server(parts):
    """An address from a form cannot lead people elsewhere."""
    site = make_site(parts)
    assert site.see("/projects/1").headers["location"] == "/projects/1"
    for address in ("https://evil.example", "//evil.example", "projects"):
        with pytest.raises(AssertionError):
            site.see(address)
