r"""How often a search finds a translation: by meaning, by words, by a lexicon, and by all together.

    OMP_NUM_THREADS=1 python benchmarks/search/run.py --data DATA_DIR --json result.json

DATA_DIR holds tatoeba.parquet, sib200.parquet and parallel_text.parquet, whose words and phrases
(GATITOS) are the lexicon. `tatoeba`: a sentence in each of 112 languages looks for its translation
among the English ones of its language; what counts is how often it comes first. `topics`: English,
Hausa and Swahili sentences of SIB-200's dev and test rows look for their translations among those
of one other language, and of ten at once; what counts is recall in the first ten.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlt.data.languages import normalise
from xlt.encoder.encoder import embed, load_encoder
from xlt.search.index import WORDS_WEIGHT
from xlt.search.lexical import Lexical
from xlt.search.lexicon import Lexicon
from xlt.search.vectors import Space, Vectors

QUERY_LANGUAGES = ("eng_Latn", "hau_Latn", "swh_Latn")
LANGUAGES = (
    *("eng_Latn", "hau_Latn", "swh_Latn", "yor_Latn", "bam_Latn", "amh_Ethi"),
    *("arb_Arab", "hin_Deva", "tur_Latn", "zho_Hans", "jpn_Jpan"),
)
WEIGHTS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Pool:
    """Texts to find."""

    space: Space
    lexical: Lexical

    @classmethod
    def of(cls, texts: list[str], vectors: np.ndarray, langs: list[str]) -> Pool:
        """Indexes texts."""
        return cls(Space.of(Vectors.of(vectors), langs), Lexical.of(texts))


def scored(
    pool: Pool, text: str, vector: np.ndarray, lang: str, lexicon: Lexicon
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields each method's name and its scores, (N,)."""
    space = pool.space
    plain = space.cosines(vector, lang, centred=False)
    centred = space.cosines(vector, lang, centred=True)
    own = space.cosines(vector, lang)
    words = pool.lexical.overlap(text)
    both = words.copy()
    for other, said in lexicon.translations(text, lang, space.langs).items():
        own_rows = space.lang_of == space.langs.index(other)
        both = np.maximum(both, own_rows * pool.lexical.overlap(" ".join(said)))
    yield "meaning, not centred", plain
    yield "meaning, centred", centred
    yield "meaning", own
    yield "words", words
    yield "words and lexicon", both
    yield "reciprocal ranks", reciprocal(own) + reciprocal(both)
    for weight in WEIGHTS:
        yield f"meaning + {weight} words", own + weight * words
        yield f"meaning + {weight} words and lexicon", own + weight * both


