"""Adapts an encoder, stage by stage: pieces, embeddings, body, trimming, report."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from xlt import __version__
from xlt.adapt import trim
from xlt.adapt.batches import source_side, split_pairs, text_vectors, training_texts
from xlt.adapt.compact import compact, write_back
from xlt.adapt.embeddings import (
    embedding_table,
    head_bias,
    set_embedding_table,
    set_head_bias,
)
from xlt.adapt.loop import Position, train
from xlt.adapt.measurements import languages_to_extend, measured
from xlt.adapt.new_embeddings import add_embeddings
from xlt.adapt.new_pieces import extended, new_pieces
from xlt.adapt.options import AdaptOptions, cache_key, purpose
from xlt.adapt.save import save_adapted, table_dtype
from xlt.adapt.texts import AdaptData, Pair
from xlt.adapt.tokenizer_json import TokenizerJson, as_json, size
from xlt.adapt.work import check_outputs, claim_work
from xlt.disk.durable import replace_folder, replacement
from xlt.disk.outputs import put_in_place
from xlt.encoder.encoder import Encoder, load_encoder
from xlt.errors import ConfigError, EncoderError

Progress = Callable[[str], None]

#: File of measurements beside the weights of an adapted encoder.
REPORT = "report.json"
_STAGE_SEEDS = {"split": 1, "rows": 2, "bag": 3}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """Values that the stages share.

    Attributes:
        name: The encoder's name or folder.
        data: Texts without held-out pairs.
        held_out: Pairs that retrieval is measured on.
        options: See `AdaptOptions`.
        key: Identifies encoder, data and options.
        work: Folder of finished stages.
        progress: Called with one line now and then.
    """

    name: str
    data: AdaptData
    held_out: tuple[Pair, ...]
    options: AdaptOptions
    key: str
    work: Path
    progress: Progress

    def rng(self, stage: str) -> np.random.Generator:
        """Returns a generator of the stage's own, so that skipping one changes no other."""
        return np.random.default_rng((self.options.seed, _STAGE_SEEDS[stage]))

    def texts(self) -> dict[str, list[str]]:
        """Returns the texts by language, including those of the source language."""
        source = self.data.source_texts()
        return self.data.by_language() | ({self.options.source: source} if source else {})

    def measured(self, encoder: Encoder, tokenizer: TokenizerJson) -> dict[str, dict[str, Any]]:
        """Returns the measurements of an encoder, by language."""
        return measured(encoder, tokenizer, self.texts(), self.held_out, self.options)


