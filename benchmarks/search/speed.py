r"""Time and memory of a query in 3,000 texts, and of exact search in a million vectors.

    OMP_NUM_THREADS=1 python benchmarks/search/speed.py --json result.json

Vectors and words are drawn at random: how long it takes to compare them does not depend on what
they mean. The encoder's time for the query is not counted. Memory is what the process gains while
it maps the stored vectors and searches: file pages that it has touched, and its own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xlt.search.index import Index, Query, Row
from xlt.search.lexical import Lexical
from xlt.search.ranks import top
from xlt.search.vectors import Space, Vectors

LANGUAGES = ("eng", "hau", "swh", "yor", "amh")


def gained() -> dict[str, float]:
    """MB of memory of this process: its own, and pages of files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    size = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return {"own": int(size["RssAnon"]) / 1024, "files": int(size["RssFile"]) / 1024}


def milliseconds(work: Callable[[], object], times: int) -> list[float]:
    """Median and slowest of several runs, after one that warms up."""
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1e3 * (time.perf_counter() - began))
    return [round(float(np.median(taken)), 2), round(max(taken), 2)]


def pool(texts: int, width: int, rng: np.random.Generator) -> Index:
    """Texts of 20 words out of 20,000."""
    words = np.array([f"word{number}" for number in range(20_000)])
    drawn = np.minimum(rng.zipf(1.3, size=(texts, 20)), len(words)) - 1
    sentences = [" ".join(row) for row in words[drawn]]
    langs = [LANGUAGES[row % len(LANGUAGES)] for row in range(texts)]
    rows = [
        Row(id=str(n), lang=lang, digest=str(n), labelled=False) for n, lang in enumerate(langs)
    ]
    vectors = Vectors.of(rng.normal(size=(texts, width)))
    return Index(rows=rows, space=Space.of(vectors, langs), lexical=Lexical.of(sentences))


def small(texts: int, width: int, rng: np.random.Generator) -> dict[str, object]:
    """A whole query: meaning, words, translations, fusion."""
    index = pool(texts, width, rng)
    said = {"hau": ["word5 word70", "word1000"]}
    query = Query(text="word3 word50 word700 word12", lang="eng", translations=said)
    vector = rng.normal(size=width)
    taken = milliseconds(lambda: index.search(query, vector, 10), 200)
    return {"texts": texts, "ms_median_and_slowest": taken}


def large(count: int, width: int, rng: np.random.Generator) -> dict[str, object]:
    """Cosines of all vectors and the best ten, from a mapped file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        rows = np.lib.format.open_memmap(path, "w+", np.int8, (count, width))
        for start in range(0, count, 50_000):
            rows[start : start + 50_000] = rng.integers(-127, 128, (50_000, width))[: count - start]
        rows.flush()
        del rows
        before = gained()
        mapped = np.load(path, mmap_mode="r")
        origin, scales = np.zeros(width, np.float32), np.full(count, 0.01, np.float32)
        langs = [LANGUAGES[row % len(LANGUAGES)] for row in range(count)]
        space = Space.of(Vectors(mapped, scales, origin), langs)
        vector, wanted = rng.normal(size=width), np.ones(count, dtype=bool)
        del langs
        taken = milliseconds(lambda: top(space.cosines(vector, "eng"), 10, wanted), 20)
        after = gained()
    memory = {name: round(after[name] - before[name]) for name in after}
    return {"vectors": count, "width": width, "ms_median_and_slowest": taken, "mb": memory}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--vectors", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    result = {
        "query": small(args.texts, args.width, rng),
        "exact": [large(count, args.width, rng) for count in args.vectors],
    }
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
