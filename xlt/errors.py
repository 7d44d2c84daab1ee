"""Errors that a user of xlt can cause, in one tree.

XltError
├── ConfigError        a setting, option or recipe is unknown or out of range
├── DataError          a table, text or label is invalid
├── EncoderError       an encoder cannot be found or loaded
├── StoreError         the folder of model versions cannot be read or written
│   ├── NoVersionError         the version does not exist
│   ├── NeededVersionError     the version cannot be deleted
│   ├── StaleVersionError      another version became the active one meanwhile
│   └── CorruptVersionError    a version's files do not match its manifest
├── TrainingError      a training ended without a usable model
│   ├── DivergedError          the loss is not finite, or every prediction is the same
│   └── CancelledError         the training was cancelled
├── SamplingError      the sampler's input is invalid
└── ServiceError       the service failed (subclasses in xlt_backend/errors.py)

Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations


class XltError(Exception):
    """Base of all errors that a user can cause; the message is one line."""


class ConfigError(XltError):
    """A setting, option or recipe is unknown or out of range."""


class DataError(XltError):
    """A table, text or label is invalid."""


class EncoderError(XltError):
    """An encoder cannot be found or loaded."""


class StoreError(XltError):
    """The folder of model versions cannot be read or written."""


class NoVersionError(StoreError):
    """The version does not exist."""


class NeededVersionError(StoreError):
    """The version cannot be deleted: it is the active or the newest one."""


class StaleVersionError(StoreError):
    """Another version became the active one since the caller looked."""


class CorruptVersionError(StoreError):
    """A version's files do not match its manifest."""


class TrainingError(XltError):
    """A training ended without a usable model."""


class DivergedError(TrainingError):
    """The loss is not finite, or every prediction is the same."""


class CancelledError(TrainingError):
    """The training was cancelled."""


class SamplingError(XltError):
    """The sampler's input is invalid."""


class ServiceError(XltError):
    """The service failed for a reason that the user can fix."""
