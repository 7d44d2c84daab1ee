"""Arguments that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from xlt.data.corpus import Corpus
from xlt.identification.identify import Identified, with_languages
from xlt.tasks.exports import read_file
from xlt.tasks.kinds import KINDS

#: Seed of every command that is not given another.
SEED = 13
#: Ends the description of a command that takes DATA.
DATA = """\
DATA is a .csv, .tsv, .json or .jsonl file (each also .gz), a .parquet file, or owner/name:split on
the Hub. Columns are found by their usual names (text, lang, label, id, group); name others by
options, or '' for none; --text premise,hypothesis reads pairs of texts. Weights are read only with
--weight. A line says which columns are read.
Exports of Label Studio, doccano and Prodigy are read too; --label names the control. Spans are in
a column of offsets, or tags of tokens, also a token per line (.conll, .conllu, .iob2).
"""
#: Fields of an example that an option can name the column of.
COLUMNS = ("text", "lang", "label", "id", "group", "weight")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds the argument DATA, the options for its columns, and --seed."""
    parser.add_argument("data", metavar="DATA", help="table of texts")
    columns = add_columns(parser, "DATA")
    columns.add_argument("--split", metavar="NAME", help="only rows with this in column split")
    text = "languages of texts that name none, e.g. bam,wol (default: those that are plausible)"
    columns.add_argument("--languages", default="", metavar="LANGS", help=text)
    parser.add_argument("--seed", type=_seed, metavar="N", help=f"default: {SEED}")


def add_kind(parser: argparse.ArgumentParser) -> None:
    """Adds --kind, for commands that infer the task from the labels of DATA."""
    text = f"kind of task: {', '.join(KINDS)} (default: as the labels are)"
    parser.add_argument("--kind", choices=tuple(KINDS), metavar="NAME", help=text)


def add_columns(
    parser: argparse.ArgumentParser, table: str, names: Sequence[str] = COLUMNS
) -> argparse._ArgumentGroup:
    """Adds an option for the column of each name; returns their group."""
    columns = parser.add_argument_group(f"columns of {table}")
    for name in names:
        add = columns.add_argument
        if name == "text":
            text = "column with the text; A,B for two texts that belong together"
            add("--text", action=_Columns, metavar="COLUMN", help=text)
        else:
            add(f"--{name}", metavar="COLUMN", help=f"column with the {name}")
    return columns


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds --json."""
    text = "print the result as one JSON object on standard output"
    parser.add_argument("--json", action="store_true", help=text)


def columns_of(args: argparse.Namespace) -> dict[str, str | None]:
    """Returns the column that the user named for each field, None for the usual name."""
    return {name: getattr(args, name, None) for name in COLUMNS}


def read_data(
    args: argparse.Namespace,
    split: str | None = None,
    *,
    answers: bool = True,
    groups: bool = True,
    kind: str | None = None,
) -> Corpus:
    """Reads DATA as `read_table` does.

    Args:
        args: With the arguments of `add_data`.
        split: Reads the rows of this split instead of those of --split.
        answers: Reads the answers; without them only texts are wanted.
        groups: Reads groups that --group does not name.
        kind: Kind of the task that an export's answers are for; None for --kind, if the command
            has it, or else for the kind that the answers have.

    Raises:
        DataError: If the table cannot be read.
    """
    wanted = args.split if split is None else split
    kind = kind or getattr(args, "kind", None)
    columns = columns_of(args)
    if not groups:
        columns["group"] = columns["group"] or ""
    only = language_codes(getattr(args, "languages", ""))
    return read_table(args.data, columns, split=wanted, answers=answers, kind=kind, only=only)


def read_table(
    path: str,
    columns: Mapping[str, str | None],
    *,
    split: str | None = None,
    answers: bool = True,
    kind: str | None = None,
    beside: Corpus | None = None,
    only: Sequence[str] = (),
) -> Corpus:
    """Reads a file, and identifies the language of texts that do not name theirs.

    Args:
        path: The file.
        columns: Field -> the column that the user named.
        split: Reads the rows of this split.
        answers: Reads the answers.
        kind: Kind of the answers of an export.
        beside: Texts that were read before, of the same set.
        only: Languages of texts that name none, if people declared them.

    Raises:
        DataError: If the file cannot be read, or a declared language is not known.
    """
    first = () if beside is None else beside.examples
    corpus = read_file(
        path, columns, split=split, answers=answers, kind=kind, beside=beside is not None
    )
    found = with_languages([*first, *corpus.examples], only=only)
    notes = [*corpus.notes, *_found_line(found, only)]
    return replace(corpus, examples=found.examples[len(first) :], notes=notes)


def _found_line(found: Identified, only: Sequence[str]) -> list[str]:
    how = "" if only else "If that is wrong, name them: a column, or --languages LANGS."
    return [line] if (line := found.line(how)) else []


def read_beside(path: str, args: argparse.Namespace, data: Corpus) -> Corpus:
    """Reads more texts for DATA, by the columns that options name for it where the file has them.

    If one of the two has no ids, but numbers for its rows, equal ids mean nothing: they are made
    different.

    Raises:
        DataError: If the file cannot be read.
    """
    columns = {name: getattr(args, name) for name in ("text", "lang", "id", "group")}
    only = language_codes(getattr(args, "languages", ""))
    corpus = read_table(path, columns, answers=False, beside=data, only=only)
    if "id" in data.columns and "id" in corpus.columns:
        return corpus
    return replace(corpus, examples=[replace(e, id=f"{path} {e.id}") for e in corpus.examples])


def announce(*corpora: Corpus) -> None:
    """Prints which columns were read as what, and what was left out."""
    for line in dict.fromkeys(line for corpus in corpora for line in corpus.lines):
        print_status(line)


def without_text(*corpora: Corpus) -> dict[str, dict[str, int]]:
    """Returns, for --json, the number of rows without text of each file that has some."""
    counts = Counter(corpus.path for corpus in corpora for _ in corpus.without_text)
    return {"without_text": dict(counts)} if counts else {}


def seed_of(args: argparse.Namespace) -> int:
    """Returns --seed or its default."""
    return SEED if args.seed is None else int(args.seed)


class _Columns(argparse.Action):
    """Joins the values of an option that is given several times, as if they were one list."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option: str | None = None,
    ) -> None:
        """Adds a value to those before."""
        before = getattr(namespace, self.dest, None)
        setattr(namespace, self.dest, values if before is None else f"{before},{values}")


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text[:20]!r}")
    return seed


def language_codes(text: str) -> list[str]:
    """Splits the value of an option such as `hau,yor`; empty parts do not count."""
    return [code.strip() for code in text.split(",") if code.strip()]


def print_status(line: str) -> None:
    """Prints a line on standard error, which is not where results go."""
    print(line, file=sys.stderr, flush=True)
