"""The content of a tokenizer.json, and what can be read from it."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer

#: Content of a tokenizer.json.
TokenizerJson = dict[str, Any]


def as_json(tokenizer: Tokenizer) -> TokenizerJson:
    """Returns the tokenizer.json of a tokenizer, without truncation and padding."""
    data: TokenizerJson = json.loads(tokenizer.to_str())
    return data | {"truncation": None, "padding": None}


def as_tokenizer(data: TokenizerJson) -> Tokenizer:
    """Returns the tokenizer that a tokenizer.json describes."""
    return Tokenizer.from_str(json.dumps(data))


def size(data: TokenizerJson) -> int:
    """Returns one more than the highest id."""
    return 1 + max(as_tokenizer(data).get_vocab(with_added_tokens=True).values())


def unknown_id(data: TokenizerJson) -> int | None:
    """Returns the id of the unknown token, None without one."""
    model = data["model"]
    if model["type"] == "Unigram":
        unknown: int | None = model["unk_id"]
        return unknown
    name = model.get("unk_token")
    return None if name is None else as_tokenizer(data).token_to_id(name)
