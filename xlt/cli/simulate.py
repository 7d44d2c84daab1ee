"""`xlt simulate`: compares strategies of choosing texts to label, on data that has labels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from xlt.cli import arguments, languages
from xlt.cli.report import progress_bar
from xlt.data.corpus import Corpus
from xlt.data.examples import Example
from xlt.data.languages import in_languages, spellings
from xlt.data.splits import split_by_group
from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.disk.outputs import check_file, check_folder
from xlt.encoder.locations import encoder_fingerprint
from xlt.errors import ConfigError
from xlt.simulate.acquisition import ACQUISITIONS
from xlt.simulate.learners import LEARNERS, Training, check_learner
from xlt.simulate.learning_curve import EVERYTHING, CurveSettings
from xlt.simulate.plots import label_shares, learning_curves
from xlt.simulate.replay import Replay, cached_features, make_replay
from xlt.simulate.results import summary
from xlt.simulate.runner import run_all
from xlt.simulate.sizes import check_sizes
from xlt.simulate.strategies import ALIASES, DEFAULT, check_measures, strategy
from xlt.simulate.tables import show_tables
from xlt.tasks.kinds import infer_task
from xlt.tasks.task import Show

_HELD_OUT = 0.3

_DESCRIPTION = f"""\
Replay labelled DATA as if annotators worked through it, and compare strategies of choosing texts.

  xlt simulate sib200.parquet --split train --test-split test --source eng_Latn \\
      --targets hau_Latn,yor_Latn --budgets 20,100,500 --seeds 10 --out simulation/

Every strategy spends the same budgets on the same texts, trains the same head and is judged on the
same test texts. The head is a logistic regression on frozen sentence vectors. With --learner frozen
it is a frozen model, which learns from unlabelled texts too; with --learner joint it is a full
training with the joint loss, from the base encoder in every round. Without
--test-split, three tenths of the groups (texts with the same meaning, in any language) become test
texts. A tenth of the tasks are audit tasks, as in the service: their labels are paid for and never
trained on.

Strategies: default (the service's sampler), default:source_share=0.2+quota=equal (with other
options), random, stratified (random, the same number from every language), in-target, zero-shot
(random, from the source alone), or MEASURE@PLACE: the texts that a measure ranks highest, from
everywhere, @equal, @proportional, @target or @source. Measures:
{fill(", ".join(ACQUISITIONS), width=100)}

DIR gets cells.jsonl with one line per finished learning curve, summary.json, and the plots
curves.svg and shares.svg. If a simulation was stopped, give the same command again and it
continues with the next curve; with --learner joint, with the next round.

