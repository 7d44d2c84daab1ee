"""Settings of an installation, read from environment variables."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from xlt.cli.trackers import read_trackers
from xlt.errors import ConfigError

#: File with the generated webhook secret, if XLT_WEBHOOK_SECRET is not set.
SECRET_FILE = "webhook-secret"


def _text(value: str) -> str:
    return value


def _whole(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _seconds(value: str) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError("must be a positive number of seconds")
    return number


def _flag(value: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if value.lower() not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return known[value.lower()]


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("must be an address such as http://localhost:8080")
    return value.rstrip("/")


def _level(value: str) -> str:
    known = ("DEBUG", "INFO", "WARNING", "ERROR")
    if value.upper() not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return value.upper()


#: Field of `Settings` and its reader, by environment variable.
VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "REDIS_URL": ("redis_url", _text),
    "LABEL_STUDIO_URL": ("label_studio_url", _url),
    "LABEL_STUDIO_API_KEY": ("label_studio_token", _text),
    "XLT_HOME": ("home", Path),
    "XLT_MODEL_DIR": ("model_dir", _text),
    "XLT_ENCODER": ("encoder", _text),
    "XLT_TRANSLATIONS": ("translations", Path),
    "XLT_LEXICON": ("lexicon", Path),
    "XLT_PUBLIC_URL": ("public_url", _url),
    "XLT_LABEL_STUDIO_PUBLIC_URL": ("label_studio_public_url", _url),
    "XLT_HOST": ("host", _text),
    "XLT_PORT": ("port", _whole),
    "XLT_BASIC_AUTH_USER": ("basic_auth_user", _text),
    "XLT_BASIC_AUTH_PASS": ("basic_auth_password", _text),
    "XLT_WEBHOOK_SECRET": ("webhook_secret", _text),
    "XLT_OPEN_METRICS": ("open_metrics", _flag),
    "XLT_LOG_LEVEL": ("log_level", _level),
    "XLT_RECONCILE_S": ("reconcile_s", _seconds),
    "XLT_TICK_S": ("tick_s", _seconds),
    "XLT_LEASE_S": ("lease_s", _seconds),
    "XLT_PREDICT_DEADLINE_S": ("predict_deadline_s", _seconds),
    "XLT_ROUND_TIMEOUT_S": ("round_timeout_s", _seconds),
    "XLT_THREADS": ("threads", _whole),
    "XLT_NICE": ("nice", _whole),
    "XLT_LOADED_VERSIONS": ("loaded_versions", _whole),
    "XLT_TEXT_CACHE_MB": ("text_cache_mb", _whole),
    "XLT_TRACKERS": ("trackers", read_trackers),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Addresses, folders, credentials and time limits of an installation.

    Attributes:
        redis_url: Redis that all processes share. Default: an embedded one below `home`.
        label_studio_url: How xlt reaches Label Studio.
        label_studio_token: A personal access token of Label Studio. Legacy tokens are refused.
        home: Folder for everything that this installation keeps on its own disk.
        model_dir: Folder or fsspec URL of the model versions.
        encoder: Encoder that new models start from: `bundled`, a folder, or a name on the Hugging
            Face Hub.
        translations: Table (source, target, lang) of sentences to adapt encoders with.
        lexicon: Table (source, target, lang) of words to adapt encoders with.
        public_url: How Label Studio reaches xlt.
        label_studio_public_url: How browsers reach Label Studio, for links of the web page.
            Default: `label_studio_url`.
        host: Address on which the web server listens.
        port: Port on which the web server listens.
        basic_auth_user: User that all routes except `/health` ask for.
        basic_auth_password: Password that all routes except `/health` ask for. Set both or neither.
        webhook_secret: Shared secret of the webhooks. Default: made once and kept.
        open_metrics: `/metrics` answers without a password.
        log_level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        reconcile_s: Seconds between comparisons with Label Studio, which find lost webhooks.
        tick_s: Seconds between checks for stalled work.
        lease_s: Seconds after which a round whose worker died may be started again.
        predict_deadline_s: Seconds after which the rest of a `/predict` is answered empty.
        round_timeout_s: Seconds after which a round is stopped.
        threads: CPU threads of a training. 0: one per core.
        nice: How far a training gives way to other processes, 0 to 19.
        loaded_versions: Number of models that the web server keeps in memory.
        text_cache_mb: Largest size, in MB, of the file below `home` with what frozen encoders say
            of texts: 3 KB per text with the bundled one.
        trackers: Experiment trackers that trainings log to: some of `tensorboard`, `trackio`,
            `wandb` and `mlflow`. Each reads its own environment variables; TensorBoard's files are
            in `tensorboard` below `home`.
    """

    redis_url: str | None = None
    label_studio_url: str = "http://localhost:8080"
    label_studio_token: str | None = field(default=None, repr=False)
    home: Path = Path(".xlt")
    model_dir: str = ""
    encoder: str = "bundled"
    translations: Path | None = None
    lexicon: Path | None = None
    public_url: str = ""
    label_studio_public_url: str = ""
    host: str = "127.0.0.1"
    port: int = 9090
    basic_auth_user: str | None = None
    basic_auth_password: str | None = field(default=None, repr=False)
    webhook_secret: str = field(default="", repr=False)
    open_metrics: bool = False
    log_level: str = "INFO"
    reconcile_s: float = 60.0
    tick_s: float = 5.0
    lease_s: float = 15.0
    predict_deadline_s: float = 80.0
    round_timeout_s: float = 3600.0
    threads: int = 0
    nice: int = 10
    loaded_versions: int = 4
    text_cache_mb: int = 1024
    trackers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.basic_auth_user) != bool(self.basic_auth_password):
            raise ConfigError("XLT_BASIC_AUTH_USER and XLT_BASIC_AUTH_PASS: set both, or neither")
        if not 0 < self.port < 65536:
            raise ConfigError(f"XLT_PORT must be between 1 and 65535, got {self.port}")
        if self.nice > 19:
            raise ConfigError(f"XLT_NICE must be between 0 and 19, got {self.nice}")
        if self.loaded_versions < 1:
            raise ConfigError("XLT_LOADED_VERSIONS must be at least 1, got 0")
        if not self.model_dir:
            object.__setattr__(self, "model_dir", str(self.home / "models"))
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://localhost:{self.port}")
        if not self.label_studio_public_url:
            object.__setattr__(self, "label_studio_public_url", self.label_studio_url)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Reads the settings from environment variables; empty values count as absent.

        Raises:
            ConfigError: If a variable that starts with XLT_ is unknown, or a value is invalid.
        """
        unknown = sorted(key for key in env if key.startswith("XLT_") and key not in VARIABLES)
        if unknown:
            raise ConfigError(f"unknown setting {unknown[0]}; known: {', '.join(VARIABLES)}")
        values: dict[str, Any] = {}
        for key, (name, read) in VARIABLES.items():
            raw = env.get(key, "").strip()
            if not raw:
                continue
            try:
                values[name] = read(raw)
            except (ConfigError, ValueError) as error:
                raise ConfigError(f"{key}={raw!r}: {error}") from None
        return cls(**values)

    @property
    def basic_auth(self) -> tuple[str, str] | None:
        """User and password of the routes; None if they are open."""
        if self.basic_auth_user and self.basic_auth_password:
            return self.basic_auth_user, self.basic_auth_password
        return None

    def secret(self) -> str:
        """Returns the webhooks' shared secret; generates and stores one if none is set.

        It is stored beside the models if they are on a disk, so that all processes share it.

        Raises:
            ConfigError: If the file with the secret cannot be read or written.
        """
        if self.webhook_secret:
            return self.webhook_secret
        folder = self.home if "://" in self.model_dir else Path(self.model_dir)
        try:
            return _read_or_make(folder / SECRET_FILE)
        except OSError as error:
            raise ConfigError(
                f"cannot store the webhook secret in {folder}: {error}; set XLT_WEBHOOK_SECRET"
            ) from error


def _read_or_make(path: Path) -> str:
    """Returns the secret in a file; creates it first, readable by the owner only, if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # fails if another process was first, whose secret counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
