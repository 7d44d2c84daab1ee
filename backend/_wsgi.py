"""The web server of label-studio-ml with `model.XltModel`, in both of its generations.

Start it with `label-studio-ml start backend --port 9091`, or `gunicorn _wsgi:app` in this folder.
"""

# ruff: noqa: ANN401 - label-studio-ml is untyped

from __future__ import annotations

import argparse
import logging
import os
from typing import Any

from flask import Flask, Response, jsonify, request
from label_studio_ml import api

from model import XltModel, parts
from xlt.errors import XltError
from xlt_backend.labelstudio.wire import TRAIN_EVENTS
from xlt_backend.settings import Settings
from xlt_backend.web.credentials import has_password, has_secret

OPEN = {"/", "/health"}


def make_app() -> Flask:
    """Returns their application with our model and the authentication of our own server."""
    if hasattr(api, "LabelStudioMLManager"):
        api._manager = _manager_1_0_9()
    app: Flask = api.init_app(model_class=XltModel)
    app.before_request(_guard)
    return app


def _guard() -> tuple[Response, int] | None:
    """Refuses requests without the password, if one is set; webhooks may carry the secret instead.

    Their own check asks for no password (1.0.9), or for one that webhooks do not carry (2.x).
    """
    known, path = parts(), request.path
    trusted = has_password(request.headers, known.basic_auth)
    if path == "/webhook":
        trusted = trusted or has_secret(request.headers, known.secret)
        body = request.get_json(silent=True)
        order = isinstance(body, dict) and body.get("action") in TRAIN_EVENTS
        trusted = trusted or (order and known.basic_auth is None)
    elif path in OPEN or known.basic_auth is None:
        trusted = True
    return None if trusted else (jsonify({"error": f"{path} needs the secret or Basic auth"}), 401)


def _manager_1_0_9() -> Any:
    """Returns the model manager of 1.0.9 with the methods replaced that do not suit us.

    The original serves one project, names versions by the time of day, starts a process for each
    event and writes the event to disk, including the project's password.
    """
    from label_studio_ml.model import LabelStudioMLManager, ModelWrapper

    class Manager(LabelStudioMLManager):
        @classmethod
        def fetch(cls, project: Any = None, label_config: Any = None, *_: Any, **__: Any) -> Any:
            model = XltModel(label_config=label_config)
            return ModelWrapper(model=model, model_version=model.get("model_version"))

        @classmethod
        def predict(
            cls, tasks: Any, project: Any, label_config: Any, *_: Any, **params: Any
        ) -> Any:
            model = XltModel(project_id=project, label_config=label_config)
            results = model.predict(tasks, **params)
            version = next((r["model_version"] for r in results if r["model_version"]), "")
            return results, ModelWrapper(model=model, model_version=version)

        @classmethod
        def webhook(cls, event: str, data: dict[str, Any]) -> dict[str, Any]:
            return XltModel().fit(event=event, data=data)

        @classmethod
        def train(cls, *_: Any, **__: Any) -> None:
            """Does nothing: Label Studio has not called /train since 1.4.1."""

        @classmethod
        def _get_models_from_workdir(cls, project: str) -> list[str]:
            return parts().service.versions(project.split(".", 1)[0])

    return Manager()


def main() -> None:
    """Runs Flask's development server, as label-studio-ml does."""
    try:
        settings = Settings.from_env(os.environ)
    except XltError as error:
        raise SystemExit(f"xlt: {error}") from None
    parser = argparse.ArgumentParser(description="xlt under label-studio-ml")
    parser.add_argument("-p", "--port", type=int, default=settings.port)
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--log-level", default=settings.log_level)
    args = parser.parse_args()
    logging.basicConfig(level=args.log_level, format="%(levelname)-7s %(name)s %(message)s")
    app = make_app()
    parts()  # starts to load the models before the first request
    app.run(host=args.host, port=args.port)


if __name__ == "__main__":
    main()
else:
    app = make_app()