"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt simulate`."""
    parser.description = _DESCRIPTION + arguments.DATA
    arguments.add_data(parser)
    arguments.add_kind(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    text = "languages labelled to help the others"
    add("--source", required=True, metavar="LANGS", help=text)
    add("--targets", default="", metavar="LANGS", help="other languages to use (default: all)")
    text = "take the rows with this in column split as test texts"
    add("--test-split", metavar="NAME", help=text)
    names = ",".join([DEFAULT, "random", *ALIASES])
    add("--strategies", default=names, metavar="NAMES", help="default: %(default)s")
    _add_curve_options(parser, CurveSettings())
    text = "bundled, a folder or a name on the Hugging Face Hub (default: %(default)s)"
    add("--encoder", default="bundled", metavar="NAME", help=text)
    text = "folder for sentence vectors that simulations share (default: DIR)"
    add("--cache", type=Path, metavar="DIR", help=text)
    text = "model of each round: the quick head, a frozen model, or a full training (slow)"
    add("--learner", choices=LEARNERS, default=LEARNERS[0], help=text)
    add("--config", type=Path, metavar="TOML", help="hyper-parameters of --learner joint")
    text = "steps of each training of --learner joint"
    add("--max-steps", type=int, metavar="N", help=text)
    text = "number of curves at a time (default: %(default)s)"
    add("--jobs", type=int, default=1, metavar="N", help=text)
    add("--json", action="store_true", help="print the summary as JSON on standard output")


def _add_curve_options(parser: argparse.ArgumentParser, settings: CurveSettings) -> None:
    """Adds the options that shape every learning curve."""
    add = parser.add_argument
    budgets = ",".join(map(str, settings.budgets))
    text = "numbers of labels (default: %(default)s)"
    add("--budgets", default=budgets, metavar="N,N,…", help=text)
    add("--batch", type=int, default=settings.batch, metavar="N", help="labels per round")
    text = "number of seeds, counted up from --seed (default: %(default)s)"
    add("--seeds", type=int, default=10, metavar="N", help=text)
    text = "share of tasks whose labels are never trained on (default: %(default)s)"
    add("--audit-share", type=float, default=settings.audit_share, metavar="SHARE", help=text)
    text = "share of the groups that each seed draws (default: %(default)s)"
    add("--pool-share", type=float, default=settings.pool_share, metavar="SHARE", help=text)


def main(args: argparse.Namespace) -> int:
    """Runs `xlt simulate`: writes results and plots, and prints tables."""
    for folder in (args.out, args.cache or args.out):
        check_folder(folder)
    for name in ("cells.jsonl", "summary.json", "curves.svg", "shares.svg"):
        check_file(args.out / name)
    names = [name.strip() for name in args.strategies.split(",") if name.strip()]
    if not names or len(set(names)) != len(names):
        raise ConfigError(f"--strategies must be different names, got {args.strategies!r}")
    for name in names:
        strategy(name)
    settings = CurveSettings(
        budgets=_numbers(args.budgets),
        batch=args.batch,
        audit_share=args.audit_share,
        pool_share=args.pool_share,
        learner=args.learner,
        training=_training(args),
    )
    if args.seeds < 1 or args.jobs < 1:
        raise ConfigError(f"--seeds and --jobs must be at least 1, got {args.seeds}, {args.jobs}")
    with progress_bar("simulating") as show:
        first = arguments.seed_of(args)
        seeds = range(first, first + args.seeds)
        corpora = _corpora(args)
        replay, setup = _replay(args, corpora, settings, names, seeds, show)
        cells = run_all(
            replay,
            [(name, seed) for seed in seeds for name in [*names, EVERYTHING]],
            settings,
            setup=setup,
            file=args.out / "cells.jsonl",
            processes=args.jobs,
            show=show,
        )
    report = _described(args, settings, replay, first) | summary(cells, replay.targets)
    report |= arguments.without_text(*corpora)
    (args.out / "summary.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    for name, draw in (("curves", learning_curves), ("shares", label_shares)):
        (args.out / f"{name}.svg").write_text(draw(report), encoding="utf-8")
    show_tables(report)
    if args.json:
        print(json.dumps(report, ensure_ascii=False))
    return 0


def _training(args: argparse.Namespace) -> Training | None:
    """Returns the hyper-parameters of full trainings; None for the other learners."""
    given = args.config is not None or args.max_steps is not None
    if args.learner != "joint":
        if given:
            raise ConfigError("--config and --max-steps are for --learner joint: give that, too")
        return None
    from xlt.config import TrainConfig

    base = TrainConfig.from_toml(args.config) if args.config else TrainConfig()
    steps = {} if args.max_steps is None else {"max_steps": args.max_steps}
    settings = {"encoder": args.encoder, "learner": "joint", **steps}
    return asdict(TrainConfig.from_mapping(settings, base=base))


def _replay(
    args: argparse.Namespace,
    corpora: Sequence[Corpus],
    settings: CurveSettings,
    names: Sequence[str],
    seeds: Sequence[int],
    show: Show,
) -> tuple[Replay, str]:
    """Returns the data, and a fingerprint of all that decides results except strategy and seed."""
    pool, test = _examples(args, corpora)
    check_measures(names, infer_task(pool, args.kind))
    check_learner(args.learner, infer_task(pool, args.kind))
    source = languages.named("--source", args.source, [e.lang for e in pool])
    most = check_sizes(pool, test, settings, source=source, strategies=names, seeds=seeds)
    arguments.announce(*corpora)
    if most < settings.budgets[-1]:
        arguments.print_status(f"budgets end at {most} labels, all texts that a seed chooses from")
    args.out.mkdir(parents=True, exist_ok=True)
    texts = [example.input for example in (*pool, *test)]
    folder = args.cache or args.out
    features = cached_features(texts, encoder=args.encoder, folder=folder, show=show)
    rows = [f"{e.group_key} {e.lang} {e.answer} {e.text}" for e in (*pool, *test)]
    decisive = [len(pool), source, args.kind, sorted(asdict(settings).items())]
    setup = fingerprint([_code(), encoder_fingerprint(args.encoder), *decisive, *rows])[:16]
    return make_replay(pool, test, features, source=source, kind=args.kind), setup


def _code() -> str:
    """Returns the fingerprint of the modules that decide a cell's result.

    Cells of other code are not reused.
    """
    package = Path(__file__).parents[1]
    names = ("acquisition", "learners", "learning_curve", "strategies")
    files = [*sorted((package / "sampling").glob("*.py")), package / "payoff" / "transfer.py"]
    files += sorted((package / "tasks").rglob("*.py"))
    files += sorted((package / "frozen").glob("*.py"))
    files += [package / "simulate" / f"{name}.py" for name in names]
    return fingerprint(fingerprint_of_file(file) for file in files)


def _corpora(args: argparse.Namespace) -> list[Corpus]:
    """Reads DATA, and its test split if one is named."""
    splits = [args.split] if args.test_split is None else [args.split, args.test_split]
    corpora = [arguments.read_data(args, split) for split in splits]
    for corpus in corpora:
        corpus.check_groups()
    return corpora


def _examples(
    args: argparse.Namespace, corpora: Sequence[Corpus]
) -> tuple[list[Example], list[Example]]:
    """Returns the texts to choose from, and the test texts."""
    pool, *tests = [corpus.labelled for corpus in corpora]
    pool = _chosen(args, pool)
    if tests:
        called = spellings(e.lang for e in [*pool, *tests[0]])
        pool, test = ([replace(e, lang=called[e.lang]) for e in part] for part in (pool, tests[0]))
        return pool, in_languages(test, [e.lang for e in pool])
    task, rng = infer_task(pool, args.kind), np.random.default_rng(arguments.SEED)
    return split_by_group(
        pool, _HELD_OUT, rng, decisions=lambda cell: task.decisions(task.read(cell))
    )


def _chosen(args: argparse.Namespace, examples: Sequence[Example]) -> list[Example]:
    """Returns the examples in the languages of the simulation."""
    langs = [e.lang for e in examples]
    sources = languages.named("--source", args.source, langs)
    targets = languages.named("--targets", args.targets, langs)
    return in_languages(examples, [*targets, *sources] if targets else [])


def _described(
    args: argparse.Namespace, settings: CurveSettings, replay: Replay, first: int
) -> dict[str, Any]:
    """Describes the data and settings that the numbers belong to."""
    return {
        "data": Path(args.data).name,
        "encoder": args.encoder,
        "encoder_fingerprint": encoder_fingerprint(args.encoder)[:16],
        "source": list(replay.source),
        "pool": len(replay.pool),
        "test": len(replay.test),
        "first_seed": first,
        "settings": asdict(settings),
    }


def _numbers(listed: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in listed.split(","))
    except ValueError:
        raise ConfigError(f"--budgets must be numbers such as 20,100,500, got {listed!r}") from None