def adapt(
    encoder: str,
    data: AdaptData,
    out: Path,
    *,
    options: AdaptOptions | None = None,
    progress: Progress = lambda line: None,
    replaces: bool = False,
) -> dict[str, Any]:
    """Adapts an encoder to the languages of `data` and writes it to `out`.

    AutoModel and AutoTokenizer load the folder; its `report.json` holds the measurements. A run
    that was killed continues from `OUT.work` if encoder, data and options are the same.

    Args:
        encoder: "bundled", a folder, or a Hub name.
        data: Texts and their translations.
        out: Folder to write, in one step at the end.
        options: None for the defaults.
        progress: Called with one line now and then.
        replaces: Whether `out` may hold an older encoder, which stays until the end.

    Returns:
        The report.

    Raises:
        EncoderError: If the encoder cannot be loaded or adapted.
        ConfigError: If the options do not fit the data.
        DivergedError: If the loss is not finite.
        StoreError: If `out` cannot be written. A finished encoder is kept, and the message names
            its folder.
    """
    check_outputs(out, replaces=replaces)
    options = options or AdaptOptions()
    if options.trim and not data.source_texts():
        raise ConfigError("trim needs texts of the source language, or it would drop their pieces")
    run = _start(encoder, data, out, options, progress)
    started = time.monotonic()
    report, loaded = _before(run)
    report["purpose"] = purpose(encoder, data.languages, options)
    loaded, tokenizer, report["new_pieces"] = _with_new_pieces(run, loaded, report)
    report["learned_by"], position = _trained(run, loaded)
    report["steps"], report["training_seconds"] = position.step, round(position.seconds, 1)
    part = run.work / "result"
    report["trimmed"], tokenizer, kept_ids = _trimmed(run, loaded, tokenizer)
    save_adapted(loaded, part, origin=encoder, tokenizer=tokenizer, kept_ids=kept_ids)
    run.progress("measuring")
    after = run.measured(replace(_load(str(part)), name=run.name), tokenizer)
    for lang, values in after.items():
        report["languages"][lang]["after"] = values
    report["seconds"] = round(time.monotonic() - started, 1)
    (part / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    put_in_place(part, out.resolve(), replaces=replaces)
    shutil.rmtree(run.work)
    return report


def _start(
    encoder: str, data: AdaptData, out: Path, options: AdaptOptions, progress: Progress
) -> _Run:
    """Claims the work folder and holds pairs out."""
    key = cache_key(encoder, data, options)
    rng = np.random.default_rng((options.seed, _STAGE_SEEDS["split"]))
    pairs, held_out = split_pairs(data.pairs, options, rng)
    words: dict[str, list[Pair]] = {}
    for word in data.lexicon:
        words.setdefault(word.lang, []).append(word)
    lexicon = [word for lang in sorted(words) for word in words[lang][: options.max_pairs]]
    unseen = {pair.source for pair in held_out} | {pair.text for pair in held_out}
    seen = AdaptData(
        texts=tuple(text for text in data.texts if text[1] not in unseen),
        pairs=tuple(pairs),
        lexicon=tuple(lexicon),
        sources=tuple(text for text in data.sources if text not in unseen)[: options.max_pairs],
    )
    return _Run(
        name=encoder, data=seen, held_out=tuple(held_out), options=options, key=key,
        work=claim_work(out, key), progress=progress,
    )  # fmt: skip


def _before(run: _Run) -> tuple[dict[str, Any], Encoder]:
    """Loads and measures the encoder, and keeps its vectors of the source texts."""
    run.progress(f"loading {run.name}")
    loaded = _load(run.name)
    tokenizer = as_json(loaded.tokenizer.backend_tokenizer)
    if size(tokenizer) > embedding_table(loaded).num_embeddings:
        raise EncoderError(f"the tokenizer of {run.name!r} has more tokens than it has embeddings")
    file = run.work / "before.safetensors"
    if not file.is_file():
        sources, _ = source_side(run.data)
        run.progress(f"computing vectors of {len(sources)} source texts")
        target = text_vectors(loaded, sources, run.options)
        with replacement(file) as beside:
            save_file({"target": target}, beside)
    n_pairs: dict[str, int] = {}
    for pair in run.data.pairs:
        n_pairs[pair.lang] = n_pairs.get(pair.lang, 0) + 1
    before = run.measured(loaded, tokenizer)
    to_extend = set(languages_to_extend(before, run.options))
    texts = run.texts()
    report: dict[str, Any] = {
        "xlt": __version__,
        "encoder": run.name,
        "data": run.data.digest(),
        "options": asdict(run.options),
        "languages": {
            lang: {
                "texts": len(texts[lang]),
                "pairs": n_pairs.get(lang, 0),
                "shattered": lang in to_extend,
                "before": values,
            }
            for lang, values in before.items()
        },
    }
    return report, loaded


def _load(name: str) -> Encoder:
    """Loads an encoder with its masked-LM head, on the GPU if there is one."""
    loaded = load_encoder(name, with_mlm=True)
    if torch.cuda.is_available():
        for part in (loaded.model, loaded.mlm):
            if part is not None:
                torch.nn.Module.to(part, "cuda")
    return loaded


def _with_new_pieces(
    run: _Run, loaded: Encoder, report: dict[str, Any]
) -> tuple[Encoder, TokenizerJson, int]:
    """Extends the tokenizer for languages that it reads badly; returns the number of pieces."""
    old = as_json(loaded.tokenizer.backend_tokenizer)
    langs = [lang for lang, values in report["languages"].items() if values["shattered"]]
    if not langs or not run.options.new_pieces:
        return loaded, old, 0
    stage = run.work / "extended"
    if not stage.is_dir():
        run.progress(f"learning pieces for {', '.join(langs)}")
        texts = run.texts()
        words: dict[str, list[str]] = {}
        for word in run.data.lexicon:
            words.setdefault(word.lang, []).append(word.text)
        pieces = new_pieces(
            old,
            {lang: [*texts[lang], *words.get(lang, ())] for lang in langs},
            run.data.source_texts(),
            per_language=run.options.new_pieces,
            min_count=run.options.min_piece_count,
        )
        if not pieces:
            return loaded, old, 0
        tokenizer = extended(old, pieces)
        add_embeddings(
            loaded, old, tokenizer, list(pieces), data=run.data, options=run.options,
            rows_rng=run.rng("rows"), bag_rng=run.rng("bag"), progress=run.progress,
        )  # fmt: skip
        part = stage.with_suffix(".part")
        save_adapted(loaded, part, origin=run.name, tokenizer=tokenizer)
        replace_folder(part, stage)
    loaded = replace(_load(str(stage)), name=run.name)
    tokenizer = as_json(loaded.tokenizer.backend_tokenizer)
    return loaded, tokenizer, size(tokenizer) - size(old)


def _trained(run: _Run, loaded: Encoder) -> tuple[str, Position]:
    """Trains the encoder in place; returns the method and where the training ended."""
    target = load_file(run.work / "before.safetensors")["target"]
    texts = training_texts(loaded, run.data, target, run.options)
    options = run.options
    if not texts.paired:
        options = replace(options, mlm_weight=options.mlm_weight or 1.0)
    model = compact(loaded, texts, options)
    attention = loaded.model.config._attn_implementation
    if loaded.model.device.type == "cpu":  # its fused backward pass is slow for short rows
        loaded.model.set_attn_implementation("eager")
    method = "alignment through the body" if texts.paired else "masked tokens, rows alone"
    run.progress(f"training: {method}")
    position = train(
        model, texts, options, work=run.work / "checkpoint", identity=run.key,
        progress=run.progress,
    )  # fmt: skip
    write_back(model)
    loaded.model.set_attn_implementation(attention)
    return method, position


def _trimmed(
    run: _Run, loaded: Encoder, tokenizer: TokenizerJson
) -> tuple[dict[str, float] | None, TokenizerJson, NDArray[np.int64] | None]:
    """Drops the pieces that no text uses, if that is asked for."""
    if not run.options.trim:
        return None, tokenizer, None
    texts = [text for in_language in run.texts().values() for text in in_language]
    words = [side for pair in run.data.lexicon for side in (pair.text, pair.source)]
    kept_ids = trim.kept_ids(tokenizer, [*texts, *words])
    rows = embedding_table(loaded).weight.detach()
    at = torch.from_numpy(kept_ids)
    bias = head_bias(loaded)
    set_embedding_table(loaded, rows[at.to(rows.device)])
    if bias is not None:
        set_head_bias(loaded, bias.detach()[at.to(bias.device)])
    n_dropped = len(rows) - len(kept_ids)
    value_bytes = table_dtype(loaded, run.name).itemsize
    saved = {
        "pieces": float(n_dropped),
        "mb_saved": round(trim.megabytes(n_dropped, rows.shape[1], value_bytes), 3),
    }
    return saved, trim.trimmed(tokenizer, kept_ids), kept_ids
