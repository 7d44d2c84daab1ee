"""What docker-compose.yml and backend/Dockerfile start, tested without an engine.

The file is resolved by whichever Compose is there; what it then starts (commands, environment,
health checks, the image's pip install) runs here instead of in containers.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from xlt_backend.cli import build_parser
from xlt_backend.demo.studio import LABEL_STUDIO_VERSION, free_port
from xlt_backend.settings import VARIABLES, Settings

CLONE = Path(__file__).parents[2]
FILE, EXAMPLE = CLONE / "docker-compose.yml", CLONE / ".env.example"
DOCKERFILE = CLONE / "backend" / "Dockerfile"
OURS = ("backend", "worker", "worker-gpu")

#: What a user has to fill in.
FILLED = {
    "POSTGRES_PASSWORD": "database-password",
    "LABEL_STUDIO_USERNAME": "admin@example.com",
    "LABEL_STUDIO_PASSWORD": "login-password",
    "XLT_BASIC_AUTH_PASS": "basic-password",
    "XLT_WEBHOOK_SECRET": "webhook-secret",
}

pytestmark = pytest.mark.timeout(300)


# The resolved file ------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def compose() -> tuple[str, ...]:
    """The command of Compose, version 2 or 1.29."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return command
    if os.environ.get("CI"):
        pytest.fail("neither `docker compose` nor `docker-compose` is here")
    pytest.skip("neither `docker compose` nor `docker-compose` is here")


