"""`xlt adapt`: adapts an encoder to languages that it reads badly."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt.cli import arguments, languages
from xlt.data.groups import check_groups
from xlt.errors import DataError

if TYPE_CHECKING:
    from xlt.adapt.texts import AdaptData
    from xlt.data.examples import Example

_DESCRIPTION = """\
Adapt ENCODER to the languages of TEXTS. Languages whose words its tokenizer splits too finely get
new pieces; then the encoder is trained, with the source language held in place.

  xlt adapt bundled pool.csv --pairs translations.csv --out my-encoder
  xlt train labels.csv --encoder my-encoder --out model

Texts in the source language keep their vectors. Rows that share a group with one of them are its
translations, and translations help most. Labels are not read. If a run was killed, give the same
command again and it continues where it stopped.

"""
_COLUMNS = ("text", "lang", "id", "group")
_SETTINGS = ("minutes", "steps", "new_pieces", "mlm_weight", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt adapt`."""
    parser.description = _DESCRIPTION
    add = parser.add_argument
    add("encoder", metavar="ENCODER", help="bundled, a folder or a name on the Hugging Face Hub")
    add("texts", metavar="TEXTS", help="table of texts with their languages")
    add("--out", type=Path, required=True, metavar="FOLDER", help="folder to write the encoder to")
    text = "language of the labels; its vectors are held (default: en)"
    add("--source", metavar="LANG", help=text)
    add("--target", default="", metavar="LANGS", help="languages to adapt to (default: all)")
    text = "table of translations with columns source, target and lang"
    add("--pairs", metavar="FILE", help=text)
    text = "table of translated words with the same columns"
    add("--lexicon", metavar="FILE", help=text)
    add("--minutes", type=float, metavar="N", help="time for training (default: 4)")
    add("--steps", type=int, metavar="N", help="stop after N steps (default: 200)")
    text = "largest number of new pieces for a language; 0 adds none (default: 2000)"
    add("--new-pieces", type=int, metavar="N", help=text)
    text = "weight of the masked-token loss (default: 0; 1 if there are no translations)"
    add("--mlm-weight", type=float, metavar="W", help=text)
    add("--trim", action="store_true", help="drop the pieces that no text uses")
    add("--seed", type=int, metavar="N", help=f"default: {arguments.SEED}")
    add("--json", action="store_true", help="print the report as JSON on standard output")
    arguments.add_columns(parser, "TEXTS", _COLUMNS)


def main(args: argparse.Namespace) -> int:
    """Runs `xlt adapt`.

    The folder or the report goes to standard output, progress to standard error.
    """
    from xlt.adapt.work import check_outputs

    check_outputs(args.out, replaces=False)
    from xlt.adapt.options import AdaptOptions
    from xlt.adapt.run import adapt

    given = {name: getattr(args, name) for name in _SETTINGS if getattr(args, name) is not None}
    options = AdaptOptions(trim=args.trim, **given)
    say = arguments.print_status
    corpus = arguments.read_table(args.texts, arguments.columns_of(args), answers=False)
    corpus.check_groups()
    if args.group:  # here groups are pairs to learn from, not only texts to keep together
        check_groups(corpus.examples, args.group, args.texts, named=True)
    options = replace(options, source=_source(args, corpus.examples) or options.source)
    data = _divided(args, corpus.examples, options.source)
    arguments.announce(corpus)
    report = adapt(args.encoder, data, args.out, options=options, progress=say)
    report |= arguments.without_text(corpus)
    for lang, measured in report["languages"].items():
        say(_line(lang, measured))
    if report["trimmed"]:
        say("trimmed {pieces:.0f} pieces: {mb_saved} MB less".format(**report["trimmed"]))
    print(json.dumps(report, ensure_ascii=False) if args.json else args.out)
    return 0


def _source(args: argparse.Namespace, examples: Sequence[Example]) -> str:
    """Returns the source language that the user names, empty if none.

    The texts of translations in it need not be among `examples`.
    """
    if args.source is None or args.pairs or args.lexicon:
        return args.source or ""
    sources = languages.named("--source", args.source, [e.lang for e in examples])
    if len(sources) != 1:
        raise DataError(f"--source must be one language, got {', '.join(sources) or 'none'}")
    return sources[0]


def _divided(args: argparse.Namespace, examples: Sequence[Example], source: str) -> AdaptData:
    """Divides TEXTS in the source and target languages, and reads the translations."""
    from xlt.adapt.texts import from_examples, read_translations
    from xlt.data.languages import in_languages

    say = arguments.print_status
    pairs = read_translations(args.pairs, note=say) if args.pairs else []
    lexicon = read_translations(args.lexicon, note=say) if args.lexicon else []
    translated = [pair.lang for pair in [*pairs, *lexicon]]
    targets = languages.named("--target", args.target, [*(e.lang for e in examples), *translated])
    return from_examples(
        in_languages(examples, [*targets, source] if targets else []),
        source=source,
        pairs=pairs,
        lexicon=lexicon,
    )


def _line(lang: str, measured: dict[str, Any]) -> str:
    """Describes one language before and after the adaptation."""
    before, after = measured["before"], measured["after"]
    parts = [
        f"unknown {100 * before['unknown']:.1f} → {100 * after['unknown']:.1f} %",
        f"tokens per word {before['tokens_per_word']:.2f} → {after['tokens_per_word']:.2f}",
        f"per character {before['tokens_per_character']:.2f} → {after['tokens_per_character']:.2f}",
    ]
    if before["retrieval"] is not None:
        parts.append(f"retrieval {before['retrieval']:.2f} → {after['retrieval']:.2f}")
    return f"{lang}: " + ", ".join(parts)
