"""`xlt adapt`: the command line of an adaptation."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlt.adapt.data import AdaptData

_WORDS = "adapt an encoder to languages that it reads badly"
_DESCRIPTION = """\
Adapt ENCODER to the languages of TEXTS: new pieces where its tokenizer shatters them, then
training with the source language held in place.

  xlt adapt bundled pool.csv --pairs translations.csv --out my-encoder
  xlt train labels.csv --encoder my-encoder --out model

Rows of TEXTS in the source language are what is held; rows that share a group with one of them
are its translations. Translations are what helps most. Labels are not read. A run that was
killed goes on where it stopped when the same command is given again.

"""


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `xlt adapt`."""
    parser = subparsers.add_parser(
        "adapt",
        help=_WORDS,
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    parser.set_defaults(run=main)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt adapt`."""
    add = parser.add_argument
    add("encoder", metavar="ENCODER", help="bundled, a folder or a name on the Hugging Face Hub")
    add("texts", metavar="TEXTS", help="table of texts with their languages")
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder to write the encoder to")
    add("--source", default="en", metavar="LANG", help="default: %(default)s")
    add("--target", default="", metavar="LANGS", help="languages to adapt to (default: all)")
    words = "translations: columns source, target and lang"
    add("--pairs", metavar="FILE", help=words)
    add("--lexicon", metavar="FILE", help="translations of words: the same columns")
    add("--minutes", type=float, metavar="N", help="time for training (default: 4)")
    add("--steps", type=int, metavar="N", help="stop after N steps (default: 200)")
    add("--new-pieces", type=int, metavar="N", help="at most so many per language; 0: none")
    add("--mlm-weight", type=float, metavar="W", help="of guessing hidden tokens")
    add("--trim", action="store_true", help="drop the pieces that no text uses")
    add("--seed", type=int, metavar="N")
    add("--json", action="store_true", help="the report as JSON on standard output")
    columns = parser.add_argument_group("columns of TEXTS")
    for name in ("text", "lang", "id", "group"):
        columns.add_argument(f"--{name}", metavar="COLUMN", help=f"column with the {name}")


def main(args: argparse.Namespace) -> int:
    """Runs `xlt adapt`; words go to standard error, the folder or the report to standard output."""
    from xlt.adapt.options import AdaptOptions
    from xlt.adapt.run import adapt

    names = ("minutes", "steps", "new_pieces", "mlm_weight", "seed")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    options = AdaptOptions(source=args.source, trim=args.trim, **given)
    report = adapt(args.encoder, _read(args), args.out, options=options, progress=_say)
    for lang, found in report["languages"].items():
        _say(_line(lang, found))
    if report["trimmed"]:
        _say("trimmed {pieces:.0f} pieces: {mb_saved} MB less".format(**report["trimmed"]))
    result = json.dumps(report, ensure_ascii=False) if args.json else str(args.out)
    sys.stdout.write(result + "\n")
    return 0


def _read(args: argparse.Namespace) -> AdaptData:
    from xlt.adapt.data import from_examples, read_translations
    from xlt.data.corpus import read_examples
    from xlt.data.examples import UNKNOWN_LANGUAGE, Example
    from xlt.data.languages import identify, normalise

    columns = {name: getattr(args, name) for name in ("text", "lang", "id", "group")}
    examples = read_examples(args.texts, **columns)
    unknown = [e.text for e in examples if e.lang == UNKNOWN_LANGUAGE]
    named = iter(identify(unknown) if unknown else [])
    examples = [
        Example(id=e.id, text=e.text, lang=next(named)[0], group=e.group)
        if e.lang == UNKNOWN_LANGUAGE
        else e
        for e in examples
    ]
    keys = {normalise(code) for code in args.target.split(",") if code.strip()}
    kept = keys | {normalise(args.source)}
    return from_examples(
        [e for e in examples if not keys or normalise(e.lang) in kept],
        source=args.source,
        pairs=read_translations(args.pairs) if args.pairs else (),
        lexicon=read_translations(args.lexicon) if args.lexicon else (),
    )


def _line(lang: str, found: dict[str, Any]) -> str:
    """One language's numbers, before and after."""
    before, after = found["before"], found["after"]
    shown = [
        f"unknown {100 * before['unknown']:.1f} → {100 * after['unknown']:.1f} %",
        f"tokens per word {before['tokens_per_word']:.2f} → {after['tokens_per_word']:.2f}",
        f"per character {before['tokens_per_character']:.2f} → {after['tokens_per_character']:.2f}",
    ]
    if before["retrieval"] is not None:
        shown.append(f"retrieval {before['retrieval']:.2f} → {after['retrieval']:.2f}")
    return f"{lang}: " + ", ".join(shown)


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()