def resolve(folder: Path, values: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose makes of our file, with these lines in .env."""
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    words = ["--env-file", str(env_file), "-f", str(FILE), "--profile", "gpu", "config"]
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [*compose(), *words], capture_output=True, text=True, check=False, env=env
    )


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> dict[str, Any]:
    """The whole file, with the variables of `FILLED`."""
    done = resolve(tmp_path_factory.mktemp("compose"), FILLED)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


@pytest.fixture(scope="module")
def services(config) -> dict[str, dict[str, Any]]:
    """Its services."""
    return config["services"]


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """Folder in the container -> volume (Compose 2 says it at length, 1 in one line)."""
    found = {}
    for volume in service.get("volumes", []):
        if isinstance(volume, str):
            source, target, *_ = volume.split(":")
            found[target] = source
        else:
            found[volume["target"]] = volume["source"]
    return found


def ports(service: Mapping[str, Any]) -> dict[int, str]:
    """Port in the container -> where it is published."""
    found = {}
    for port in service.get("ports", []):
        if isinstance(port, str):
            outside, inside = port.removesuffix("/tcp").rsplit(":", 1)
            found[int(inside)] = outside
        else:
            host = f"{port['host_ip']}:" if port.get("host_ip") else ""
            found[int(port["target"])] = f"{host}{port['published']}"
    return found


def text_of(environment: Mapping[str, Any]) -> dict[str, str]:
    """Values as a process sees them."""
    return {name: "" if value is None else str(value) for name, value in environment.items()}


def test_all_that_is_needed_is_there(services):
    """Label Studio on PostgreSQL, Redis, web server, worker; each comes back and says how it is."""
    assert set(services) == {"label-studio", "postgres", "redis", *OURS}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert service["healthcheck"]["retries"] >= 3, name


def test_whoever_needs_another_waits_until_it_is_well(services):
    """A database that starts is no database yet."""
    needs = {name: service.get("depends_on", {}) for name, service in services.items()}
    assert needs["label-studio"]["postgres"]["condition"] == "service_healthy"
    for name in OURS:
        assert needs[name]["redis"]["condition"] == "service_healthy"


def test_what_must_survive_is_on_volumes(services, config):
    """Database, queue, uploads and models; web server and workers share the models."""
    assert mounts(services["postgres"]) == {"/var/lib/postgresql/data": "postgres"}
    assert mounts(services["redis"]) == {"/data": "redis"}
    assert mounts(services["label-studio"]) == {"/label-studio/data": "label-studio"}
    for name in OURS:
        folders = mounts(services[name])
        assert folders[services[name]["environment"]["XLT_MODEL_DIR"]] == "models"
    used = {volume for service in services.values() for volume in mounts(service).values()}
    assert used == set(config["volumes"])


def test_the_queue_survives(services):
    """Redis writes each change down, and forgets nothing when memory is short."""
    command = services["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_database_names_agree(services):
    """What Label Studio asks for is what PostgreSQL makes."""
    asks = text_of(services["label-studio"]["environment"])
    makes = text_of(services["postgres"]["environment"])
    assert asks["DJANGO_DB"] == "default"  # that is PostgreSQL
    assert asks["POSTGRE_HOST"] == "postgres"
    assert asks["POSTGRE_NAME"] == makes["POSTGRES_DB"]
    assert asks["POSTGRE_USER"] == makes["POSTGRES_USER"]
    assert asks["POSTGRE_PASSWORD"] == makes["POSTGRES_PASSWORD"] == "database-password"


def test_the_label_studio_that_xlt_is_tested_with(services):
    """The same version as in the end-to-end tests, never `latest`."""
    assert services["label-studio"]["image"] == f"heartexlabs/label-studio:{LABEL_STUDIO_VERSION}"
    environment = services["label-studio"]["environment"]
    assert not [name for name in environment if "LEGACY" in name or "USER_TOKEN" in name]


def test_label_studio_may_reach_us(services):
    """Private addresses are allowed, those of cloud metadata are not (e2e: test_connect.py)."""
    environment = text_of(services["label-studio"]["environment"])
    assert environment["USE_DEFAULT_BANNED_SUBNETS"] == "false"
    assert environment["USER_ADDITIONAL_BANNED_SUBNETS"] == "169.254.0.0/16"
    assert environment["SSRF_PROTECTION_ENABLED"] == environment["ML_BLOCK_LOCAL_IP"] == "true"


def test_everybody_is_reached_where_it_listens(services):
    """Addresses between the services name a service and the port it listens on."""
    web = Settings.from_env(text_of(services["backend"]["environment"]))
    assert (web.host, web.port) == ("0.0.0.0", 9090)
    assert web.public_url == f"http://backend:{web.port}"
    assert web.redis_url == "redis://redis:6379/0"
    assert web.label_studio_url == "http://label-studio:8080"
    assert ports(services["label-studio"]) == {8080: "8080"}
    assert ports(services["backend"]) == {web.port: "127.0.0.1:9090"}  # not for the world
    assert not ports(services["redis"])
    assert not ports(services["postgres"])
    for name, port in (("backend", web.port), ("label-studio", 8080)):
        assert f"127.0.0.1:{port}/health" in services[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_known(services, name):
    """Each variable is a setting of xlt, and all together they are usable."""
    environment = text_of(services[name]["environment"])
    assert set(environment) <= set(VARIABLES)
    settings = Settings.from_env(environment)
    assert settings.basic_auth == ("xlt", "basic-password")
    assert settings.secret() == "webhook-secret"
    assert settings.label_studio_token is None  # made after the first start
    assert environment == text_of(services["backend"]["environment"])


def test_a_gpu_is_used_on_demand_only(services):
    """The worker with a GPU is in a profile, reserves it, and has a torch that can use it."""
    worker = services["worker-gpu"]
    (device,) = worker["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert worker["profiles"] == ["gpu"]
    assert worker["build"]["args"] == {"TORCH_INDEX": "https://pypi.org/simple"}
    assert worker["image"] != services["worker"]["image"]
    assert [name for name, service in services.items() if service.get("profiles")] == ["worker-gpu"]


@pytest.mark.parametrize("name", OURS)
def test_our_images_are_built_from_the_dockerfile(services, name):
    """From the root of the repository."""
    build = services[name]["build"]
    assert Path(build["context"]).resolve() == CLONE
    assert (CLONE / build["dockerfile"]).resolve() == DOCKERFILE
    known = {line.split()[1].split("=")[0] for line in instructions("ARG")}
    assert set(build.get("args") or {}) <= known


# Secrets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILLED)
def test_without_a_secret_nothing_starts(tmp_path, name):
    """Compose says which variable is missing and where it belongs."""
    done = resolve(tmp_path, {key: value for key, value in FILLED.items() if key != name})
    assert done.returncode != 0
    assert ".env.example" in done.stderr
    assert name in done.stderr


def test_no_secret_is_in_the_file(tmp_path):
    """They come from .env, all of them."""
    raw = yaml.safe_load(FILE.read_text())
    for name, service in raw["services"].items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASS|SECRET|TOKEN|KEY", key):
                assert re.fullmatch(r"\$\{\w+:[-?][^}]*\}", value), f"{name}: {key}"
    assert "/.env\n" in (CLONE / ".gitignore").read_text()


def test_the_example_names_what_the_file_reads():
    """Nothing is missing in .env.example, nothing in it is without effect."""
    reads = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    named = re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE.read_text(), flags=re.MULTILINE)
    assert {name for name, _ in named} == reads
    assert [value for name, value in named if re.search("PASS|SECRET|KEY", name) and value] == []


def test_the_example_as_it_is_asks_for_the_rest(tmp_path):
    """Copied and not filled in, it starts nothing; filled in, it does."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and line[0] != "#"]
    values = dict(line.split("=", 1) for line in lines)
    assert resolve(tmp_path, values).returncode != 0
    assert resolve(tmp_path, values | FILLED).returncode == 0


# What is started --------------------------------------------------------------------------------


def documented() -> list[str]:
    """Commands of xlt in the files' comments."""
    found = re.findall(r"\bxlt (?:connect|doctor)[^\n]*", EXAMPLE.read_text())
    assert len(found) == 3
    return found


@pytest.mark.parametrize("command", documented())
def test_documented_commands_exist(command):
    """The parser of `xlt` takes what .env.example says."""
    with contextlib.suppress(SystemExit) if "--help" in command else contextlib.nullcontext():
        words = shlex.split(command)[1:]
        assert hasattr(build_parser(words[0]).parse_args(words), "run")


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(services, name):
    """Each service runs a command that `xlt` has."""
    program, *words = services[name]["command"]
    assert program == "xlt"
    assert hasattr(build_parser(words[0]).parse_args(words), "run")
    done = subprocess.run([sys.executable, "-m", "xlt_backend.cli", *words, "--help"], check=False)
    assert done.returncode == 0


def here(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """A command of a container, to be run on this machine."""
    program, *rest = command
    known = {
        "xlt": [sys.executable, "-m", "xlt_backend.cli"],
        "python": [sys.executable],
    }
    return [
        *known[program],
        *(word.replace(":9090/", f":{environment['XLT_PORT']}/") for word in rest),
    ]


@pytest.fixture
def local(services, redis_socket, tmp_path) -> Callable[[str], dict[str, str]]:
    """The environment of a service, with folders, Redis and a port of this machine."""

    def make(name: str) -> dict[str, str]:
        changes = {
            "XLT_HOME": str(tmp_path),
            "XLT_MODEL_DIR": str(tmp_path / "models"),
            "REDIS_URL": f"unix://{redis_socket}",
            "XLT_PORT": str(free_port()),
            "PATH": os.environ["PATH"],
        }
        return text_of(services[name]["environment"]) | changes

    return make


@contextlib.contextmanager
def running(command: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process, as long as the block lasts; it ends by itself when it is asked to."""
    process = subprocess.Popen(command, env=dict(env))
    try:
        yield process
    finally:
        process.terminate()
        try:
            assert process.wait(timeout=30) is not None
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["backend", "worker"])
def test_health_checks_tell_the_truth(services, local, redis, name):
    """Ill before it is started, well soon after; the commands are the file's own."""
    env = local(name)
    check = here(services[name]["healthcheck"]["test"][1:], env)

    def well() -> bool:
        return subprocess.run(check, env=env, capture_output=True, check=False).returncode == 0

    assert not well()
    with running(here(services[name]["command"], env), env) as process:
        deadline = time.monotonic() + 120
        while not well():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert not well()


# The image --------------------------------------------------------------------------------------


def instructions(kind: str) -> list[str]:
    """Lines of the Dockerfile of one kind, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line for line in lines if line.startswith(f"{kind} ")]


def copied() -> list[str]:
    """What the image is built from."""
    lines = [line for line in instructions("COPY") if "--from=" not in line]
    return [source for line in lines for source in line.split()[1:-1]]


def test_the_image_is_built_from_what_is_there():
    """Each source exists, and .dockerignore lets it (and nothing else) through."""
    ignored = (CLONE / ".dockerignore").read_text().split("\n")
    assert "*" in ignored
    let_through = {line[1:] for line in ignored if line.startswith("!")}
    assert let_through == {source.removeprefix("./") for source in copied()}
    for source in copied():
        assert (CLONE / source).exists()


def test_the_image_runs_as_nobody_in_particular():
    """Not as root, from folders that it may write to; Python is one that xlt supports."""
    (user,) = (line.split()[1] for line in instructions("USER"))
    (made,) = (line for line in instructions("RUN") if "useradd" in line)
    assert user == "xlt"
    assert f"--owner {user}" in made
    for image in instructions("FROM"):
        assert image.split()[1] == "python:3.11-slim"


def test_the_image_s_settings_are_known(services):
    """They are settings of xlt, and Compose repeats rather than contradicts them."""
    (final,) = (line for line in instructions("ENV") if "XLT_" in line)
    values = dict(word.split("=", 1) for word in final.split()[1:])
    ours = {name: value for name, value in values.items() if name.startswith("XLT_")}
    assert set(ours) <= set(VARIABLES)
    environment = text_of(services["backend"]["environment"])
    assert {name: environment[name] for name in ours} == ours
    assert [line.split()[1] for line in instructions("EXPOSE")] == [ours["XLT_PORT"]]
    assert values["HF_HOME"] in mounts(services["worker"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """What the Dockerfile's pip install makes of the copied files, less the dependencies."""
    folder = tmp_path_factory.mktemp("image")
    source, target = folder / "src", folder / "site-packages"
    source.mkdir()
    for name in copied():
        if (CLONE / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(CLONE / name, source / name, ignore=ignore)
        else:
            shutil.copy2(CLONE / name, source / name)
    *_, ours = (line for line in instructions("RUN") if line.endswith(" ."))
    script = ours.removeprefix("RUN ") + f" --no-deps --quiet --target {shlex.quote(str(target))}"
    env = {**os.environ}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    env.pop("PIP_CONSTRAINT", None)
    script = script.replace('--extra-index-url "$TORCH_INDEX" ', "")  # no torch is installed here
    done = subprocess.run(
        ["sh", "-c", script], cwd=source, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode and not os.environ.get("CI") and "hatchling" in done.stderr:
        pytest.skip("pip cannot fetch what builds the package")
    assert done.returncode == 0, done.stderr
    return target


def test_the_image_s_command_runs(installed):
    """From the installed files, not from the clone: the image has nothing else."""
    (line,) = instructions("CMD")
    program, *words = json.loads(line.removeprefix("CMD "))
    script = (installed / "bin" / program).read_text()
    assert "xlt_backend.cli" in script
    code = (
        "import sys, xlt, xlt_backend.cli as c; print(xlt.__file__); sys.exit(c.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--help"],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))
    assert "usage: xlt serve" in done.stdout


def test_the_image_has_the_data_files(installed):
    """The bundled encoder and the demo's texts are in the package."""
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (installed / "xlt" / "bundled" / name).stat().st_size > 100
    ours = {
        p.relative_to(CLONE / "backend") for p in (CLONE / "backend").glob("xlt_backend/**/texts/*")
    }
    assert ours
    for path in ours:
        assert (installed / path).exists()
