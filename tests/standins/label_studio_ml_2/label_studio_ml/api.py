"""The server."""

from flask import Flask, jsonify, request

from label_studio_ml.model import LabelStudioMLBase

EVENTS = {"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATION_DELETED", "START_TRAINING"}
MODEL_CLASS = LabelStudioMLBase
_server = Flask(__name__)


def init_app(model_class, basic_auth_user=None, basic_auth_pass=None):
    """The application for one kind of model."""
    global MODEL_CLASS
    assert issubclass(model_class, LabelStudioMLBase)
    MODEL_CLASS = model_class
    return _server


@_server.route("/predict", methods=["POST"])
def predict():
    """A new instance answers."""
    data = request.get_json()
    project_id = str(data.get("project")).split(".", 1)[0]
    params = data.get("params") or {}
    context = params.pop("context", {})
    model = MODEL_CLASS(project_id=project_id, label_config=data.get("label_config"))
    return jsonify({"results": model.predict(data["tasks"], context=context, **params)})


@_server.route("/setup", methods=["POST"])
def setup():
    """A new instance says its version."""
    data = request.get_json()
    project_id = data["project"].split(".", 1)[0]
    model = MODEL_CLASS(project_id=project_id, label_config=data["schema"])
    if data.get("extra_params"):
        model.set_extra_params(data["extra_params"])
    return jsonify({"model_version": model.get("model_version")})


@_server.route("/webhook", methods=["POST"])
def webhook():
    """A new instance is told of some events."""
    data = request.get_json()
    event = data.pop("action")
    if event not in EVENTS:
        return jsonify({"status": "Unknown event"}), 200
    project = data["project"]
    model = MODEL_CLASS(str(project["id"]), label_config=project["label_config"])
    return jsonify({"result": model.fit(event, data), "status": "ok"}), 201


@_server.route("/health", methods=["GET"])
@_server.route("/", methods=["GET"])
def health():
    """Alive."""
    return jsonify({"status": "UP", "model_class": MODEL_CLASS.__name__})
