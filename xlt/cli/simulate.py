"""`xlt simulate`: what a labelling budget buys, strategy by strategy, on data that has labels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from xlt.cli import files as filework
from xlt.cli.report import progress_bar
from xlt.data.corpus import read_examples, split_by_group
from xlt.data.examples import Example
from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.encoder.files import encoder_fingerprint
from xlt.errors import ConfigError, DataError
from xlt.simulate.choices import CHOICES
from xlt.simulate.curve import EVERYTHING, Settings
from xlt.simulate.learners import Training
from xlt.simulate.plots import label_shares, learning_curves
from xlt.simulate.replay import Replay, Show, cached_vectors, make_replay
from xlt.simulate.results import summary
from xlt.simulate.runner import run_all
from xlt.simulate.strategies import ALIASES, DEFAULT, strategy
from xlt.simulate.tables import show_tables

_SEED = 13
_HELD_OUT = 0.3
LEARNERS = ("head", "joint")

DESCRIPTION = f"""\
Replay labelled DATA as if annotators worked through it, and see which way of choosing pays.

  xlt simulate sib200.parquet --split train --test-split test --source eng_Latn \\
      --targets hau_Latn,yor_Latn --budgets 20,100,500 --seeds 10 --out simulation/

Every strategy spends the same budgets on the same texts with the same head (a logistic regression
on frozen sentence vectors; with --learner joint the trainer and its joint loss, from the base
encoder in every round) and is judged on the same test texts. Without --test-split, three tenths
of the groups (texts that say the same, in whatever language) are the test texts. A tenth of the
tasks are audit tasks, as in the service: their labels cost, and never train.

Strategies: default (the service's sampler), default:source_share=0.2+quota=equal (with other
options), random, stratified (random, all languages alike), in-target, zero-shot (random, from the
source alone), or MEASURE@PLACE: a measure's best, from everywhere, @equal, @proportional, @target
or @source. Measures:
{fill(", ".join(CHOICES), width=100)}

DIR gets cells.jsonl (one line per finished learning curve: a stopped simulation goes on where it
was, with --learner joint at the round where it was), summary.json, and the plots curves.svg and
shares.svg.

