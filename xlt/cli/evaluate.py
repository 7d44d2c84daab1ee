"""`xlt evaluate`: judges a model by the labels of a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from xlt.cli import arguments
from xlt.cli.judged import judged
from xlt.cli.report import progress_bar
from xlt.tasks.kinds import read_answers

_DESCRIPTION = """\
Judge a model by the labelled rows of DATA, language by language.

  xlt evaluate model test.csv --json

"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt evaluate`."""
    parser.description = _DESCRIPTION + arguments.DATA
    parser.add_argument("model", metavar="MODEL", help="folder of a model")
    arguments.add_data(parser)
    arguments.add_json(parser)


def main(args: argparse.Namespace) -> int:
    """Runs the command."""
    from xlt.models.folder import read_task
    from xlt.models.predictor import Predictor

    kind = read_task(Path(args.model)).kind
    corpus = arguments.read_data(args, groups=False, kind=kind)
    labelled = corpus.labelled
    predictor = Predictor.load(Path(args.model))
    examples = read_answers(labelled, predictor.task)
    arguments.announce(corpus)
    with progress_bar("reading texts") as show:
        predictions = predictor.predict(
            examples, progress=lambda done, total: show("reading texts", done, total)
        )
    result = judged(
        predictor.task,
        examples,
        predictions,
        title=f"{args.model} on {args.data}",
        model=Path(args.model),
        seed=arguments.seed_of(args),
    )
    if args.json:
        print(json.dumps(result | arguments.without_text(corpus), ensure_ascii=False))
    return 0
