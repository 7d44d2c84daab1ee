"""`xlt select`: orders a file's texts by what to label next, or its labels by what to review."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from xlt.cli import arguments, languages
from xlt.cli.report import progress_bar
from xlt.data.corpus import Corpus
from xlt.data.examples import Example
from xlt.data.jsonl import text_cell
from xlt.errors import ConfigError, DataError
from xlt.payoff.transfer import transfer_of
from xlt.review.labels import review
from xlt.sampling.audit import is_audit
from xlt.sampling.build import ModelView, Tasks, build_pool
from xlt.sampling.pool import Quota, SamplerOptions
from xlt.sampling.select import Selection, select
from xlt.sampling.transfer import Transfer
from xlt.tasks.kinds import check_measure, infer_task, read_answers
from xlt.tasks.probes import NO_PROBE, has_probe

_DESCRIPTION = """\
What to label next: the rows of DATA without a label, the one to label next first.

  xlt select model data.csv --batch 50 --source en --explain
  xlt select bundled data.csv        (no model yet, only an encoder: by what is typical)
  xlt select model data.csv --relabel        (which labels to review: the rows that have one)

"""
#: Decides, with their groups, which rows are audit rows.
_SALT = "xlt select"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt select`."""
    parser.description = _DESCRIPTION + arguments.DATA
    text = "folder of a model, or an encoder: bundled, a folder or a name on the Hugging Face Hub"
    parser.add_argument("model", metavar="MODEL", help=text)
    arguments.add_data(parser)
    arguments.add_kind(parser)
    default = SamplerOptions()
    add = parser.add_argument
    add("--batch", type=int, default=default.batch, metavar="N", help="default: %(default)s")
    add("--source", default="", metavar="LANGS", help="languages labelled for the others' sake")
    text = "share of the batch for the source languages (default: %(default)s)"
    add("--source-share", type=float, default=default.source_share, metavar="SHARE", help=text)
    text = "how the other languages share the rest (default: %(default)s)"
    quotas = [name for name in get_args(Quota) if name != "fixed"]
    add("--quota", choices=quotas, default=default.quota, help=text)
    text = "share of the batch drawn at random, to judge models by (default: %(default)s)"
    add("--audit-share", type=float, default=default.audit_share, metavar="SHARE", help=text)
    text = "share of the others drawn at random, to train and compare (default: %(default)s)"
    add("--control-share", type=float, default=default.control_share, metavar="SHARE", help=text)
    text = "uncertainty measure, such as margin or entropy (default: the task's)"
    add("--measure", default=default.measure, metavar="NAME", help=text)
    add("--explain", action="store_true", help="say why each text is where it is")
    add("--all", action="store_true", help="print the whole order, not only the batch")
    text = "order the labelled rows instead, the most suspect label first"
    add("--relabel", action="store_true", help=text)


def main(args: argparse.Namespace) -> int:
    """Runs the command."""
    options = SamplerOptions(
        batch=args.batch,
        source_share=args.source_share,
        quota=args.quota,
        audit_share=args.audit_share,
        control_share=args.control_share,
        measure=args.measure,
    )
    _check_measure(args)
    corpus = arguments.read_data(args)
    examples = corpus.examples
    sources = tuple(languages.named("--source", args.source, [e.lang for e in examples]))
    options = replace(options, source_languages=sources)
    if args.relabel:
        return _review(args, corpus)
    arguments.announce(corpus)
    if all(example.answer is not None for example in examples):
        raise DataError(f"every row of {args.data} has a label: there is nothing to choose from")
    selection = _selected(args, examples, options)
    shares = ", ".join(f"{lang} {count}" for lang, count in selection.quotas.items())
    fewer = f" (asked for {args.batch})" if selection.batch < args.batch else ""
    arguments.print_status(f"a batch of {selection.batch}{fewer}: {shares}")
    text = {example.id: text_cell(example) for example in examples}
    for pick in selection.picks if args.all else selection.picks[: selection.batch]:
        row = asdict(pick) | {"text": text[pick.id]}
        if not args.explain:
            del row["reason"], row["neighbours"]
        print(json.dumps(row, ensure_ascii=False))
    return 0


def _check_measure(args: argparse.Namespace) -> None:
    if args.measure:
        from xlt.models.folder import is_model, read_task

        if not is_model(Path(args.model)):
            raise ConfigError("--measure needs a trained model: without one no text is uncertain")
        check_measure(args.measure, read_task(Path(args.model)))