def reciprocal(scores: np.ndarray) -> np.ndarray:
    """1 / (60 + rank); nothing for the lowest score of words, 0."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return np.where(scores == 0, 0, 1 / (60 + ranks))


def vectors_of(texts: list[str], name: str, encoder: str, kept: Path | None) -> np.ndarray:
    """Vectors of texts, from a folder if they are there."""
    path = kept / f"{name}.npy" if kept else None
    if path and path.exists():
        return np.load(path).astype(np.float32)
    distinct = list(dict.fromkeys(texts))
    place = {text: row for row, text in enumerate(distinct)}
    read = embed(distinct, encoder=load_encoder(encoder, to_read=True)).astype(np.float16)
    found = read[[place[text] for text in texts]]
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, found)
    return found.astype(np.float32)


def tatoeba(args: argparse.Namespace, lexicon: Lexicon) -> dict[str, object]:
    """Share of queries whose translation comes first, the mean over languages."""
    table = pd.read_parquet(args.data / "tatoeba.parquet")
    ours = vectors_of(table.text.tolist(), "tatoeba", args.encoder, args.vectors)
    theirs = vectors_of(table.english.tolist(), "tatoeba-english", args.encoder, args.vectors)
    rng = np.random.default_rng(args.seed)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for lang, rows in table.groupby("lang"):
        places = rows.index.to_numpy()
        pool = Pool.of(rows.english.tolist(), theirs[places], ["eng"] * len(rows))
        # As if the texts in the query's language were in the pool too: their centre is known.
        both = Space.of(
            Vectors.of(np.concatenate([theirs[places], ours[places]])),
            ["eng"] * len(rows) + [str(lang)] * len(rows),
        )
        right: dict[str, list[bool]] = defaultdict(list)
        for row in rng.permutation(len(rows))[: args.queries]:
            vector, text = ours[places[row]], str(rows.text.iloc[row])
            known = both.cosines(vector, str(lang), centred=True)[: len(rows)]
            for name, scores in scored(pool, text, vector, str(lang), lexicon):
                right[name].append(int(scores.argmax()) == row)
                if name.startswith(f"meaning + {WORDS_WEIGHT} words"):
                    centred = known + scores - pool.space.cosines(vector, str(lang))
                    right[f"centre known, {name}"].append(int(centred.argmax()) == row)
            right["meaning, centre known"].append(int(known.argmax()) == row)
        for name, each in right.items():
            found[name][str(lang)] = float(np.mean(each))
    return summary(found)


def topics(args: argparse.Namespace, lexicon: Lexicon) -> dict[str, object]:
    """Recall in the first ten, by query language, in pools of one language and of all."""
    table = pd.read_parquet(args.data / "sib200.parquet")
    table = table[table.lang.isin(LANGUAGES) & table.split.isin(["dev", "test"])]
    table = table.reset_index(drop=True)
    present = [lang for lang in LANGUAGES if lang in set(table.lang)]
    vectors = vectors_of(table.text.tolist(), "topics", args.encoder, args.vectors)
    result = {}
    for spoken in QUERY_LANGUAGES:
        asked = np.flatnonzero(table.lang == spoken)
        for size, pools in (
            ("one language", [[lang] for lang in present if lang != spoken]),
            ("ten languages", [[lang for lang in present if lang != spoken]]),
            ("ten and its own", [present]),
        ):
            found: dict[str, dict[str, float]] = defaultdict(dict)
            for langs in pools:
                rows = np.flatnonzero(table.lang.isin(langs))
                own = table.iloc[rows]
                codes = own.lang.str[:3].tolist()
                pool = Pool.of(own.text.tolist(), vectors[rows], codes)
                others = (own.lang != spoken).to_numpy()
                recall: dict[str, list[float]] = defaultdict(list)
                rng = np.random.default_rng(args.seed)
                for row in rng.permutation(asked)[: args.sentences]:
                    right = np.flatnonzero((own.id == table.id[row]).to_numpy() & others)
                    for name, scores in scored(
                        pool, table.text[row], vectors[row], spoken[:3], lexicon
                    ):
                        first = np.argsort(-np.where(others, scores, -np.inf), kind="stable")[:10]
                        share = len(set(first) & set(right)) / min(10, len(right))
                        recall[name].append(share)
                for name, each in recall.items():
                    found[name][" ".join(langs)] = float(np.mean(each))
            result[f"{spoken[:3]}, {size}"] = summary(found)["mean"]
    return result


def summary(found: dict[str, dict[str, float]]) -> dict[str, object]:
    """Means over languages, and the languages."""
    means = {name: round(float(np.mean(list(each.values()))), 4) for name, each in found.items()}
    wins = {
        lang: {name: round(found[name][lang], 3) for name in ("meaning", "words and lexicon")}
        for lang in next(iter(found.values()))
    }
    return {"mean": means, "languages": wins}


def main() -> None:
    """Searches and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--tasks", nargs="+", default=["tatoeba", "topics"])
    parser.add_argument("--queries", type=int, default=1000, help="of each language, Tatoeba")
    parser.add_argument("--sentences", type=int, default=100, help="of each language, SIB-200")
    parser.add_argument("--vectors", type=Path, help="a folder that vectors are kept in")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    table = pd.read_parquet(
        args.data / "parallel_text.parquet", filters=[("corpus", "=", "gatitos")]
    )
    lexicon = Lexicon(zip(table.key, table.lang, table.text, strict=True))
    result: dict[str, object] = {"lexicon": {"entries": len(lexicon)}}
    result["lexicon"] |= {"languages": int(table.lang.map(normalise).nunique())}
    for task in args.tasks:
        result[task] = {"tatoeba": tatoeba, "topics": topics}[task](args, lexicon)
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
