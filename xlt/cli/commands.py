"""The commands on files, without Label Studio, and what each is for.

The module of each in this folder has `add_arguments(parser)` and `main(args)`, and is imported only
if its command runs. Results go to standard output (JSON lines), messages to standard error.
"""

from __future__ import annotations

#: Summary by command.
COMMANDS = {
    "train": "train a model on a file",
    "predict": "label a file's texts",
    "explain": "show why a text gets its label",
    "search": "find a file's texts, by a query in any language",
    "select": "order a file's texts: what to label next",
    "evaluate": "judge a model by a file's labels",
    "simulate": "compare strategies of choosing texts on labelled data",
    "adapt": "adapt an encoder to languages that it reads badly",
    "pretrain": "make an encoder from parallel text",
    "opentext": "write a table of open translations to pretrain on",
}
