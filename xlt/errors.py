"""Every error that a user of xlt can cause, in one tree.

XltError
├── ConfigError        a setting, option or recipe is not one that xlt knows, or out of range
├── DataError          a table, text or label is not what was expected
├── EncoderError       an encoder cannot be found or loaded
├── StoreError         the folder of model versions cannot be read or written
│   ├── NoVersionError         a version was asked for that is not there
│   └── CorruptVersionError    a version's files do not match its manifest
├── TrainingError      a training ended without a usable model
│   ├── DivergedError          the loss is not finite, or one class is predicted for everything
│   └── CancelledError         somebody asked it to stop
├── SamplingError      what to label next cannot be decided from the numbers given
└── ServiceError       the service around the library (tree goes on in xlt_backend/errors.py)

Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class XltError(Exception):
    """Base of all errors that a user can cause; its text is one clear line."""


class ConfigError(XltError):
    """A setting, option or recipe is not one that xlt knows, or is out of range."""


class DataError(XltError):
    """A table, text or label is not what was expected."""


class EncoderError(XltError):
    """An encoder cannot be found or loaded."""


class StoreError(XltError):
    """The folder of model versions cannot be read or written."""


class NoVersionError(StoreError):
    """A version was asked for that is not there."""


class CorruptVersionError(StoreError):
    """A version's files do not match its manifest."""


class TrainingError(XltError):
    """A training ended without a usable model."""


class DivergedError(TrainingError):
    """The loss is not finite, or one class is predicted for everything."""


class CancelledError(TrainingError):
    """Somebody asked the training to stop."""


class SamplingError(XltError):
    """What to label next cannot be decided from the numbers given."""


class ServiceError(XltError):
    """The service around the library failed for a reason that the user can mend."""
