"""Credentials of a request: the webhook secret, and user and password (Basic auth).

Free of any web framework: the server of label-studio-ml checks requests with the same functions.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from xlt_backend.labelstudio.wire import SECRET_HEADER


def has_secret(headers: Mapping[str, str], secret: str) -> bool:
    """Returns whether a request carries the webhooks' shared secret."""
    given = headers.get(SECRET_HEADER, "")
    return bool(given) and hmac.compare_digest(given.encode(), secret.encode())


def has_password(headers: Mapping[str, str], expected: tuple[str, str] | None) -> bool:
    """Returns whether a request carries this user and password; False if none is expected."""
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if expected is None or kind.lower() != "basic":
        return False
    try:
        given = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, ":".join(expected).encode())
