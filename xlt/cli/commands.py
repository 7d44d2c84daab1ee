"""`xlt train | predict | select | evaluate | simulate`: the library on files, without Label Studio.

Data goes to standard output (JSON lines), words to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from xlt.cli import adapt as adaptation
from xlt.cli import files as work
from xlt.cli import simulate as simulation
from xlt.cli.report import language_table, progress_bar, signature
from xlt.data.corpus import read_examples, read_pairs, split_by_group
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.review.labels import base_vectors, recheck
from xlt.sampling.pool import Measure, Quota, SamplerOptions
from xlt.sampling.transfer import Transfer, transfer_of
from xlt.tasks import metrics

if TYPE_CHECKING:
    from xlt.config import TrainConfig

_DATA = """\
DATA is a .csv, .tsv or .jsonl file (each also .gz), .parquet, or owner/name:split on the Hub.
Columns are found by their usual names (text, lang, label, id, group); name others by options.
"""
_SEED = 13
_TRAIN = """\
Train a model on the labelled rows of DATA; rows without a label are unlabelled text.

  xlt train labels.csv --unlabelled pool.jsonl --target hau,yor --out model

A tenth of the labelled groups is held out to judge and to calibrate the model (--held-out).

"""
_PREDICT = """\
Label texts: one JSON object per row with label, confidence and probabilities.

  xlt predict model pool.csv > predictions.jsonl

"""
_SELECT = """\
What to label next: the rows of DATA without a label, the one to label next first.

  xlt select model data.csv --batch 50 --source en --explain
  xlt select bundled data.csv        (no model yet: by what is typical)
  xlt select model data.csv --relabel        (which labels to check: the rows that have one)

"""
_EVALUATE = """\
Judge a model by the labelled rows of DATA, language by language.

  xlt evaluate model test.csv --json

"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the five commands; each sets `run`, a function of the parsed arguments."""
    train = _command(subparsers, "train", "train a model on a file", _TRAIN, _run_train)
    predict = _command(subparsers, "predict", "label a file's texts", _PREDICT, _run_predict)
    words = "order a file's texts: what to label next"
    select = _command(subparsers, "select", words, _SELECT, _run_select)
    words = "judge a model by a file's labels"
    evaluate = _command(subparsers, "evaluate", words, _EVALUATE, _run_evaluate)
    for parser in (predict, select, evaluate):
        parser.add_argument("model", metavar="MODEL", help="folder of a model")
    for parser in (train, predict, select, evaluate):
        _data_options(parser)
    for parser in (train, evaluate):
        words = "the result as one JSON object on standard output"
        parser.add_argument("--json", action="store_true", help=words)
    _train_options(train)
    _select_options(select)
    simulation.add_command(subparsers)
    adaptation.add_command(subparsers)


def _train_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    words = "languages whose unlabelled texts count, e.g. hau,yor (default: all)"
    add("--target", default="", metavar="LANGS", help=words)
    add("--unlabelled", metavar="FILE", help="more unlabelled texts")
    add("--pairs", metavar="FILE", help="translations, columns source and target")
    words = "share of the labelled groups kept from training (default: %(default)s)"
    add("--held-out", type=float, default=0.1, metavar="SHARE", help=words)
    add("--config", type=Path, metavar="TOML", help="hyper-parameters")
    add("--encoder", metavar="NAME", help="bundled, a folder or a name on the Hugging Face Hub")
    add("--max-steps", type=int, metavar="N", help="stop after N steps")


def _command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    words: str,
    description: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        name,
        help=words,
        description=description + _DATA,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="table of texts")
    columns = parser.add_argument_group("columns of DATA")
    for name in ("text", "lang", "label", "id", "group"):
        columns.add_argument(f"--{name}", metavar="COLUMN", help=f"column with the {name}")
    columns.add_argument("--split", metavar="NAME", help="only rows whose column split says so")
    parser.add_argument("--seed", type=int, metavar="N", help=f"default: {_SEED}")


