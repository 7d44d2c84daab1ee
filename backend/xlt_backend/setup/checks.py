"""Results of `xlt doctor`: one `Check` each, with the fix of a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from xlt.errors import XltError


class Status(StrEnum):
    """Result of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and its result.

    Attributes:
        name: Subject of the check, in a few words.
        status: `fail` if the loop cannot work, `warn` if it works worse than it could.
        detail: Observation, in one line.
        fix: What to do about a fault; empty if there is none.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""


def ok(name: str, detail: str) -> Check:
    """Returns a check that passed."""
    return Check(name=name, status=Status.OK, detail=detail)


def warn(name: str, detail: str, fix: str) -> Check:
    """Returns a check of something that works worse than it could."""
    return Check(name=name, status=Status.WARN, detail=detail, fix=fix)


def fail(name: str, detail: str, fix: str) -> Check:
    """Returns a check that failed."""
    return Check(name=name, status=Status.FAIL, detail=detail, fix=fix)


def failed(name: str, error: XltError, fix: str) -> Check:
    """Returns an error of ours as a failure, without the fix in its message if it has it."""
    return fail(name, str(error).removesuffix(fix).rstrip(": "), fix)


def guarded(name: str, fix: str, check: Callable[[], Check]) -> Check:
    """Runs a check; turns an error of ours into a failure with a fix."""
    try:
        return check()
    except XltError as error:
        return failed(name, error, fix)
