"""Adapts an encoder, stage by stage: pieces, rows, body, trimming, report."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from xlt import __version__
from xlt.adapt import folder as folders
from xlt.adapt import pieces, trim
from xlt.adapt.data import AdaptData, Pair
from xlt.adapt.fertility import Cut, measure, shattered
from xlt.adapt.learn import Lap, learn, make_learner, put_back
from xlt.adapt.lessons import old_vectors, prepare, source_list, split_pairs
from xlt.adapt.options import AdaptOptions, cache_key, purpose
from xlt.adapt.rows import initial_rows, placed_by_translations
from xlt.disk.durable import replace_folder, replacement
from xlt.encoder.encoder import Encoder, load_encoder
from xlt.errors import ConfigError, EncoderError

Progress = Callable[[str], None]

#: What stands beside the weights of an adapted encoder.
REPORT = "report.json"
_MEASURED = 2_000  # texts per language whose cut is measured
_ASKED = 200  # held-out pairs per language
_SEEDS = {"split": 1, "rows": 2, "bag": 3}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    name: str
    data: AdaptData  # without what is held out
    held: tuple[Pair, ...]
    options: AdaptOptions
    key: str
    work: Path
    progress: Progress

    def rng(self, stage: str) -> np.random.Generator:
        """A generator of each stage's own: a stage that is skipped changes no other."""
        return np.random.default_rng((self.options.seed, _SEEDS[stage]))


