"""Accounts of our own Label Studio, made through its web pages as a browser would."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from xlt.errors import ServiceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the server.

    Attributes:
        user: E-mail address, which is the login name.
        password: Password of the user.
        token: Personal access token of the user.
    """

    user: str
    password: str = field(repr=False)
    token: str = field(repr=False)


def keep_secret(data_dir: Path) -> None:
    """Makes the key that signs Label Studio's tokens, unless it has one already.

    Of the keys that Label Studio makes itself, one in fifty starts with `$`. It reads that as the
    name of another variable when it is started again: all its tokens are invalid then.
    """
    file = data_dir / ".env"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"SECRET_KEY={secrets.token_urlsafe(48)}\n")


def make_token(url: str, user: str, password: str) -> str:
    """Logs in and creates a personal access token.

    Raises:
        ServiceError: If Label Studio refuses the login, or if the user has a token already (Label
            Studio shows a token only once).
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
            raise ServiceError(f"Label Studio gave no token: {answer.status_code} {answer.text}")
        return str(answer.json()["token"])


def sign_up(url: str, inviting: Account, user: str) -> Account:
    """Creates another user through the invitation link of an account.

    Raises:
        ServiceError: If Label Studio refuses, for example because the user exists already.
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
    """Returns whether Label Studio accepts a personal access token."""
    answer = httpx.post(f"{url}/api/token/refresh/", json={"refresh": token}, timeout=30.0)
    return answer.status_code == 200


def _invitation(url: str, account: Account) -> str:
    """Returns the path of the sign-up page for invited users."""
    with httpx.Client(base_url=url, timeout=30.0) as client:
        answer = client.post("/api/token/refresh/", json={"refresh": account.token})
        headers = {"Authorization": f"Bearer {answer.json()['access']}"}
        return str(client.get("/api/invite", headers=headers).json()["invite_url"])


def _csrf(client: httpx.Client) -> str:
    return client.cookies.get("csrftoken") or ""
