"""Errors of the service, which extend the tree of the library's errors (`xlt.errors`).

ServiceError                    (defined in xlt.errors)
├── LabelStudioError            a request to Label Studio failed
│   ├── UnreachableError            no answer: not running, wrong address, or too slow
│   ├── AuthenticationError         no token, a wrong one, or a legacy one
│   ├── ForbiddenError              refused (403), most often its SSRF protection
│   ├── NotFoundError               no such project, task or view
│   ├── RejectedError               the request was understood and refused
│   └── PublishError                fewer predictions were stored than were sent
├── UnsupportedConfigError      the labelling interface has no control that xlt learns from
├── UnknownProjectError         xlt does not know the project
├── PausedError                 the project is paused
├── NotExplainedError           a task has nothing that can be explained
├── NotSearchedError            a query cannot be answered
├── BusyError                   only one is done at a time; asking again helps
├── QueueError                  rounds cannot be requested
│   └── RedisDownError              Redis does not answer
└── TrainerError                the training process ended without a result
    └── TrainerTimeoutError         it exceeded its time limit
"""

from __future__ import annotations

from xlt.errors import ServiceError

__all__ = [
    "AuthenticationError",
    "BusyError",
    "ForbiddenError",
    "LabelStudioError",
    "NotExplainedError",
    "NotFoundError",
    "NotSearchedError",
    "PausedError",
    "PublishError",
    "QueueError",
    "RedisDownError",
    "RejectedError",
    "ServiceError",
    "TrainerError",
    "TrainerTimeoutError",
    "UnknownProjectError",
    "UnreachableError",
    "UnsupportedConfigError",
]


class LabelStudioError(ServiceError):
    """A request to Label Studio failed."""


class UnreachableError(LabelStudioError):
    """Label Studio does not answer: it is not running, at another address, or too slow."""


class AuthenticationError(LabelStudioError):
    """Label Studio does not accept the token, or there is none."""


class ForbiddenError(LabelStudioError):
    """Label Studio refused a request (403), as its SSRF protection does for private addresses."""


class NotFoundError(LabelStudioError):
    """The project, task or view does not exist in Label Studio."""


class RejectedError(LabelStudioError):
    """Label Studio understood the request and refused it."""


class PublishError(LabelStudioError):
    """Label Studio stored fewer predictions than it was sent."""


class UnsupportedConfigError(ServiceError):
    """A labelling interface has no control that xlt supports; the message lists those."""


class UnknownProjectError(ServiceError):
    """xlt does not know the project, or has not read it yet."""


class PausedError(ServiceError):
    """A person paused the project; nothing is trained until it is resumed."""


class NotExplainedError(ServiceError):
    """The suggestion for a task cannot be explained; the message says why."""


class NotSearchedError(ServiceError):
    """A query for tasks cannot be answered; the message says why."""


class BusyError(ServiceError):
    """Work that is done one at a time is under way, or takes too long; asking again helps."""


class QueueError(ServiceError):
    """Rounds cannot be requested."""


class RedisDownError(QueueError):
    """Redis does not answer."""


class TrainerError(ServiceError):
    """The training process ended without a result."""


class TrainerTimeoutError(TrainerError):
    """The training process exceeded its time limit."""
