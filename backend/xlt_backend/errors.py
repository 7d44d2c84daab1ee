"""Errors of the service: the branch of xlt's tree that the library knows nothing of.

ServiceError                    (defined in xlt.errors)
├── LabelStudioError            Label Studio did not do what was asked of it
│   ├── UnreachableError            no answer: down, wrong address, or too slow
│   ├── AuthenticationError         no token, a wrong one, or a legacy one
│   ├── ForbiddenError              refused (403), most often its SSRF protection
│   ├── NotFoundError               no such project, task or view
│   ├── RejectedError               the request was understood and refused
│   └── PublishError                fewer predictions were stored than were sent
├── UnsupportedConfigError      the labelling interface has no control that xlt learns from
├── QueueError                  work cannot be asked for
│   └── RedisDownError              Redis does not answer
└── TrainerError                the training process ended without a result
    └── TrainerTimeoutError         it took longer than it may
"""

from __future__ import annotations

from xlt.errors import ServiceError

__all__ = [
    "AuthenticationError",
    "ForbiddenError",
    "LabelStudioError",
    "NotFoundError",
    "PublishError",
    "QueueError",
    "RedisDownError",
    "RejectedError",
    "ServiceError",
    "TrainerError",
    "TrainerTimeoutError",
    "UnreachableError",
    "UnsupportedConfigError",
]


class LabelStudioError(ServiceError):
    """Label Studio did not do what was asked of it."""


class UnreachableError(LabelStudioError):
    """Label Studio gives no answer: it is down, elsewhere, or too slow."""


class AuthenticationError(LabelStudioError):
    """Label Studio does not accept the token, or there is none."""


class ForbiddenError(LabelStudioError):
    """Label Studio refused (403); for private addresses its SSRF protection does that."""


class NotFoundError(LabelStudioError):
    """There is no such project, task or view in Label Studio."""


class RejectedError(LabelStudioError):
    """Label Studio understood the request and refused it."""


class PublishError(LabelStudioError):
    """Label Studio stored fewer predictions than it was sent."""


class UnsupportedConfigError(ServiceError):
    """A labelling interface has no control that xlt learns from; says which are supported."""


class QueueError(ServiceError):
    """Work cannot be asked for."""


class RedisDownError(QueueError):
    """Redis does not answer."""


class TrainerError(ServiceError):
    """The training process ended without a result."""


class TrainerTimeoutError(TrainerError):
    """The training process took longer than it may."""
