"""Accounts of our own Label Studio: its pages for people, used as a browser would."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import httpx

from xlt.errors import ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who may use the server.

    Attributes:
        user: E-mail address, the name to log in with.
        password: Its password.
        token: Personal access token of that user.
    """

    user: str
    password: str = field(repr=False)
    token: str = field(repr=False)


def make_token(url: str, user: str, password: str) -> str:
    """Log in as a browser would and make a personal access token.

    Raises:
        ServiceError: If the login is refused, or the user has a token already (Label Studio shows
            a token only once).
    """
    with httpx.Client(base_url=url, timeout=30.0, follow_redirects=True) as client:
        client.get("/user/login")
        form = {"email": user, "password": password, "csrfmiddlewaretoken": _csrf(client)}
        page = client.post("/user/login", data=form, headers={"Referer": url})
        if "sessionid" not in client.cookies or page.url.path.startswith("/user/login"):
            raise ServiceError(f"Label Studio on {url} refuses the login of {user}")
        answer = client.post("/api/token/", json={}, headers={"X-CSRFToken": _csrf(client)})
        if answer.status_code == 409:
            raise ServiceError(
                f"{user} has a personal access token already; revoke it in Label Studio "
                "(Account & Settings > Personal Access Token) or give it to xlt"
            )
        if answer.status_code != 201:
            raise ServiceError(f"no token from Label Studio: {answer.status_code} {answer.text}")
        return str(answer.json()["token"])


def sign_up(url: str, inviting: Account, user: str) -> Account:
    """Another annotator, through the invitation link of an account.

    Raises:
        ServiceError: If Label Studio refuses, for instance because there is such a user.
    """
    password = secrets.token_urlsafe(12)
    invite = _invitation(url, inviting)
    with httpx.Client(base_url=url, timeout=30.0, follow_redirects=True) as client:
        client.get(invite)
        form = {"email": user, "password": password, "csrfmiddlewaretoken": _csrf(client)}
        page = client.post(invite, data=form, headers={"Referer": url})
        if page.status_code != 200 or page.url.path.startswith("/user/signup"):
            raise ServiceError(f"Label Studio on {url} does not sign up {user}")
    token = make_token(url, user, password)
    return Account(user=user, password=password, token=token)


def token_works(url: str, token: str) -> bool:
    """Whether Label Studio accepts this personal access token."""
    answer = httpx.post(f"{url}/api/token/refresh/", json={"refresh": token}, timeout=30.0)
    return answer.status_code == 200


def _invitation(url: str, account: Account) -> str:
    """Path of the page where invited people sign up."""
    with httpx.Client(base_url=url, timeout=30.0) as client:
        answer = client.post("/api/token/refresh/", json={"refresh": account.token})
        headers = {"Authorization": f"Bearer {answer.json()['access']}"}
        return str(client.get("/api/invite", headers=headers).json()["invite_url"])


def _csrf(client: httpx.Client) -> str:
    return client.cookies.get("csrftoken") or ""
