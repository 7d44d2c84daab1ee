"""Measures which language a text is in, against py3langid alone.

    python benchmarks/languages/run.py --data ../shared/data/sib200.parquet --json languages.json

The test rows of SIB-200, whole and cut to five words. First 14 African and American languages
together: declared, and not. Then all languages of the file, not declared. Then each of the 14
without its profile, which has to be learned from 50 lines (training rows) that name it. A set of 40
texts in each of two languages shows phantoms. With --alone, each language of another table is a set
of its own, of at most 100 texts, beside py3langid.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from xlt.data.languages import normalise
from xlt.identification import identify as module
from xlt.identification import second
from xlt.identification.identify import identify
from xlt.identification.profile_file import SHIPPED, shipped

_CODES = "hau yor ibo zul xho som quy wol bam lin grn orm swh eng"
FOURTEEN = tuple(map(normalise, _CODES.split(" ")))
WORDS = {"sentences": 0, "five words": 5}


def main() -> None:
    """Runs all measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--alone", type=Path, metavar="TABLE", help="columns lang and text")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    table = pd.read_parquet(args.data)
    table["key"] = table["lang"].map({code: normalise(code) for code in table["lang"].unique()})
    test = table[table["split"] == "test"]
    few = test[test["key"].isin(FOURTEEN)]
    rewards = shipped().rewards
    arrays = (rewards.data, rewards.indices, rewards.indptr, shipped().background)
    before = _peak_mib()
    second.known()
    memory = {
        "profiles": round(sum(array.nbytes for array in arrays) / 2**20, 1),
        "py3langid": round(_peak_mib() - before, 1),
    }
    result: dict[str, object] = {
        "file_mb": SHIPPED.stat().st_size / 1e6,
        "memory_mib": memory,
        "fourteen, declared": _both(few, lambda texts: identify(texts, only=FOURTEEN)),
        "fourteen, not declared": _both(few, identify),
        "fourteen, py3langid": _both(few, _py3langid),
        "all, not declared": _both(test, identify),
        "fourteen, learned from 50 lines": _learned(table),
        "phantoms in pairs": _phantoms(few),
    }
    if args.alone:
        result["alone"] = _alone(pd.read_parquet(args.alone))
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _cut(texts: Sequence[str], words: int) -> list[str]:
    return [" ".join(text.split()[:words]) if words else text for text in texts]


def _both(
    rows: pd.DataFrame, run: Callable[[list[str]], Sequence[tuple[str, float]]]
) -> Mapping[str, object]:
    """Returns the accuracy by language, the share that is not sure, and texts a second."""
    result = {}
    for name, words in WORDS.items():
        texts = _cut(rows["text"], words)
        start = time.process_time()
        found = np.array([lang for lang, _ in run(texts)])
        seconds = time.process_time() - start
        right = pd.Series(found == rows["key"].to_numpy()).groupby(rows["key"].to_numpy()).mean()
        result[name] = {
            "mean": round(float(right.mean()), 4),
            "not_sure": round(float((found == "und").mean()), 4),
            "texts_per_processor_s": round(len(texts) / seconds),
            "below_0.95": {k: round(float(v), 3) for k, v in right.items() if v < 0.95},
        }
    return result


def _py3langid(texts: list[str]) -> list[tuple[str, float]]:
    known = second.known() & set(FOURTEEN)
    return [(lang, 1.0) for lang in second.among(texts, known)]


def _learned(table: pd.DataFrame) -> Mapping[str, object]:
    """Learns each language from 50 lines in place of its profile, beside the others' profiles."""
    result: dict[str, list[float]] = {}
    profiles, known = shipped(), second.known()
    for key in FOURTEEN:
        own = table[table["key"] == key]
        lines = list(own[own["split"] == "train"]["text"][:50])
        silent = own[own["split"] == "test"]["text"]
        others = table[(table["split"] == "test") & table["key"].isin(set(FOURTEEN) - {key})]
        others = others.groupby("key").head(20)["text"]
        without = profiles.only(set(profiles.languages) - {key})
        module.shipped = lambda without=without: without
        second.known = lambda key=key: known - {key}
        scores = []
        for words in WORDS.values():
            texts = _cut([*silent, *others], words)
            found = identify(texts, named={key: lines})[: len(silent)]
            scores.append(round(float(np.mean([lang == key for lang, _ in found])), 3))
        result[key] = scores
    module.shipped, second.known = shipped, lambda: known
    result["mean"] = [
        round(float(np.mean(column)), 3) for column in zip(*result.values(), strict=True)
    ]
    return result


def _alone(table: pd.DataFrame) -> Mapping[str, object]:
    """Returns the accuracy in sets of one language each, of those that have a profile."""
    table = table.assign(key=table["lang"].map({c: normalise(c) for c in table["lang"].unique()}))
    ours, theirs = {}, {}
    for key, texts in table[table["key"].isin(shipped().languages)].groupby("key")["text"]:
        some = list(texts[:100])
        ours[key] = float(np.mean([lang == key for lang, _ in identify(some)]))
        theirs[key] = float(np.mean([lang == key for lang in second.among(some, second.known())]))
    known = [key for key in ours if key in second.known()]
    return {
        "languages": len(ours),
        "mean": round(float(np.mean(list(ours.values()))), 3),
        "mean, py3langid": round(float(np.mean(list(theirs.values()))), 3),
        "known to py3langid": len(known),
        "of these": round(float(np.mean([ours[key] for key in known])), 3),
        "of these, py3langid": round(float(np.mean([theirs[key] for key in known])), 3),
        "below_0.8": {key: round(value, 2) for key, value in ours.items() if value < 0.8},
    }


def _phantoms(rows: pd.DataFrame) -> Mapping[str, object]:
    """Counts languages that nobody wrote in all sets of two of the 14, 40 texts in each."""
    result = {}
    for name, words in WORDS.items():
        phantoms: Counter[int] = Counter()
        for pair in combinations(FOURTEEN, 2):
            texts = [t for key in pair for t in rows[rows["key"] == key]["text"][:40]]
            found = {lang for lang, _ in identify(_cut(texts, words))} - {*pair, "und"}
            phantoms[len(found)] += 1
        result[name] = dict(sorted(phantoms.items()))
    return result


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
