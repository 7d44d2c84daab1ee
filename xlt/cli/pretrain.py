"""`xlt pretrain`: makes an encoder from a recipe and tables of parallel text."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from xlt.cli.arguments import print_status
from xlt.disk.outputs import check_new_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt pretrain`."""
    parser.epilog = (
        "example:\n"
        "  xlt pretrain cpu --data parallel_text.parquet --out encoder\n"
        "with one process for each core or GPU:\n"
        "  torchrun --nproc-per-node 2 --no-python xlt pretrain cpu --data … --out …"
    )
    parser.add_argument("recipe", type=Path, help="recipe in TOML, or a shipped recipe: cpu, gpu")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="TABLE.parquet",
        help="tables with the columns corpus, key, lang, text",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="folder to write the encoder to")
    parser.add_argument("--keep-work", action="store_true", help="keep the finished stages")


def main(args: argparse.Namespace) -> int:
    """Runs `xlt pretrain`; progress goes to standard error, the folder to standard output."""
    check_new_folder(args.out)
    from xlt.pretrain.recipe import read_recipe, shipped_recipe
    from xlt.pretrain.run import pretrain

    path = shipped_recipe(args.recipe)
    out = pretrain(
        read_recipe(path),
        args.out,
        tables=args.data,
        progress=print_status,
        recipe_text=path.read_text(encoding="utf-8"),
        keep_work=args.keep_work,
    )
    if not int(os.environ.get("RANK", "0")):
        print(out)
    return 0
