"""Drops the pieces of a tokenizer that no text uses; the texts keep their tokens.

Greedy longest match (WordPiece) and the most probable segmentation (Unigram) do not change if
pieces that they did not choose are removed. A byte-pair model also keeps every piece that merges
into a piece in use, and the merges between kept pieces.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.adapt.tokenizer_json import TokenizerJson, as_tokenizer, size, unknown_id


def kept_ids(data: TokenizerJson, texts: Sequence[str]) -> NDArray[np.int64]:
    """Returns the ids to keep, in rising order: special ones, used ones, and used letters.

    Single characters stay with and without the mark of a word's start or continuation, so that
    words that are not in the texts can still be spelt. Bytes of byte-level models stay.
    """
    tokenizer = as_tokenizer(data)
    used = {token["id"] for token in data["added_tokens"]}
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=True):
        used.update(encoding.ids)
    unknown = unknown_id(data)
    if unknown is not None:
        used.add(unknown)
    pieces = tokenizer.get_vocab(with_added_tokens=True)
    names = {id: piece for piece, id in pieces.items()}
    letters = set("".join(names[id] for id in used if id in names))
    used.update(id for piece, id in pieces.items() if _letter(piece) in letters or _byte(piece))
    if data["model"]["type"] == "BPE":
        used.update(id for id in pieces.values() if len(names[id]) == 1)
        _add_ancestors(data, pieces, names, used)
    return np.array(sorted(used), dtype=np.int64)


def trimmed(data: TokenizerJson, kept: NDArray[np.int64]) -> TokenizerJson:
    """Returns the tokenizer with the `kept` ids alone, renumbered in their order."""
    new = {int(old): row for row, old in enumerate(kept)}
    result = copy.deepcopy(data)
    model = result["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in kept if old < len(model["vocab"])]
        model["unk_id"] = None if model["unk_id"] is None else new[model["unk_id"]]
    else:
        model["vocab"] = {piece: new[id] for piece, id in model["vocab"].items() if id in new}
    if "merges" in model:
        model["merges"] = [m for m in model["merges"] if _result(m) in model["vocab"]
                           and all(part in model["vocab"] for part in _parts(m))]  # fmt: skip
    for token in result["added_tokens"]:
        token["id"] = new[token["id"]]
    result["post_processor"] = _renumbered(result["post_processor"], new)
    if size(result) != len(kept):
        raise AssertionError(f"expected {len(kept)} ids after trimming, got {size(result)}")
    return result


def renumbered_settings(settings: Mapping[str, Any], kept: NDArray[np.int64]) -> dict[str, Any]:
    """Returns a model's settings with the new ids of the kept pieces (`pad_token_id` and so on)."""
    new = {int(old): row for row, old in enumerate(kept)}
    return {
        key: new.get(value, value) if key.endswith("_token_id") else value
        for key, value in settings.items()
        if not isinstance(value, bool)
    }


def _letter(piece: str) -> str:
    """Returns the character of a piece of one character, otherwise an empty string."""
    bare = piece.removeprefix("##").removeprefix("▁").removeprefix("Ġ")
    return bare if len(bare) == 1 else ""


def _byte(piece: str) -> bool:
    return piece.startswith("<0x") and piece.endswith(">")


def _add_ancestors(
    data: TokenizerJson, pieces: Mapping[str, int], names: Mapping[int, str], used: set[int]
) -> None:
    """Adds the pieces that merge into used ones to `used`."""
    made_of: dict[str, list[tuple[str, str]]] = {}
    for merge in data["model"]["merges"]:
        made_of.setdefault(_result(merge), []).append(_parts(merge))
    waiting = [names[id] for id in used]
    while waiting:
        for parts in made_of.get(waiting.pop(), ()):
            for part in parts:
                if pieces[part] not in used:
                    used.add(pieces[part])
                    waiting.append(part)


def _parts(merge: str | Sequence[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _result(merge: str | Sequence[str]) -> str:
    return "".join(_parts(merge))


def _renumbered(part: Any, new: Mapping[int, int]) -> Any:  # noqa: ANN401 - a tree of JSON
    """Returns a post-processor with new ids.

    They are lists `ids` (template) or pairs [token, id] (BERT, RoBERTa).
    """
    if isinstance(part, dict):
        return {
            key: [new[id] for id in value] if key == "ids" else _renumbered(value, new)
            for key, value in part.items()
        }
    if isinstance(part, list):
        if len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], int):
            return [part[0], new[part[1]]]
        return [_renumbered(item, new) for item in part]
    return part


def megabytes(rows: int, width: int, bytes_per_value: int) -> float:
    """Returns the size of a number of embeddings, in MB of 10^6 bytes."""
    return rows * width * bytes_per_value / 1e6
