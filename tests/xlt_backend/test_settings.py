"""Deployment facts from the environment."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xlt.errors import ConfigError
from xlt_backend.settings import VARIABLES, Settings


def test_no_setting_at_all():
    """Everything has a default: an embedded Redis, a local folder, the bundled encoder."""
    settings = Settings.from_env({})

    assert settings.redis_url is None
    assert settings.model_dir == str(Path(".xlt/models"))
    assert settings.encoder == "bundled"
    assert settings.public_url == "http://localhost:9090"
    assert settings.basic_auth is None


def test_variables_are_read():
    """What is set counts; spaces and a slash at the end do not."""
    settings = Settings.from_env(
        {
            "REDIS_URL": " redis://r:6379/1 ",
            "LABEL_STUDIO_URL": "https://labels.example.org/",
            "XLT_HOME": "/srv/xlt",
            "XLT_PORT": "9191",
            "XLT_OPEN_METRICS": "yes",
            "XLT_RECONCILE_S": "2.5",
            "XLT_BASIC_AUTH_USER": "u",
            "XLT_BASIC_AUTH_PASS": "p",
            "PATH": "/bin",
        }
    )

    assert settings.redis_url == "redis://r:6379/1"
    assert settings.label_studio_url == "https://labels.example.org"
    assert settings.model_dir == "/srv/xlt/models"
    assert settings.public_url == "http://localhost:9191"
    assert settings.open_metrics is True
    assert settings.reconcile_s == 2.5
    assert settings.basic_auth == ("u", "p")


def test_empty_values_count_as_absent():
    """`REDIS_URL=` in a compose file means: not set."""
    assert Settings.from_env({"REDIS_URL": "", "XLT_PORT": ""}) == Settings()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"XLT_MODELDIR": "x"}, "unknown setting XLT_MODELDIR; known: REDIS_URL"),
        ({"XLT_PORT": "http"}, "XLT_PORT='http'"),
        ({"XLT_PORT": "0"}, "between 1 and 65535, got 0"),
        ({"XLT_PORT": "70000"}, "between 1 and 65535, got 70000"),
        ({"XLT_TICK_S": "-1"}, "XLT_TICK_S='-1': must be a positive number"),
        ({"XLT_TICK_S": "nan"}, "XLT_TICK_S='nan': must be a positive number"),
        ({"XLT_OPEN_METRICS": "maybe"}, "must be one of 1, true"),
        ({"LABEL_STUDIO_URL": "localhost:8080"}, "http://localhost:8080"),
        ({"XLT_LOG_LEVEL": "loud"}, "DEBUG, INFO"),
        ({"XLT_BASIC_AUTH_USER": "u"}, "set both, or neither"),
        ({"XLT_NICE": "20"}, "between 0 and 19, got 20"),
        ({"XLT_LOADED_VERSIONS": "0"}, "at least 1"),
    ],
)
def test_bad_values_are_named(env, words):
    """The message has the variable, the value and what was expected."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(env)

    assert words in str(caught.value)


def test_every_variable_fills_a_field():
    """The table and the class agree."""
    fields = set(Settings.__dataclass_fields__)

    assert {name for name, _ in VARIABLES.values()} == fields


def test_secrets_are_not_shown():
    """Settings in a log do not give the tokens away."""
    settings = Settings(
        label_studio_token="tok",
        webhook_secret="sec",
        basic_auth_user="u",
        basic_auth_password="p4",
    )

    assert all(secret not in repr(settings) for secret in ("tok'", "sec", "p4"))


def test_secret_is_made_once(tmp_path):
    """The first process makes it, the others read it; other users cannot."""
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: settings.secret(), range(40)))

    assert len(found) == 1
    assert len(found.pop()) >= 32
    (path,) = (tmp_path / "models").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secret_of_remote_models_is_kept_at_home(tmp_path):
    """An fsspec URL is no folder."""
    settings = Settings(home=tmp_path, model_dir="s3://bucket/models")

    assert settings.secret() == settings.secret()
    assert [path.name for path in tmp_path.iterdir()] == ["webhook-secret"]


def test_secret_that_is_set_is_used(tmp_path):
    """Nothing is written then."""
    assert Settings(home=tmp_path, webhook_secret="given").secret() == "given"
    assert list(tmp_path.iterdir()) == []


def test_secret_that_cannot_be_kept(tmp_path):
    """The message names the folder."""
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ConfigError, match="cannot store the webhook secret in"):
        Settings(home=tmp_path).secret()


def test_links_lead_to_where_browsers_reach_label_studio():
    """In a container network, xlt reaches Label Studio at an address that no browser knows."""
    inside = {"LABEL_STUDIO_URL": "http://label-studio:8080"}
    outside = {"XLT_LABEL_STUDIO_PUBLIC_URL": "https://label.example.com/"}

    assert Settings.from_env(inside).label_studio_public_url == "http://label-studio:8080"
    both = Settings.from_env(inside | outside)
    assert both.label_studio_public_url == "https://label.example.com"
    assert both.label_studio_url == "http://label-studio:8080"