def _select_options(parser: argparse.ArgumentParser) -> None:
    default = SamplerOptions()
    add = parser.add_argument
    add("--batch", type=int, default=default.batch, metavar="N", help="default: %(default)s")
    add("--source", default="", metavar="LANGS", help="languages labelled for the others' sake")
    share = "share of the batch for the source languages (default: %(default)s)"
    add("--source-share", type=float, default=default.source_share, metavar="SHARE", help=share)
    quota = "how the other languages share the rest (default: %(default)s)"
    kinds = [kind for kind in get_args(Quota) if kind != "fixed"]
    add("--quota", choices=kinds, default=default.quota, help=quota)
    audit = "share of the batch drawn at random, to judge models by (default: %(default)s)"
    add("--audit-share", type=float, default=default.audit_share, metavar="SHARE", help=audit)
    control = "share of the others drawn at random, to train and compare (default: %(default)s)"
    add("--control-share", type=float, default=default.control_share, metavar="SHARE", help=control)
    measures, words = get_args(Measure), "kind of uncertainty (default: %(default)s)"
    add("--measure", choices=measures, default=default.measure, help=words)
    add("--explain", action="store_true", help="say why each text stands where it stands")
    add("--all", action="store_true", help="print the whole order, not the batch alone")
    words = "order the labelled rows instead, the one whose label is most doubtful first"
    add("--relabel", action="store_true", help=words)


def _run_train(args: argparse.Namespace) -> int:
    from xlt.training.loop import Progress, train

    config = _config(args)
    examples = _read(args)
    labelled = [example for example in examples if example.label is not None]
    task = work.task_of(labelled)
    kept, held = split_by_group(labelled, args.held_out, np.random.default_rng(_seed(args)))
    texts = [example for example in examples if example.label is None]
    if args.unlabelled:
        texts += work.with_languages(read_examples(args.unlabelled))
    texts = work.without_groups(work.in_languages(texts, _codes(args.target)), held)
    pairs = read_pairs(args.pairs) if args.pairs else []
    _say(f"{len(kept)} labels, {len(held)} held out, {len(texts)} texts without a label")
    with progress_bar("training") as show:

        def told(progress: Progress) -> None:
            show(progress.phase, progress.step, progress.steps)

        result = train(kept, texts, task, config, args.out, pairs=pairs, progress=told)
        model = work.load(args.out)
        found = work.answer(*model, held, show) if held else None
    summary: dict[str, object] = {
        "out": str(args.out),
        "labels": list(task.labels),
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
    }
    if found is not None:
        work.fit_and_save(args.out, held, found, task)
        summary["held_out"] = _judged(args, held, found, "held-out labels")
    _say(f"model in {args.out}")
    if args.json:
        print(json.dumps(summary, ensure_ascii=False))
    return 0


def _run_predict(args: argparse.Namespace) -> int:
    examples = _read(args)
    model = work.load(Path(args.model))
    with progress_bar("reading texts") as show:
        found = work.answer(*model, examples, show)
    for example, prediction in zip(examples, found.predictions(examples), strict=True):
        row = {
            "id": example.id,
            "lang": example.lang,
            "label": prediction.label,
            "confidence": round(prediction.confidence, 4),
            "probabilities": {k: round(v, 4) for k, v in prediction.probabilities.items()},
        }
        print(json.dumps(row, ensure_ascii=False))
    return 0


def _run_select(args: argparse.Namespace) -> int:
    options = SamplerOptions(
        batch=args.batch,
        source_languages=tuple(_codes(args.source)),
        source_share=args.source_share,
        quota=args.quota,
        audit_share=args.audit_share,
        control_share=args.control_share,
        measure=args.measure,
    )
    examples = _read(args)
    if args.relabel:
        return _run_relabel(args, examples)
    if all(example.label is not None for example in examples):
        raise DataError(f"every row of {args.data} has a label: there is nothing to choose from")
    model = None if args.model == "bundled" else work.load(Path(args.model))
    with progress_bar("reading texts") as show:
        transfer = _transfer(args, examples)
        selection = work.order(model, examples, options, _seed(args), show, transfer)
    shares = ", ".join(f"{lang} {count}" for lang, count in selection.quotas.items())
    _say(f"a batch of {selection.batch}: {shares}")
    text = {example.id: example.text for example in examples}
    for pick in selection.picks if args.all else selection.picks[: selection.batch]:
        row = asdict(pick) | {"text": text[pick.id]}
        if not args.explain:
            del row["reason"], row["neighbours"]
        print(json.dumps(row, ensure_ascii=False))
    return 0


