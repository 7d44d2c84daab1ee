r"""Adapts an encoder to some languages and measures zero-shot accuracy before and after.

    python benchmarks/adapt/run.py --encoder xlt/bundled --data DATA_DIR --out adapted \
        --languages kat_Geor kor_Hang --json result.json

DATA_DIR holds parallel_text.parquet (corpus, key, lang, text), the text to adapt with, and
sib200.parquet (lang, split, label, text), which is only measured on: a logistic head on the 701
English training rows is applied to every language, as in benchmarks/encoder.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from xlt.adapt.options import AdaptOptions
from xlt.adapt.run import adapt
from xlt.adapt.texts import AdaptData, Pair
from xlt.encoder.encoder import embed
from xlt.pretrain.language_codes import joined, script_of

ENGLISH = "eng_Latn"
LEXICON = "gatitos"
# None of these holds text of SIB-200, NusaX, UNER or Tatoeba.
CORPORA = ("seed", "ntrex", "tico", LEXICON, "udhr", "asp", "commonvoice")
KINDS = ("pairs", "lexicon", "monolingual")
TUNING = "train+dev"  # 800 rows a language: what options are chosen by
FOLDS = 4


def read_data(path: Path, languages: list[str], kind: str) -> AdaptData:
    """Returns the languages' text with a lexicon and pairs, a lexicon alone, or neither."""
    table = pq.read_table(path)
    names = {joined(language): language for language in languages}
    codes = [c for c in pc.unique(table["lang"]).to_pylist() if joined(c) in {*names, "eng"}]
    rows = table.filter(pc.is_in(table["lang"], pa.array(codes, table["lang"].type)))
    columns = [rows[name].to_pylist() for name in ("corpus", "key", "lang", "text")]
    english: dict[str, str] = {}
    lines = [line for line in zip(*columns, strict=True) if line[0] in CORPORA]
    for _, key, code, text in lines:
        if key and code in ("eng", ENGLISH):
            english.setdefault(key, text)
    texts, pairs, words = [], [], []
    for corpus, key, code, text in lines:
        language = names.get(joined(code))
        if language is None or script_of(text) != language.split("_")[1]:
            continue
        source = english.get(key) if key else None
        if corpus == LEXICON:
            words.append(Pair(text=text, source=source or key.split(":", 1)[1], lang=language))
        elif source is not None and kind == "pairs":
            pairs.append(Pair(text=text, source=source, lang=language))
        else:
            texts.append((language, text))
    sentences = [text for key, text in english.items() if not key.startswith(LEXICON)]
    return AdaptData(
        texts=tuple(texts),
        pairs=tuple(pairs),
        lexicon=tuple(words) if kind != "monolingual" else (),
        sources=tuple(sentences[:: max(1, len(sentences) // 2000)]),
    )


def zero_shot(encoder: str, sib: pd.DataFrame, languages: list[str], split: str) -> dict:
    """Returns accuracy per language of a head that saw English labels alone."""
    if split == TUNING:
        return crossed(encoder, sib[sib.split != "test"], languages)
    english = sib[(sib.lang == ENGLISH) & (sib.split == "train")]
    head = fitted(unit(encoder, english.text.tolist()), english.label)
    found = {}
    for language in [ENGLISH, *languages]:
        rows = sib[(sib.lang == language) & (sib.split == split)]
        found[language] = round(float(head.score(unit(encoder, rows.text.tolist()), rows.label)), 4)
    return found


def crossed(encoder: str, sib: pd.DataFrame, languages: list[str]) -> dict:
    """Returns the same on all `sib`, by heads that saw no translation of what they are asked."""
    english = sib[sib.lang == ENGLISH]
    labels, vectors = english.label.to_numpy(), unit(encoder, english.text.tolist())
    fold = np.random.default_rng(0).integers(0, FOLDS, len(labels))
    heads = [fitted(vectors[fold != k], labels[fold != k]) for k in range(FOLDS)]
    found = {}
    for language in [ENGLISH, *languages]:
        rows = sib[sib.lang == language]
        if not np.array_equal(rows.label, labels):
            raise SystemExit(f"{language} does not have the rows of English in their order")
        theirs = unit(encoder, rows.text.tolist())
        hits = [heads[k].predict(theirs[fold == k]) == labels[fold == k] for k in range(FOLDS)]
        found[language] = round(float(np.concatenate(hits).mean()), 4)
    return found


def fitted(vectors: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    """Returns the head that every number here comes from."""
    return LogisticRegression(C=10.0, max_iter=300).fit(vectors, labels)


def unit(encoder: str, texts: list[str]) -> np.ndarray:
    """Returns unit vectors.  # (N, H)."""
    vectors = embed(texts, encoder=encoder)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def options_of(settings: list[str]) -> AdaptOptions:
    """Returns options from KEY=VALUE words."""
    defaults = AdaptOptions()
    known = {field.name: type(getattr(defaults, field.name)) for field in fields(AdaptOptions)}
    given = dict(setting.split("=", 1) for setting in settings)
    return AdaptOptions(
        **{k: v == "True" if known[k] is bool else known[k](v) for k, v in given.items()}
    )


def main() -> None:
    """Adapts, measures and writes one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True, help="folder of the encoder")
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--out", type=Path, required=True, help="folder for the adapted encoder")
    parser.add_argument("--languages", nargs="+", required=True, help="as in sib200.parquet")
    parser.add_argument("--kind", choices=KINDS, default="pairs", help="what text to use")
    parser.add_argument("--split", choices=["dev", TUNING, "test"], default="test")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of AdaptOptions")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    args = parser.parse_args()
    data = read_data(args.data / "parallel_text.parquet", args.languages, args.kind)
    sib = pd.read_parquet(args.data / "sib200.parquet")
    before = zero_shot(args.encoder, sib, args.languages, args.split)
    print("before", before, flush=True)
    began = time.monotonic()
    report = adapt(
        args.encoder,
        data,
        args.out,
        options=options_of(args.set),
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    seconds = round(time.monotonic() - began, 1)
    after = zero_shot(str(args.out), sib, args.languages, args.split)
    gain = np.mean([after[lang] - before[lang] for lang in args.languages])
    result = {
        "split": args.split,
        "kind": args.kind,
        "before": before,
        "after": after,
        "mean_gain": round(float(gain), 4),
        "source_change": round(after[ENGLISH] - before[ENGLISH], 4),
        "seconds": seconds,
        "steps": report["steps"],
        "report": report,
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "report"}, indent=1))


if __name__ == "__main__":
    main()
