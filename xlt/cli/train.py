"""`xlt train`: trains a model on a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlt.cli import arguments, languages
from xlt.cli.judged import judged
from xlt.cli.report import progress_bar
from xlt.cli.trackers import TRACKERS, read_trackers
from xlt.data.languages import in_languages
from xlt.data.pairs import read_pairs
from xlt.data.splits import split_by_group, without_groups
from xlt.disk.outputs import check_new_folder
from xlt.errors import ConfigError
from xlt.tasks.calibration import Calibration
from xlt.tasks.kinds import infer_task, read_answers
from xlt.tasks.predictions import interpret

if TYPE_CHECKING:
    from xlt.config import TrainConfig

_DESCRIPTION = """\
Train a model on the labelled rows of DATA; rows without a label are unlabelled text.

  xlt train labels.csv --unlabelled pool.jsonl --target hau,yor --out model

Labels are one string a row, a list of strings if a text can have several or none, or spans. A tenth
of the labelled groups is held out to judge and to calibrate the model (--held-out); the last
examples of a label stay in training.

"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt train`."""
    parser.description = _DESCRIPTION + arguments.DATA
    arguments.add_data(parser)
    arguments.add_kind(parser)
    arguments.add_json(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    text = "languages whose unlabelled texts count, e.g. hau,yor (default: all)"
    add("--target", default="", metavar="LANGS", help=text)
    text = "more unlabelled texts, in columns that are called as in DATA or have usual names"
    add("--unlabelled", metavar="FILE", help=text)
    add("--pairs", metavar="FILE", help="translations, columns source and target")
    text = "share of the labelled groups kept from training (default: %(default)s)"
    add("--held-out", type=float, default=0.1, metavar="SHARE", help=text)
    add("--config", type=Path, metavar="TOML", help="hyper-parameters")
    add("--encoder", metavar="NAME", help="bundled, a folder or a name on the Hugging Face Hub")
    add("--max-steps", type=int, metavar="N", help="stop after N steps")
    text = f"log to experiment trackers, some of {', '.join(TRACKERS)}"
    add("--trackers", default="", metavar="NAMES", help=text)
    text = "where TensorBoard writes (default: %(default)s)"
    add("--tracker-folder", type=Path, default=Path("runs"), metavar="DIR", help=text)


def main(args: argparse.Namespace) -> int:
    """Runs the command."""
    check_new_folder(args.out)
    from xlt.training.result import Progress
    from xlt.training.tracking import tracked
    from xlt.training.train import train

    names, config = read_trackers(args.trackers), _config(args)
    corpora = [arguments.read_data(args)]
    corpora[0].check_groups()
    labelled = corpora[0].labelled
    task = infer_task(labelled, args.kind)
    rng = np.random.default_rng(arguments.seed_of(args))
    kept, held_out = split_by_group(
        read_answers(labelled, task), args.held_out, rng, decisions=task.decisions
    )
    texts = [example for example in corpora[0].examples if example.answer is None]
    if args.unlabelled:
        corpora.append(arguments.read_beside(args.unlabelled, args, corpora[0]))
        corpora[1].check_groups()
        texts += corpora[1].examples
    wanted = languages.named("--target", args.target, [e.lang for e in [*labelled, *texts]])
    targets = in_languages(texts, wanted)
    texts = without_groups(targets, held_out)
    pairs = read_pairs(args.pairs, note=arguments.print_status) if args.pairs else []
    arguments.announce(*corpora)
    arguments.print_status(
        f"{len(kept)} labels, {len(held_out)} held out, {len(texts)} texts without a label"
    )
    if args.held_out and not held_out:
        arguments.print_status("nothing is held out: the model is neither judged nor calibrated")
    with (
        progress_bar("training") as show,
        tracked(
            names, project="xlt", run=args.out.name, folder=args.tracker_folder, config=config
        ) as trackers,
    ):

        def progress(at: Progress) -> None:
            show(at.phase, at.step, at.steps)
            trackers.progress(at)

        result = train(
            kept, texts, task, config, args.out, pairs=pairs, held_out=held_out, progress=progress
        )
        trackers.result(result.measured, labels=len(kept))
        if result.held_out is not None:
            trackers.judged("held_out", task, held_out, result.held_out)
    summary: dict[str, object] = {
        "out": str(args.out),
        "labels": list(task.labels),
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        **arguments.without_text(*corpora),
    }
    if result.held_out is not None:
        # Temperatures that were fitted on these labels would look better than they are.
        langs = [example.lang for example in held_out]
        summary["held_out"] = judged(
            task,
            held_out,
            interpret(task, result.held_out.scores, langs, Calibration()),
            title="held-out labels",
            model=args.out,
            seed=arguments.seed_of(args),
        )
    if result.comparison is not None:
        summary["comparison"] = result.comparison.to_json()
        arguments.print_status(result.comparison.words)
    arguments.print_status(f"model in {args.out}")
    if args.json:
        print(json.dumps(summary, ensure_ascii=False))
    return 0


def _config(args: argparse.Namespace) -> TrainConfig:
    from xlt.config import TrainConfig

    base = TrainConfig.from_toml(args.config) if args.config else TrainConfig()
    given = {"encoder": args.encoder, "max_steps": args.max_steps, "seed": args.seed}
    settings = {key: value for key, value in given.items() if value is not None}
    config = TrainConfig.from_mapping(settings, base=base)
    if args.pairs and config.learner == "frozen":
        raise ConfigError("--pairs: the learner frozen does not learn from translations")
    return config