def _transfer(args: argparse.Namespace, examples: Sequence[Example]) -> Transfer | None:
    """What labels of the source are worth to the targets, as far as those in the file say."""
    labelled = [example for example in examples if example.label is not None]
    if not labelled or not args.source or args.quota != "adaptive":
        return None
    vectors = base_vectors(args.model, [example.text for example in labelled])
    rng = np.random.default_rng(_seed(args))
    return transfer_of(labelled, vectors, _codes(args.source), rng)


def _run_relabel(args: argparse.Namespace, examples: Sequence[Example]) -> int:
    labelled = [example for example in examples if example.label is not None]
    task = work.task_of(labelled)
    vectors = base_vectors(args.model, [example.text for example in labelled])
    answers = {example.id: {"": str(example.label)} for example in labelled}
    found = recheck(labelled, answers, vectors, task, np.random.default_rng(_seed(args)))
    if found is None:
        raise DataError(f"{args.data} has {len(labelled)} labels: too few to doubt one of them")
    _say(f"{len(labelled)} labels, the most doubtful first")
    by_id = {example.id: example for example in labelled}
    for rank, doubtful in enumerate(found.texts if args.all else found.texts[: args.batch]):
        example = by_id[doubtful.id]
        row = {"id": example.id, "lang": example.lang, "rank": rank, "label": example.label}
        row |= {"expected": doubtful.expected, "doubt": round(doubtful.doubt, 4)}
        row |= {"reason": doubtful.reason} if args.explain else {}
        print(json.dumps(row | {"text": example.text}, ensure_ascii=False))
    return 0


def _run_evaluate(args: argparse.Namespace) -> int:
    examples = [example for example in _read(args) if example.label is not None]
    model = work.load(Path(args.model))
    task = model[0].task
    for label in {str(example.label) for example in examples}:
        task.index(label)
    if not examples:
        raise DataError(f"no row of {args.data} has a label to judge by")
    with progress_bar("reading texts") as show:
        found = work.answer(*model, examples, show)
    judged = _judged(args, examples, found, f"{args.model} on {args.data}")
    if args.json:
        print(json.dumps(judged, ensure_ascii=False))
    return 0


def _judged(
    args: argparse.Namespace, examples: Sequence[Example], found: work.Answers, title: str
) -> dict[str, object]:
    """Shows a table and the signature; returns the numbers."""
    labels = [str(example.label) for example in examples]
    predicted = [prediction.label for prediction in found.predictions(examples)]
    scores = metrics.per_language(labels, predicted, [example.lang for example in examples])
    total = metrics.score(labels, predicted)
    language_table(scores, title)
    model = Path(args.out if hasattr(args, "out") else args.model)
    line = signature(total, list(scores), model, _seed(args))
    _say(line)
    indices = np.array([found.labels.index(label) for label in labels])
    return {
        "languages": {lang: asdict(score) for lang, score in scores.items()},
        "total": asdict(total),
        "ece": round(metrics.ece(found.probabilities, indices), 4),
        "signature": line,
    }


def _config(args: argparse.Namespace) -> TrainConfig:
    from xlt.config import TrainConfig

    base = TrainConfig.from_toml(args.config) if args.config else TrainConfig()
    given = {"encoder": args.encoder, "max_steps": args.max_steps, "seed": args.seed}
    settings = {key: value for key, value in given.items() if value is not None}
    return TrainConfig.from_mapping(settings, base=base)


def _read(args: argparse.Namespace) -> list[Example]:
    columns = {name: getattr(args, name) for name in ("text", "lang", "label", "id", "group")}
    return work.with_languages(read_examples(args.data, split=args.split, **columns))


def _seed(args: argparse.Namespace) -> int:
    return _SEED if args.seed is None else int(args.seed)


def _codes(languages: str) -> list[str]:
    return [code.strip() for code in languages.split(",") if code.strip()]


def _say(words: str) -> None:
    print(words, file=sys.stderr)
