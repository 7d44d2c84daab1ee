"""`xlt predict`: labels the texts of a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from xlt.cli import arguments
from xlt.cli.report import progress_bar

_DESCRIPTION = """\
Label texts: one JSON object per row with label, confidence and probabilities; for spans with the
confidence of each, in order.

  xlt predict model pool.csv > predictions.jsonl

"""


def add_command(subparsers: arguments.Subparsers) -> None:
    """Adds the command."""
    parser = arguments.add_command(
        subparsers,
        "predict",
        summary="label a file's texts",
        description=_DESCRIPTION + arguments.DATA,
        run=run,
    )
    parser.add_argument("model", metavar="MODEL", help="folder of a model")
    arguments.add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    from xlt.models.predictor import Predictor

    corpus = arguments.read_data(args, answers=False, groups=False)
    examples = corpus.examples
    predictor = Predictor.load(Path(args.model))
    arguments.announce(corpus)
    with progress_bar("reading texts") as show:
        predictions = predictor.predict(
            examples, progress=lambda done, total: show("reading texts", done, total)
        )
    for example, suggestion in zip(examples, predictions.suggestions, strict=True):
        row = {
            "id": example.id,
            "lang": example.lang,
            "label": predictor.task.plain(suggestion.answer),
            "confidence": round(suggestion.confidence, 4),
            **({"parts": [round(v, 4) for v in suggestion.parts]} if suggestion.parts else {}),
            "probabilities": {k: round(v, 4) for k, v in suggestion.probabilities.items()},
        }
        print(json.dumps(row, ensure_ascii=False))
    return 0
