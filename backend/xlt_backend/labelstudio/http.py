"""Requests to Label Studio: token, time-outs, retries and error messages.

Built on label-studio-sdk, which makes access tokens, valid for five minutes, from the personal
access token.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import random
import time
from functools import partial
from typing import Any

import httpx

from xlt_backend.errors import (
    AuthenticationError,
    ForbiddenError,
    LabelStudioError,
    NotFoundError,
    RejectedError,
    UnreachableError,
)
from xlt_backend.labelstudio.sdk import ApiError, LabelStudio

logger = logging.getLogger(__name__)

#: Methods that may be sent twice; others are repeated only if the request never arrived.
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_PASSING = frozenset({502, 503, 504})
_MAX_MESSAGE = 500

HOW_TO_TOKEN = (
    "create a personal access token in Label Studio (your initials > Account & Settings > "
    "Personal Access Token) and set LABEL_STUDIO_API_KEY to it"
)
HOW_TO_SSRF = (
    "start Label Studio with ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false (or, "
    "tighter, USE_DEFAULT_BANNED_SUBNETS=false and USER_ADDITIONAL_BANNED_SUBNETS=169.254.0.0/16)"
)


def token_kind(token: str) -> str:
    """Returns the kind of a token by its form: personal, access, legacy or unknown."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        return "legacy" if token.strip().isalnum() else "unknown"
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError):
        return "unknown"
    kind = claims.get("token_type") if isinstance(claims, dict) else None
    return {"refresh": "personal", "access": "access"}.get(str(kind), "unknown")


def checked_token(token: str | None) -> str:
    """Returns a token without spaces around it, if it is a personal access token.

    Raises:
        AuthenticationError: If it is not; the message says what it is and how to get one.
    """
    text = (token or "").strip()
    if not text:
        raise AuthenticationError(f"no Label Studio token: {HOW_TO_TOKEN}")
    kind = token_kind(text)
    messages = {
        "legacy": "this looks like a legacy token, which Label Studio turns off by default",
        "access": "this is an access token, which is valid for five minutes only",
        "unknown": "this does not look like a token of Label Studio",
    }
    if kind in messages:
        raise AuthenticationError(f"{messages[kind]}: {HOW_TO_TOKEN}")
    return text


