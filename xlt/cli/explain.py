"""`xlt explain`: the words for a label, what would change it, and labelled texts like it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xlt.cli import arguments, explained
from xlt.cli.report import progress_bar
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.rows import is_blank
from xlt.errors import ConfigError, DataError
from xlt.identification.identify import with_languages
from xlt.tasks.kinds import read_answers

if TYPE_CHECKING:
    from xlt.explain.explanation import Explanation
    from xlt.explain.neighbours import Neighbours
    from xlt.models.model import Model

_METHODS = ("occlusion", "gradients")
_DESCRIPTION = """\
Show why a model gives a text its label: by how much each word raises the log-odds of the label, a
few words without which the answer is another, and the labelled texts that are most like it.

  xlt explain model "The team won the match" "Timu ilishinda mechi"
  xlt explain model --file pool.csv --labelled labels.csv --json > reasons.jsonl

A model of two texts takes them in pairs. In scripts without spaces a word is a character. Occlusion
reads the text without each word, for every kind of task with labels; gradients are integrated
gradients, for single and multi labels of one text, whose scores add up.
"""
#: Largest number of texts of one call, and of labelled texts that are shown for each.
_MOST_TEXTS, _MOST_NEIGHBOURS = 10_000, 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt explain`."""
    parser.description = _DESCRIPTION
    add = parser.add_argument
    add("model", metavar="MODEL", help="folder of a model")
    add("texts", metavar="TEXT", nargs="*", help="text to explain")
    add("--file", metavar="FILE", help="table of texts to explain instead, as for `xlt predict`")
    add(
        "--lang",
        default=UNKNOWN_LANGUAGE,
        metavar="CODE",
        help="language of TEXT (default: its own)",
    )
    add("--label", metavar="NAME", help="label to explain (default: the suggested one)")
    text = "occlusion or gradients (default: %(default)s)"
    add("--method", choices=_METHODS, default=_METHODS[0], metavar="NAME", help=text)
    add("--labelled", metavar="FILE", help="labelled texts, to show those that are most like TEXT")
    text = "number of these, 1 to 100 (default: %(default)s)"
    add("--nearest", type=int, default=5, metavar="N", help=text)
    text = "column of FILE with the text; A,B for two texts that belong together"
    add("--text", metavar="COLUMN", help=text)
    add("--json", action="store_true", help="print one JSON object per text on standard output")


def main(args: argparse.Namespace) -> int:
    """Runs the command."""
    from xlt.explain.changes import smallest_change
    from xlt.explain.explanation import check_kind
    from xlt.explain.occlusion import occluded
    from xlt.explain.written import as_json
    from xlt.models.folder import read_task, read_texts
    from xlt.models.predictor import Predictor

    _check(args)
    folder = Path(args.model)
    task = read_task(folder)
    check_kind(task)
    examples = _examples(args, read_texts(folder))
    by_gradients = _by_gradients(folder) if args.method == "gradients" else None
    model = Predictor.load(folder)
    suggest = model.suggestions
    explain = by_gradients or partial(occluded, task, suggest)
    near = _neighbours(args, model) if args.labelled else None
    for example in examples:
        found = explain(example, args.label)
        change = smallest_change(task, suggest, found)
        neighbours = near.nearest(example, args.nearest) if near else []
        if args.json:
            row = as_json(task, found, change, neighbours, method=args.method)
            print(json.dumps(row, ensure_ascii=False))
        else:
            explained.show(task, found, change, neighbours)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuses arguments that do not fit together.

    Raises:
        ConfigError: If they do not.
    """
    if bool(args.texts) == bool(args.file):
        raise ConfigError("expected a TEXT, or --file with a table of texts, and not both")
    if not 1 <= args.nearest <= _MOST_NEIGHBOURS:
        raise ConfigError(f"--nearest must be 1 to {_MOST_NEIGHBOURS}, got {args.nearest}")


def _examples(args: argparse.Namespace, texts: int) -> Sequence[Example]:
    """Returns the examples to explain; a model of K texts takes K arguments for each.

    Raises:
        ConfigError: If the number of arguments does not fit.
        DataError: If a text is empty, or if there are too many.
    """
    if args.file:
        corpus = arguments.read_table(args.file, {"text": args.text}, answers=False)
        arguments.announce(corpus)
        examples = list(corpus.examples)
    else:
        if len(args.texts) % texts:
            raise ConfigError(f"the model reads {texts} texts together, got {len(args.texts)}")
        if any(is_blank(text) for text in args.texts):
            raise DataError("expected a TEXT with words, got an empty one")
        rows = [tuple(args.texts[at : at + texts]) for at in range(0, len(args.texts), texts)]
        examples = [
            Example(id=str(number), texts=row, lang=args.lang)
            for number, row in enumerate(rows, start=1)
        ]
        examples = with_languages(examples).examples
    if len(examples) > _MOST_TEXTS:
        raise DataError(f"{len(examples)} texts; at most {_MOST_TEXTS} can be explained at once")
    return examples


def _by_gradients(folder: Path) -> Callable[[Example, str | None], Explanation]:
    from xlt.explain.gradients import by_gradients
    from xlt.explain.network import Network

    network = Network.load(folder)
    return lambda example, label: by_gradients(network, example, label)


def _neighbours(args: argparse.Namespace, model: Model) -> Neighbours:
    """Reads --labelled."""
    from xlt.explain.neighbours import Neighbours

    corpus = arguments.read_table(args.labelled, {"text": args.text}, kind=model.task.kind)
    arguments.announce(corpus)
    labelled = read_answers(corpus.labelled, model.task)
    with progress_bar("reading labelled texts") as show:
        return Neighbours(
            model, labelled, lambda done, total: show("reading labelled texts", done, total)
        )
