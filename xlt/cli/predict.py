"""`xlt predict`: labels the texts of a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from xlt.cli import arguments
from xlt.cli.predicted import FORMATS, check_format, write_predictions
from xlt.cli.report import progress_bar

_DESCRIPTION = """\
Label texts: one JSON object per row with label, confidence and probabilities; for spans with the
score of each.

  xlt predict model pool.csv > predictions.jsonl
  xlt predict model pool.conllu --format conllu > predictions.conllu        (spans)

"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt predict`."""
    parser.description = _DESCRIPTION + arguments.DATA
    parser.add_argument("model", metavar="MODEL", help="folder of a model")
    arguments.add_data(parser)
    text = "what to print; iob2 and conllu are for spans (default: %(default)s)"
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=text)


def main(args: argparse.Namespace) -> int:
    """Runs the command."""
    from xlt.models.folder import read_task
    from xlt.models.predictor import Predictor

    task = read_task(Path(args.model))
    check_format(args.format, task)
    corpus = arguments.read_data(args, answers=False, groups=False, kind=task.kind)
    predictor = Predictor.load(Path(args.model))
    arguments.announce(corpus)
    with progress_bar("reading texts") as show:
        predictions = predictor.predict(
            corpus.examples, progress=lambda done, total: show("reading texts", done, total)
        )
    write_predictions(sys.stdout, args.format, predictor.task, corpus, predictions.suggestions)
    return 0
