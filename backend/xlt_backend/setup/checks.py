"""What `xlt doctor` finds: one `Check` each, with how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from xlt.errors import XltError


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is about, a few words.
        status: `fail` where the loop cannot work, `warn` where it works worse than it could.
        detail: What was seen, one line.
        mend: What to do about it; empty where all is well.
    """

    name: str
    status: Status
    detail: str
    mend: str = ""


def ok(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name=name, status=Status.OK, detail=detail)


def warn(name: str, detail: str, mend: str) -> Check:
    """It works, but worse than it could."""
    return Check(name=name, status=Status.WARN, detail=detail, mend=mend)


def fail(name: str, detail: str, mend: str) -> Check:
    """It does not work."""
    return Check(name=name, status=Status.FAIL, detail=detail, mend=mend)


def failed(name: str, error: XltError, mend: str) -> Check:
    """An error of ours as a failure; what to do is said once where its message says it too."""
    return fail(name, str(error).removesuffix(mend).rstrip(": "), mend)


def guarded(name: str, mend: str, check: Callable[[], Check]) -> Check:
    """The check; an error of ours that it raises is a failure with this mend."""
    try:
        return check()
    except XltError as error:
        return failed(name, error, mend)