class Http:
    """A sender of requests to one Label Studio; thread-safe.

    Args:
        url: Label Studio's address.
        token: A personal access token.
        timeout_s: Longest wait for an answer in seconds, if the caller gives no other.
        attempts: Number of times that a repeatable request is sent at most.
        backoff_s: Seconds before the second attempt; doubles each time.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        attempts: int = 5,
        backoff_s: float = 0.5,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._backoff_s = backoff_s
        token = checked_token(token)
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=True)
        make: Any = LabelStudio  # its constructor has no annotations
        try:
            sdk = make(base_url=self.url, api_key=token, httpx_client=self._client)
            self._sender = sdk._client_wrapper.httpx_client
            self._tokens = sdk._client_wrapper._tokens_client
        except ApiError as error:
            self.close()
            raise AuthenticationError(f"{_message(error.body)}: {HOW_TO_TOKEN}") from None

    def close(self) -> None:
        """Closes the connections that are kept open between requests."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,  # noqa: ANN401 - any JSON
        params: dict[str, Any] | None = None,
        timeout_s: float | None = None,
        repeat: bool = True,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Sends a request and returns the JSON of its answer; None if the answer is empty.

        With `repeat`, a request that fails is sent again for some seconds if that does no harm.

        Raises:
            UnreachableError: If there is no answer in time, or it does not come from Label Studio.
            AuthenticationError, ForbiddenError, NotFoundError, RejectedError: If the status is 401,
                403, 404 or another 4xx.
            LabelStudioError: If the status is 5xx.
        """
        attempts = self._attempts if repeat else 1
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            try:
                response = self._send(method, path, json, params, timeout_s)
            except httpx.HTTPError as error:
                unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                if last or not (unsent or method in _IDEMPOTENT):
                    raise UnreachableError(self._no_answer(error, method, path)) from error
                logger.debug("%s %s: %r; retrying", method, path, error)
            else:
                if last or response.status_code not in _PASSING or method not in _IDEMPOTENT:
                    return self._read(response, method, path)
            time.sleep(self._backoff_s * 2 ** (attempt - 1) * random.uniform(0.8, 1.2))
        raise AssertionError("unreachable")

    def _send(
        self,
        method: str,
        path: str,
        body: Any,  # noqa: ANN401
        params: dict[str, Any] | None,
        timeout_s: float | None,
    ) -> httpx.Response:
        once = partial(
            self._sender.request,
            path,
            method=method,
            json=body,
            params=params,
            request_options={
                "timeout_in_seconds": timeout_s or self._timeout_s,
                "max_retries": 0,  # the SDK would repeat a POST as well
            },
        )
        try:
            answer: httpx.Response = once()
            if answer.status_code != 401:
                return answer
            self._renew(answer.request.headers["authorization"])
            again: httpx.Response = once()
            return again
        except ApiError as error:  # the refresh of the token
            if error.status_code in (401, 403, 400):
                raise AuthenticationError(
                    f"Label Studio at {self.url} does not accept the token "
                    f"({_message(error.body)}): {HOW_TO_TOKEN}"
                ) from None
            raise LabelStudioError(
                f"Label Studio at {self.url} failed to refresh the token "
                f"({error.status_code}): {_message(error.body)}"
            ) from None
        except json.JSONDecodeError:
            raise UnreachableError(self._not_label_studio(f"{method} {path}")) from None

    def _renew(self, refused: str) -> None:
        """Fetches an access token, unless another thread did so since the `refused` one was sent.

        The SDK uses a token until the second in which it expires by this machine's clock.
        """
        tokens = self._tokens
        with tokens._token_refresh_lock:
            if refused == f"Bearer {tokens._access_token}":
                tokens._set_access_token(tokens.refresh().access)

    def _read(self, response: httpx.Response, method: str, path: str) -> Any:  # noqa: ANN401
        status = response.status_code
        if not response.content and status < 400:
            return None
        try:
            body = response.json()
        except ValueError:
            if status < 400:
                raise UnreachableError(self._not_label_studio(f"{method} {path}")) from None
            body = response.reason_phrase
        if status < 400:
            return body
        answer = f"{method} {path}: {status} {_message(body)}"
        if status == 401:
            raise AuthenticationError(f"Label Studio refuses the token ({answer}): {HOW_TO_TOKEN}")
        kinds = {403: ForbiddenError, 404: NotFoundError}
        kind = kinds.get(status, RejectedError if status < 500 else LabelStudioError)
        raise kind(f"Label Studio at {self.url} answers {answer}")

    def _no_answer(self, error: httpx.HTTPError, method: str, path: str) -> str:
        if isinstance(error, httpx.TimeoutException):
            return f"Label Studio at {self.url} is too slow: no answer to {method} {path} in time"
        reason = str(error) or type(error).__name__
        return (
            f"no Label Studio at {self.url} ({reason}): start it, or set LABEL_STUDIO_URL to its "
            "address as seen from here"
        )

    def _not_label_studio(self, request: str) -> str:
        return (
            f"{self.url} is not Label Studio's API, by its answer to {request}; "
            "check LABEL_STUDIO_URL"
        )


def _message(body: object) -> str:
    """Returns Label Studio's own error message in one line."""
    if isinstance(body, dict):
        detail = body.get("detail") or body.get("message") or ""
        fields = body.get("validation_errors")
        if isinstance(fields, dict):
            detail = "; ".join(f"{key}: {value}" for key, value in fields.items())
        body = detail or json.dumps(body, ensure_ascii=False)
    return " ".join(str(body).split())[:_MAX_MESSAGE]
