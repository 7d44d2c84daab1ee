"""`xlt search`: finds texts of a file, in any language, by meaning and by words."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.cli import arguments, found, languages
from xlt.data.corpus import Corpus
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.errors import ConfigError, DataError
from xlt.identification.identify import with_languages

if TYPE_CHECKING:
    from xlt.search.index import Hit, Index
    from xlt.search.lexicon import Lexicon

_DESCRIPTION = """\
Find texts in any language: by meaning, by words, and by words that a lexicon translates. Every
text is compared.

  xlt search pool.csv "measles vaccine" --language hau,yor --lexicon words.csv
  xlt search pool.csv --like 17 --index pool.index

--index keeps what was read of the texts. It follows the file: what is new or changed is read, and a
line says so.

"""
_MOST_HITS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `xlt search`."""
    parser.description = _DESCRIPTION + arguments.DATA
    arguments.add_data(parser)
    add = parser.add_argument
    add("query", metavar="QUERY", nargs="?", help="what to look for")
    add("--like", metavar="ID", help="find texts that are like the one with this id instead")
    text = "encoder, or folder of a model (default: %(default)s)"
    add("--model", default="bundled", metavar="MODEL", help=text)
    add("--index", metavar="FOLDER", help="keep the index here, and use it next time")
    text = "table of words and phrases; rows with the same group, or id, translate one another"
    add("--lexicon", metavar="FILE", help=text)
    text = "language of QUERY (default: its own)"
    add("--query-language", default=UNKNOWN_LANGUAGE, metavar="CODE", help=text)
    add("--language", default="", metavar="LANGS", help="find texts in these languages only")
    only = parser.add_mutually_exclusive_group()
    text = "find texts that have a label only"
    only.add_argument("--labelled", dest="labelled", action="store_true", default=None, help=text)
    text = "find texts without a label only"
    only.add_argument("--unlabelled", dest="labelled", action="store_false", help=text)
    text = "number of texts, 1 to 1,000 (default: %(default)s)"
    add("--limit", type=int, default=10, metavar="N", help=text)
    add("--json", action="store_true", help="print one JSON object per text on standard output")


def main(args: argparse.Namespace) -> int:
    """Runs the command."""
    from xlt.search.index import check_query

    if (args.query is None) == (args.like is None):
        raise ConfigError("expected a QUERY, or --like with the id of a text, and not both")
    if not 1 <= args.limit <= _MOST_HITS:
        raise ConfigError(f"--limit must be 1 to {_MOST_HITS}, got {args.limit}")
    if args.query is not None:
        check_query(args.query)
    corpus = arguments.read_data(args, groups=False)
    arguments.announce(corpus)
    if not corpus.examples:
        raise DataError(f"{args.data} has no text")
    langs = [example.lang for example in corpus.examples]
    filtered = languages.named("--language", args.language, langs)
    liked = _place(corpus, args.like) if args.like is not None else None
    index = _index(args, corpus)
    wanted = index.wanted(filtered, args.labelled)
    if liked is not None:
        hits = index.like(liked, args.limit, wanted)
    else:
        hits = _searched(args, index, wanted)
    found.show(corpus.examples, hits, as_json=args.json)
    return 0


def _place(corpus: Corpus, id: str) -> int:
    """Returns the row of an id.

    Raises:
        DataError: If there is none.
    """
    for row, example in enumerate(corpus.examples):
        if example.id == id:
            return row
    raise DataError(f"--like: no text of {corpus.path} has the id {id[:60]!r}")


def _index(args: argparse.Namespace, corpus: Corpus) -> Index:
    """Returns the index of the pool, and stores it if it is to be kept and is not as it was."""
    from xlt.disk.outputs import check_folder
    from xlt.search.stored import follow, load, save

    folder = Path(args.index) if args.index else None
    old = None
    if folder is not None:
        check_folder(folder)
        try:
            old = load(folder)
        except DataError as error:
            arguments.print_status(f"{error}: it is made again")
    examples = corpus.examples
    stored, changes = follow(old, examples, _reader(args.model), lambda new: _read(args, new))
    if old is not None and changes:
        arguments.print_status(found.described(changes, folder))
    if folder is not None and stored is not old:
        save(stored, folder)
    return stored.index


def _reader(model: str) -> str:
    """Returns what identifies the encoder of a model."""
    from xlt.encoder.locations import encoder_fingerprint
    from xlt.models.artifact import base_encoder

    return encoder_fingerprint(base_encoder(model))


def _read(args: argparse.Namespace, examples: Sequence[Example]) -> NDArray[np.float32]:
    from xlt.models.artifact import base_vectors

    return base_vectors(args.model, [example.text for example in examples])


def _searched(args: argparse.Namespace, index: Index, wanted: NDArray[np.bool_]) -> list[Hit]:
    from xlt.search.index import Query

    example = Example(id="query", texts=(args.query,), lang=args.query_language)
    lang = with_languages([example]).examples[0].lang
    query = Query(text=args.query, lang=lang)
    if args.lexicon:
        said = _lexicon(args.lexicon).translations(args.query, lang, index.space.langs)
        arguments.print_status(found.translated(said))
        query = replace(query, translations=said)
    return index.search(query, _read(args, [example])[0], args.limit, wanted)


def _lexicon(path: str) -> Lexicon:
    """Reads --lexicon.

    Raises:
        DataError: If it cannot be read or translates nothing.
    """
    from xlt.search.lexicon import Lexicon

    corpus = arguments.read_table(path, {}, answers=False)
    entries = [
        (example.group or example.id, example.lang, example.text) for example in corpus.examples
    ]
    keys = {key for key, _, _ in entries}
    if len(keys) == len(entries):
        raise DataError(
            f"--lexicon: no two rows of {path} translate one another; expected the same value in "
            "column group, or id, in rows that do"
        )
    return Lexicon(entries)