def _selected(
    args: argparse.Namespace, examples: Sequence[Example], options: SamplerOptions
) -> Selection:
    """Orders the rows that have no label; those that have one say what is known already."""
    waiting = np.array([example.answer is None for example in examples], dtype=bool)
    transfer = _transfer(args, examples, options)
    vectors, uncertainty, measure = _scored(args, examples)
    pool = [example for example in examples if example.answer is None]
    labelled = [example for example in examples if example.answer is not None]
    audit = [is_audit(e.group_key, share=options.audit_share, salt=_SALT) for e in pool]
    model = (
        None
        if uncertainty is None
        else ModelView(uncertainty=uncertainty[waiting], measure=measure)
    )
    return select(
        build_pool(
            _tasks(pool, vectors[waiting]),
            _tasks(labelled, vectors[~waiting]),
            audit=np.array(audit, dtype=bool),
            model=model,
            transfer=transfer,
        ),
        options,
        np.random.default_rng(arguments.seed_of(args)),
    )


def _tasks(examples: Sequence[Example], vectors: NDArray[np.float32]) -> Tasks:
    return Tasks(
        ids=[example.id for example in examples],
        langs=[example.lang for example in examples],
        texts=[example.input for example in examples],
        vectors=vectors,
    )


def _scored(
    args: argparse.Namespace, examples: Sequence[Example]
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None, str]:
    """Vectors (N, H), uncertainty (N,) and its name; without a model vectors alone."""
    from xlt.encoder.encoder import embed
    from xlt.models.folder import is_model
    from xlt.models.predictor import Predictor

    with progress_bar("reading texts") as show:
        if not is_model(Path(args.model)):
            return embed([example.input for example in examples], encoder=args.model), None, ""

        predictor = Predictor.load(Path(args.model))
        predictions = predictor.predict(
            examples,
            measure=args.measure or None,
            progress=lambda done, total: show("reading texts", done, total),
        )
    measure = args.measure or predictor.task.measures[0]
    return predictions.scores.vectors, predictions.uncertainty, measure


def _transfer(
    args: argparse.Namespace, examples: Sequence[Example], options: SamplerOptions
) -> Transfer | None:
    """Returns how well labels of the source teach the targets, as far as the file's labels say."""
    labelled = [example for example in examples if example.answer is not None]
    sources = options.source_languages
    if len({e.answer for e in labelled}) < 2 or not sources or options.quota != "adaptive":
        return None
    from xlt.models.artifact import base_vectors

    task = infer_task(labelled, args.kind)
    if not has_probe(task):
        return None
    vectors = base_vectors(args.model, [example.input for example in labelled])
    rng = np.random.default_rng(arguments.seed_of(args))
    return transfer_of(read_answers(labelled, task), vectors, task, sources, rng)


def _review(args: argparse.Namespace, corpus: Corpus) -> int:
    """Prints the labelled rows, the most suspect label first."""
    from xlt.models.artifact import base_vectors

    task = infer_task(corpus.labelled, args.kind)
    labelled = read_answers(corpus.labelled, task)
    if not has_probe(task):
        raise DataError(f"--relabel: labels of {task.kind} are not reviewed, {NO_PROBE}")
    arguments.announce(corpus)
    vectors = base_vectors(args.model, [example.input for example in labelled])
    votes = {example.id: {"": example.answer} for example in labelled}
    rng = np.random.default_rng(arguments.seed_of(args))
    found = review(labelled, votes, vectors, task, rng)
    if found is None:
        raise DataError(f"{args.data} has {len(labelled)} labels: too few to review them")
    arguments.print_status(f"{len(labelled)} labels, the most suspect first")
    by_id = {example.id: example for example in labelled}
    for rank, label in enumerate(found.labels if args.all else found.labels[: args.batch]):
        example = by_id[label.id]
        row = {"id": example.id, "lang": example.lang, "rank": rank}
        row |= {"label": task.plain(example.answer), "expected": task.plain(label.expected)}
        row |= {"doubt": round(label.suspicion, 4)}
        row |= {"reason": label.reason} if args.explain else {}
        print(json.dumps(row | {"text": text_cell(example)}, ensure_ascii=False))
    return 0
