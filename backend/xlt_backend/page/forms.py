"""Forms of the page: their fields, and the proof that this server's own page sent them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

#: Name of the field with the token.
TOKEN = "token"
#: Seconds for which a token is valid: a page may be open all day.
VALID_S = 24 * 3600.0
_MAX_BYTES, _MAX_FIELDS = 64 * 1024, 200


def make_token(secret: str, person: str, now: float) -> str:
    """Returns a token for the forms that a person is shown: its time and a keyed hash of it.

    Args:
        secret: Secret of this server; the webhooks' shared one.
        person: The person; empty on a server without a password.
        now: Seconds since the epoch.
    """
    at = str(int(now))
    return f"{at}.{_signed(secret, person, at)}"


def is_valid(token: str, secret: str, person: str, now: float) -> bool:
    """Returns whether a token was made for this person with this secret, at most a day ago."""
    at, _, signed = token.partition(".")
    if not hmac.compare_digest(signed.encode(), _signed(secret, person, at).encode()):
        return False
    return 0 <= now - int(at) <= VALID_S


def _signed(secret: str, person: str, at: str) -> str:
    message = f"form\n{person}\n{at}".encode()
    return hmac.new(secret.encode(), message, sha256).hexdigest()


def is_own(headers: Mapping[str, str]) -> bool:
    """Returns whether a browser sent a form from a page of this server.

    Current browsers say so in Sec-Fetch-Site, others in Origin; requests with neither header come
    from no browser of the last years, and the token alone decides.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == headers.get("host", "")
    except ValueError:  # no browser sends such an address
        return False


async def read_form(request: Request, secret: str, person: str, now: float) -> dict[str, str]:
    """Reads the fields of a form, without its token; of a repeated field the last one counts.

    Args:
        request: A POST request.
        secret: Secret of this server.
        person: The person who sends it.
        now: Seconds since the epoch.

    Raises:
        HTTPException: 413 if the form is too long, 400 if it is none, 403 if it was not sent by
            a page that this server made for this person.
    """
    fields = await _fields(request)
    if not is_own(request.headers) or not is_valid(fields.pop(TOKEN, ""), secret, person, now):
        raise HTTPException(
            403, "this form is not from a page that xlt made for you; reload the page and try again"
        )
    return fields


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BYTES:
            raise HTTPException(413, f"the form is longer than the limit of {_MAX_BYTES} bytes")
    try:
        return dict(
            parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
            )
        )
    except ValueError as error:
        raise HTTPException(400, f"the form cannot be read: {str(error)[:200]}") from None