def adapt(
    encoder: str,
    data: AdaptData,
    out: Path,
    *,
    options: AdaptOptions | None = None,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Adapts an encoder to the languages of `data` and writes it to `out`.

    The folder loads by AutoModel and AutoTokenizer; `report.json` in it says what was measured
    and done. A run that was killed goes on from `OUT.work` where encoder, data and options are
    the same.

    Args:
        encoder: "bundled", a folder, or a Hub name.
        data: Texts, and translations where there are any.
        out: Folder to write; replaced in one step at the end.
        options: None: the defaults.
        progress: Called with one line now and then.

    Returns:
        The report.

    Raises:
        EncoderError: If the encoder cannot be loaded or adapted.
        ConfigError: If the options do not fit the data.
        DivergedError: If the loss is not finite.
    """
    options = options or AdaptOptions()
    if options.trim and not data.source_texts():
        raise ConfigError("trim needs texts of the source language: its pieces would be dropped")
    run = _start(encoder, data, out, options, progress)
    began = time.monotonic()
    report, loaded = _before(run)
    report["purpose"] = purpose(encoder, data.languages, options)
    loaded, tokenizer, report["new_pieces"] = _with_new_pieces(run, loaded, report)
    report["learned_by"], lap = _trained(run, loaded)
    report["steps"], report["training_seconds"] = lap.step, round(lap.seconds, 1)
    part = run.work / "result"
    report["trimmed"], tokenizer, kept = _trimmed(run, loaded, tokenizer)
    folders.write(loaded, part, origin=encoder, tokenizer=tokenizer, kept=kept)
    _measure_after(run, replace(_load(str(part)), name=run.name), tokenizer, report)
    report["seconds"] = round(time.monotonic() - began, 1)
    (part / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    replace_folder(part, out)
    shutil.rmtree(run.work)
    return report


def _start(
    encoder: str, data: AdaptData, out: Path, options: AdaptOptions, progress: Progress
) -> _Run:
    key = cache_key(encoder, data, options)
    work = out.with_name(out.name + ".work")
    mark = work / "key"
    if not mark.is_file() or mark.read_text() != key:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        mark.write_text(key)
    rng = np.random.default_rng((options.seed, _SEEDS["split"]))
    kept, held = split_pairs(data.pairs, options, rng)
    by_lang: dict[str, list[Pair]] = {}
    for word in data.lexicon:
        by_lang.setdefault(word.lang, []).append(word)
    lexicon = [word for lang in sorted(by_lang) for word in by_lang[lang][: options.max_pairs]]
    unseen = {pair.source for pair in held} | {pair.text for pair in held}
    seen = AdaptData(
        texts=tuple(text for text in data.texts if text[1] not in unseen),
        pairs=tuple(kept),
        lexicon=tuple(lexicon),
        sources=tuple(text for text in data.sources if text not in unseen)[: options.max_pairs],
    )
    return _Run(
        name=encoder, data=seen, held=tuple(held), options=options, key=key, work=work,
        progress=progress,
    )  # fmt: skip


def _before(run: _Run) -> tuple[dict[str, Any], Encoder]:
    """Loads the encoder, measures it, and keeps its vectors of the source texts."""
    run.progress(f"loading {run.name}")
    loaded = _load(run.name)
    tokenizer = pieces.as_json(loaded.tokenizer.backend_tokenizer)
    if pieces.size(tokenizer) > folders.table_of(loaded).num_embeddings:
        raise EncoderError(f"the tokenizer of {run.name!r} has more tokens than it has embeddings")
    file = run.work / "before.safetensors"
    if not file.is_file():
        sources, _ = source_list(run.data)
        run.progress(f"vectors of {len(sources)} texts of the source language")
        target = old_vectors(loaded, sources, run.options)
        with replacement(file) as beside:
            save_file({"target": target}, beside)
    n_pairs: dict[str, int] = {}
    for pair in run.data.pairs:
        n_pairs[pair.lang] = n_pairs.get(pair.lang, 0) + 1
    cuts, found = _cuts(run, tokenizer), _retrieval(run, loaded)
    unread = set(_shattered(run, cuts))
    texts = _texts(run)
    report: dict[str, Any] = {
        "xlt": __version__,
        "encoder": run.name,
        "data": run.data.digest(),
        "options": asdict(run.options),
        "languages": {
            lang: {
                "texts": len(texts[lang]),
                "pairs": n_pairs.get(lang, 0),
                "shattered": lang in unread,
                "before": asdict(cut) | {"retrieval": found.get(lang)},
            }
            for lang, cut in cuts.items()
        },
    }
    return report, loaded


def _load(name: str) -> Encoder:
    """The encoder with its masked-LM head, on the GPU where there is one."""
    loaded = load_encoder(name, with_mlm=True)
    if torch.cuda.is_available():
        for part in (loaded.model, loaded.mlm):
            if part is not None:
                torch.nn.Module.to(part, "cuda")
    return loaded


def _with_new_pieces(
    run: _Run, loaded: Encoder, report: dict[str, Any]
) -> tuple[Encoder, pieces.TokenizerJson, int]:
    """Extends the tokenizer for shattered languages; the encoder as it is where there is none."""
    old = pieces.as_json(loaded.tokenizer.backend_tokenizer)
    langs = [lang for lang, found in report["languages"].items() if found["shattered"]]
    if not langs or not run.options.new_pieces:
        return loaded, old, 0
    stage = run.work / "extended"
    if not stage.is_dir():
        run.progress(f"new pieces for {', '.join(langs)}")
        texts, words = _texts(run), _words(run)
        found = pieces.new_pieces(
            old,
            {lang: [*texts[lang], *words.get(lang, ())] for lang in langs},
            run.data.source_texts(),
            per_language=run.options.new_pieces,
            min_count=run.options.min_piece_count,
        )
        if not found:
            return loaded, old, 0
        now = pieces.extended(old, found)
        _set_rows(run, loaded, old, now, list(found))
        folders.write(loaded, stage.with_suffix(".part"), origin=run.name, tokenizer=now)
        replace_folder(stage.with_suffix(".part"), stage)
    loaded = replace(_load(str(stage)), name=run.name)
    now = pieces.as_json(loaded.tokenizer.backend_tokenizer)
    return loaded, now, pieces.size(now) - pieces.size(old)


def _set_rows(
    run: _Run,
    loaded: Encoder,
    old: pieces.TokenizerJson,
    now: pieces.TokenizerJson,
    new: Sequence[str],
) -> None:
    """Gives the encoder embeddings of the new pieces; rows beyond the tokenizer's end go."""
    first = pieces.size(old)
    table = folders.table_of(loaded).weight.detach()[:first].cpu()
    tokenizer = pieces.as_tokenizer(now)
    added = initial_rows(table.numpy(), pieces.old_cuts(old, new), run.rng("rows"))
    rows = placed_by_translations(
        torch.cat([table, torch.from_numpy(added)]),
        np.arange(first + len(new)) >= first,
        tokenizer,
        pairs=run.data.pairs,
        lexicon=run.data.lexicon,
        options=run.options,
        rng=run.rng("bag"),
        progress=run.progress,
    )
    folders.set_table(loaded, rows)
    bias = folders.head_bias(loaded)
    if bias is not None:
        known = bias.detach()[:first].cpu()
        folders.set_bias(loaded, torch.cat([known, known.mean().expand(len(new))]))


def _trained(run: _Run, loaded: Encoder) -> tuple[str, Lap]:
    target = load_file(run.work / "before.safetensors")["target"]
    lessons = prepare(loaded, run.data, target, run.options)
    options = run.options
    if not lessons.paired:
        options = replace(options, mlm_weight=options.mlm_weight or 1.0)
    learner = make_learner(loaded, lessons, options)
    device = loaded.model.device
    attention = loaded.model.config._attn_implementation
    if device.type == "cpu":  # the fused backward pass is slow for short rows there
        loaded.model.set_attn_implementation("eager")
    words = "alignment through the body" if lessons.paired else "masked tokens, rows alone"
    run.progress(f"training: {words}")
    lap = learn(
        learner, lessons, options, work=run.work / "checkpoint", identity=run.key,
        progress=run.progress,
    )  # fmt: skip
    put_back(learner)
    loaded.model.set_attn_implementation(attention)
    return words, lap


def _measure_after(
    run: _Run, loaded: Encoder, tokenizer: pieces.TokenizerJson, report: dict[str, Any]
) -> None:
    run.progress("measuring")
    found = _retrieval(run, loaded)
    for lang, cut in _cuts(run, tokenizer).items():
        report["languages"][lang]["after"] = asdict(cut) | {"retrieval": found.get(lang)}


def _trimmed(
    run: _Run, loaded: Encoder, tokenizer: pieces.TokenizerJson
) -> tuple[dict[str, float] | None, pieces.TokenizerJson, np.ndarray[Any, Any] | None]:
    """Drops the pieces that no text uses, where that is asked for."""
    if not run.options.trim:
        return None, tokenizer, None
    texts = [text for some in _texts(run).values() for text in some]
    words = [side for pair in run.data.lexicon for side in (pair.text, pair.source)]
    kept = trim.kept_ids(tokenizer, [*texts, *words])
    rows = folders.table_of(loaded).weight.detach()
    at = torch.from_numpy(kept)
    bias = folders.head_bias(loaded)
    folders.set_table(loaded, rows[at.to(rows.device)])
    if bias is not None:
        folders.set_bias(loaded, bias.detach()[at.to(bias.device)])
    gone = len(rows) - len(kept)
    value_bytes = folders.table_dtype(loaded, run.name).itemsize
    saved = {
        "pieces": float(gone),
        "mb_saved": round(trim.megabytes(gone, rows.shape[1], value_bytes), 3),
    }
    return saved, trim.trimmed(tokenizer, kept), kept


def _texts(run: _Run) -> dict[str, list[str]]:
    """Texts by language, the source's among them where there are any."""
    found = run.data.by_language()
    source = run.data.source_texts()
    return found | ({run.options.source: source} if source else {})


def _words(run: _Run) -> dict[str, list[str]]:
    """Words of the lexicon by language."""
    found: dict[str, list[str]] = {}
    for word in run.data.lexicon:
        found.setdefault(word.lang, []).append(word.text)
    return found


def _cuts(run: _Run, tokenizer: pieces.TokenizerJson) -> dict[str, Cut]:
    unknown = pieces.unknown_id(tokenizer)
    ready = pieces.as_tokenizer(tokenizer)
    return {
        lang: measure(ready, texts[:_MEASURED], unknown_id=unknown)
        for lang, texts in sorted(_texts(run).items())
    }


def _shattered(run: _Run, cuts: dict[str, Cut]) -> list[str]:
    options = run.options
    return shattered(
        {lang: cut for lang, cut in cuts.items() if lang != options.source},
        max_unknown=options.max_unknown,
        max_tokens_per_word=options.max_tokens_per_word,
        max_tokens_per_character=options.max_tokens_per_character,
    )


def _retrieval(run: _Run, loaded: Encoder) -> dict[str, float]:
    """Per language, how often the nearest held-out source sentence is the translation."""
    asked: list[Pair] = []
    counts: dict[str, int] = {}
    for pair in run.held:
        counts[pair.lang] = counts.get(pair.lang, 0) + 1
        if counts[pair.lang] <= _ASKED:
            asked.append(pair)
    if not asked:
        return {}
    sources = sorted({pair.source for pair in asked})
    options = run.options

    def vectors(texts: Sequence[str]) -> Tensor:
        return functional.normalize(old_vectors(loaded, texts, options), dim=-1)

    theirs = vectors(sources)
    nearest = (vectors([pair.text for pair in asked]) @ theirs.T).argmax(dim=1).tolist()
    right: dict[str, list[bool]] = {}
    for pair, row in zip(asked, nearest, strict=True):
        right.setdefault(pair.lang, []).append(sources[row] == pair.source)
    return {lang: round(float(np.mean(hits)), 4) for lang, hits in right.items()}
