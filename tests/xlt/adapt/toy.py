"""Texts, a foreign language, tokenizers and options for tests of an adaptation."""

from __future__ import annotations

import numpy as np
import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from xlt.adapt.options import AdaptOptions
from xlt.adapt.texts import AdaptData, Pair
from xlt.adapt.tokenizer_json import as_json, as_tokenizer, size

_ENGLISH = "river goat market rain song teacher bread moon road fire water tree house child"
WORDS = _ENGLISH.split()
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ⴰⴱⵛⴷⴻⴼⴳⵀⵉⵊⴽⵍⵎⵏⵓⵒⵇⵔⵙⵜⵖⵠⵡⵅⵢⵣ")
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
KINDS = ("WordPiece", "Unigram", "Unigram with a token behind", "BPE")
QUICK = AdaptOptions(
    steps=6, minutes=0, bag_steps=20, bag_minutes=0, batch_tokens=256, max_tokens=32,
    min_piece_count=2, precision="fp32",
)  # fmt: skip


def sentences(rng, n=150):
    """Random English, without grammar."""
    return [" ".join(rng.choice(WORDS, size=rng.integers(3, 8))) for _ in range(n)]


def foreign(text):
    """The same in Tifinagh letters."""
    return text.translate(LETTERS)


def make(kind):
    """A tokenizer of each kind, as BERT, XLM-R and ModernBERT have them, that reads English."""
    texts = sentences(np.random.default_rng(1))
    if kind == "WordPiece":
        tokenizer = Tokenizer(models.WordPiece({"<unk>": 0}, unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=90, special_tokens=SPECIAL, show_progress=False
        )
    elif kind.startswith("Unigram"):
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=70, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    tokenizer.train_from_iterator(texts, trainer)
    if kind.endswith("behind"):  # as mDeBERTa's mask
        tokenizer.add_special_tokens(["<last>"])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>"))
    )
    return as_json(tokenizer)


TOKENIZERS = {kind: make(kind) for kind in KINDS}


def cuts(data, texts):
    """Pieces of each text."""
    return [encoding.tokens for encoding in as_tokenizer(data).encode_batch(texts)]


def save_english_encoder(folder):
    """Saves a small BERT with a WordPiece tokenizer that has never seen Tifinagh."""
    data = TOKENIZERS["WordPiece"]
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=size(data), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.2, pad_token_id=1,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    PreTrainedTokenizerFast(
        tokenizer_object=as_tokenizer(data), cls_token="<s>", sep_token="</s>", **names
    ).save_pretrained(folder)
    return str(folder)


def translations():
    """Pairs of English and a language in another script, and their lexicon."""
    rng = np.random.default_rng(4)
    return AdaptData(
        pairs=tuple(Pair(text=foreign(t), source=t, lang="zgh") for t in sentences(rng, 120)),
        lexicon=tuple(Pair(text=foreign(word), source=word, lang="zgh") for word in WORDS),
    )