"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what is not said by the options of DATA."""
    settings = Settings()
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    add("--source", required=True, metavar="LANGS", help="languages labelled for the others' sake")
    add("--targets", default="", metavar="LANGS", help="other languages to use (default: all)")
    add("--test-split", metavar="NAME", help="rows whose column split says so are the test texts")
    names = ",".join([DEFAULT, "random", *ALIASES])
    add("--strategies", default=names, metavar="NAMES", help="default: %(default)s")
    budgets = ",".join(map(str, settings.budgets))
    add("--budgets", default=budgets, metavar="N,N,…", help="labels (default: %(default)s)")
    add("--batch", type=int, default=settings.batch, metavar="N", help="labels per round")
    words = "how many seeds, from --seed on (default: %(default)s)"
    add("--seeds", type=int, default=10, metavar="N", help=words)
    words = "share of tasks whose labels judge and never train (default: %(default)s)"
    add("--audit-share", type=float, default=settings.audit_share, metavar="SHARE", help=words)
    words = "share of the groups that each seed draws (default: %(default)s)"
    add("--pool-share", type=float, default=settings.pool_share, metavar="SHARE", help=words)
    words = "bundled, a folder or a name on the Hugging Face Hub (default: %(default)s)"
    add("--encoder", default="bundled", metavar="NAME", help=words)
    words = "folder for sentence vectors, to share among simulations (default: DIR)"
    add("--cache", type=Path, metavar="DIR", help=words)
    words = "what learns in each round: the quick head, or the trainer with its joint loss (slow)"
    add("--learner", choices=LEARNERS, default=LEARNERS[0], help=words)
    words = "hyper-parameters of --learner joint"
    add("--config", type=Path, metavar="TOML", help=words)
    add("--max-steps", type=int, metavar="N", help="of each training of --learner joint")
    add("--jobs", type=int, default=1, metavar="N", help="cells at a time (default: %(default)s)")
    add("--json", action="store_true", help="the summary as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Simulates, shows tables, writes results and plots."""
    names = [name.strip() for name in args.strategies.split(",") if name.strip()]
    for name in names:
        strategy(name)
    settings = Settings(
        budgets=_numbers(args.budgets),
        batch=args.batch,
        audit_share=args.audit_share,
        pool_share=args.pool_share,
        training=_training(args),
    )
    if args.seeds < 1 or args.jobs < 1:
        raise ConfigError(f"--seeds and --jobs must be at least 1, got {args.seeds}, {args.jobs}")
    args.out.mkdir(parents=True, exist_ok=True)
    with progress_bar("simulating") as show:
        replay, setup = _replay(args, settings, show)
        first = _SEED if args.seed is None else args.seed
        seeds = range(first, first + args.seeds)
        cells = run_all(
            replay,
            [(name, seed) for seed in seeds for name in [*names, EVERYTHING]],
            settings,
            setup=setup,
            file=args.out / "cells.jsonl",
            processes=args.jobs,
            show=show,
        )
    found = _described(args, settings, replay, first) | summary(cells, replay.targets)
    (args.out / "summary.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    for name, draw in (("curves", learning_curves), ("shares", label_shares)):
        (args.out / f"{name}.svg").write_text(draw(found), encoding="utf-8")
    show_tables(found)
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    return 0


def _training(args: argparse.Namespace) -> Training | None:
    """Hyper-parameters of full trainings; None: the quick head learns."""
    given = args.config is not None or args.max_steps is not None
    if args.learner != "joint":
        if given:
            raise ConfigError("--config and --max-steps are for --learner joint")
        return None
    from xlt.config import TrainConfig

    base = TrainConfig.from_toml(args.config) if args.config else TrainConfig()
    steps = {} if args.max_steps is None else {"max_steps": args.max_steps}
    return asdict(TrainConfig.from_mapping({"encoder": args.encoder, **steps}, base=base))


def _replay(args: argparse.Namespace, settings: Settings, show: Show) -> tuple[Replay, str]:
    """The data, and a fingerprint of everything that decides results but strategy and seed."""
    pool, test = _examples(args)
    source = _codes(args.source)
    texts = [example.text for example in (*pool, *test)]
    folder = args.cache or args.out
    vectors = cached_vectors(texts, encoder=args.encoder, folder=folder, show=show)
    rows = [f"{e.group_key} {e.lang} {e.label} {e.text}" for e in (*pool, *test)]
    decisive = [len(pool), source, sorted(asdict(settings).items())]
    setup = fingerprint([_code(), encoder_fingerprint(args.encoder), *decisive, *rows])[:16]
    return make_replay(pool, test, vectors, source=source), setup


def _code() -> str:
    """Fingerprint of the modules that decide a cell's result; other code begins anew."""
    package = Path(__file__).parents[1]
    names = ("choices", "curve", "learners", "strategies")
    files = [*sorted((package / "sampling").glob("*.py")), package / "tasks" / "calibration.py"]
    files.append(package / "tasks" / "logistic.py")
    files += [package / "simulate" / f"{name}.py" for name in names]
    return fingerprint(fingerprint_of_file(file) for file in files)


def _examples(args: argparse.Namespace) -> tuple[list[Example], list[Example]]:
    """What can be chosen, and what judges."""
    pool = _read(args, args.split)
    if args.test_split is not None:
        return pool, _read(args, args.test_split)
    return split_by_group(pool, _HELD_OUT, np.random.default_rng(_SEED))


def _read(args: argparse.Namespace, split: str | None) -> list[Example]:
    columns = {name: getattr(args, name) for name in ("text", "lang", "label", "id", "group")}
    examples = filework.with_languages(read_examples(args.data, split=split, **columns))
    targets = _codes(args.targets)
    wanted = [*targets, *_codes(args.source)] if targets else []
    examples = filework.in_languages([e for e in examples if e.label is not None], wanted)
    if not examples:
        raise DataError(f"{args.data} has no labelled row in {', '.join(wanted) or 'any language'}")
    return examples


def _described(
    args: argparse.Namespace, settings: Settings, replay: Replay, first: int
) -> dict[str, Any]:
    """What the numbers are numbers of."""
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


def _codes(languages: str) -> Sequence[str]:
    return [code.strip() for code in languages.split(",") if code.strip()]
