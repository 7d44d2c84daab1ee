"""Compares serving a model by its export with serving it by torch.

    export OMP_WAIT_POLICY=passive  # threads that wait do not spin
    python benchmarks/serving/run.py --json benchmarks/serving/result.json

A frozen model, the default, learns the labels of the demo's texts and is exported. Then processes
that load what a web server loads take turns: by torch, by the export in eight bits, and by the
export in float32. Each measures, on one thread, its start (processor seconds from its first line
to its first prediction), one text, texts per processor second and its memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXTS = Path(__file__).parents[2] / "backend" / "xlt_backend" / "demo" / "texts" / "topics.jsonl"
RUNTIMES = ("torch", "int8", "float32")
_TRAINED, _LATENCY = 300, 60
_SERVE = """
import json, sys, time
from pathlib import Path

def memory():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {key: int(status[name].split()[0]) / 1024 for key, name in (
        ("anonymous_mib", "RssAnon"), ("resident_mib", "VmRSS"))}

from xlt.data.examples import Example
from xlt_backend.run.web import Models
import xlt_backend.web.app

texts = [Example(id="", texts=(row["text"],), lang=row["lang"]) for row in json.load(sys.stdin)]
model = Models().load(Path(sys.argv[1]))
found = {"start_cpu_s": time.process_time(), "loaded": memory()}
seconds = []
for text in texts[: int(sys.argv[2])]:
    began = time.perf_counter()
    model.predict([text])
    seconds.append(time.perf_counter() - began)
found["one_text_ms"] = 1000 * sorted(seconds)[len(seconds) // 2]
began = time.process_time()
for start in range(0, len(texts), 32):
    model.predict(texts[start : start + 32])
found["texts_per_cpu_s"] = len(texts) / (time.process_time() - began)
found["served"] = memory()
print(json.dumps(found))
"""


def exported(folder: Path, rows: list[dict[str, str]], encoder: str) -> dict[str, object]:
    """Trains a model and exports it in both types; returns its cost and how nearly they answer."""
    from xlt.config import TrainConfig
    from xlt.data.examples import Example
    from xlt.encoder.encoder import load_encoder
    from xlt.encoder.export import export, quantize
    from xlt.encoder.exported import Encoders
    from xlt.models.exported import ExportedModel
    from xlt.models.parity import compare
    from xlt.models.predictor import Predictor
    from xlt.models.serving import Serving
    from xlt.tasks.single_label.task import SingleLabel
    from xlt.training.train import train

    texts = [
        Example(id=row["id"], texts=(row["text"],), lang=row["lang"], answer=row["label"])
        for row in rows
    ]
    task = SingleLabel(labels=tuple(sorted({row["label"] for row in rows})))
    config = TrainConfig(encoder=encoder, learner="frozen")
    train(texts[:_TRAINED], texts[_TRAINED:], task, config, folder / "torch")
    loaded = load_encoder(str(folder / "torch"))
    for name in ("float32", "int8"):
        shutil.copytree(folder / "torch", folder / name)
    began = time.process_time()
    export(loaded, loaded.upper_layers, folder / "float32")
    found: dict[str, object] = {"export_cpu_s": time.process_time() - began}
    quantize(folder / "float32", folder / "int8")
    found["with_quantizing_cpu_s"] = time.process_time() - began
    for name in RUNTIMES:
        Serving(runtime=name, reason="benchmark").write(folder / name)
    unseen = texts[_TRAINED:]
    expected = Predictor.load(folder / "torch").predict(unseen)
    for name in ("int8", "float32"):
        model = ExportedModel.load(folder / name, Encoders())
        parity = compare(task, unseen, expected, model.predict(unseen))
        found[name] = {
            "texts": parity.texts,
            "same_answers": 1 - parity.changed,
            "cosine": parity.cosine,
            "least_cosine": parity.least_cosine,
            "accepted": parity.accepted,
        }
    return found


def measured(folder: Path, rows: list[dict[str, str]]) -> dict[str, float]:
    """Serves the texts in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", _SERVE, str(folder), str(_LATENCY)],
        input=json.dumps(rows), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    for when in ("loaded", "served"):
        found |= {f"{when}_{key}": value for key, value in found.pop(when).items()}
    return dict(found)


def main() -> None:
    """Measures and writes one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    args = parser.parse_args()
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    rows = [rows[i * 7919 % len(rows)] for i in range(len(rows))]
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in RUNTIMES}
    with tempfile.TemporaryDirectory() as place:
        exports = exported(Path(place), rows, args.encoder)
        for _ in range(args.rounds):
            for name in RUNTIMES:
                turns[name].append(measured(Path(place) / name, rows[: args.texts]))
    results = {
        name: {key: statistics.median(turn[key] for turn in own) for key in own[0]}
        for name, own in turns.items()
    }
    ratios = {
        name: {key: results[name][key] / results["torch"][key] for key in results[name]}
        for name in RUNTIMES[1:]
    }
    document = {"results": results, "ratios_to_torch": ratios, "exports": exports}
    text = json.dumps(document, indent=1)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
