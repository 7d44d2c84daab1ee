"""A language that a teacher cannot read, and tables of its translations."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = [
    "river",
    "goat",
    "market",
    "rain",
    "song",
    "teacher",
    "bread",
    "moon",
    "road",
    "fire",
    "water",
    "tree",
    "house",
    "child",
    "night",
    "day",
    "cow",
    "fish",
    "boat",
    "stone",
    "hill",
    "wind",
    "seed",
    "field",
    "sister",
    "brother",
    "king",
    "queen",
    "door",
    "table",
]
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ⴰⴱⵛⴷⴻⴼⴳⵀⵉⵊⴽⵍⵎⵏⵓⵒⵇⵔⵙⵜⵖⵠⵡⵅⵢⵣ")


def sentences(rng, n):
    """Random English, without grammar."""
    return [" ".join(rng.choice(WORDS, size=rng.integers(4, 8))) for _ in range(n)]


def foreign(text):
    """The same words in Tifinagh letters: a language that the teacher cannot read."""
    return text.translate(LETTERS)


def write_table(path, rng, n=120):
    """Pairs in two languages, a lexicon, and one row that must not be read."""
    rows = []
    for number, text in enumerate(sentences(rng, n)):
        rows.append(("pairs", f"pairs:{number}", "eng", text))
        rows.append(("pairs", f"pairs:{number}", "zgh_Tfng", foreign(text)))
        rows.append(("pairs", f"pairs:{number}", "yor", text[::-1]))
    rows += [("words", f"words:{word}", "zgh", foreign(word)) for word in WORDS]
    rows += [("sib200", "x:1", "fra", "une phrase que personne ne lit")]
    columns = dict(zip(("corpus", "key", "lang", "text"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), path)
    return path
