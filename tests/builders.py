"""Small objects that tests build again and again."""

from __future__ import annotations

from typing import Any

# Label Studio -------------------------------------------------------------------------------

#: An interface with one choice per text.
CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text">'
    '<Choice value="health"/><Choice value="sport"/><Choice value="travel"/></Choices></View>'
)


def region(label: object, *, control: str = "label") -> dict[str, Any]:
    """A choice as Label Studio stores it."""
    return {
        "from_name": control,
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [label]},
    }


def annotation(label: object = None, *, by: int = 1, **fields: Any) -> dict[str, Any]:
    """One annotation of a task, as exported; without a label its result is empty."""
    return {
        "id": fields.pop("id", 1),
        "completed_by": by,
        "result": [] if label is None else [region(label)],
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 3.2,
        "parent_prediction": None,
        "created_at": "2026-11-22T08:00:00.000000Z",
        "updated_at": "2026-11-22T08:00:00.000000Z",
        **fields,
    }


def task(*annotations: dict[str, Any], id: int = 7, **data: Any) -> dict[str, Any]:
    """One task as exported."""
    return {
        "id": id,
        "data": {"text": "A long walk.", "lang": "en"} | data,
        "annotations": list(annotations),
        "is_labeled": bool(annotations),
    }


# Encoders -----------------------------------------------------------------------------------

#: What the tiny encoders' tokenizer knows, besides single letters.
_WORDS = """
    the a is was of in and good bad ball game team won lost goal match run
    law vote party state tax court rule plan wasan kwallo gasa gwamnati zabe doka
"""


def tiny_tokenizer(kind: str = "bert") -> Any:
    """A whitespace tokenizer over a few words with the special tokens of BERT or XLM-R."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = {
        "bert": ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        "xlm-roberta": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
    }[kind]
    pad, unk, first, last, mask = (
        special if kind == "bert" else (special[1], special[3], special[0], special[2], special[4])
    )
    pieces = list(dict.fromkeys([*special, *_WORDS.split(), *"abcdefghijklmnopqrstuvwxyz.,"]))
    backend = Tokenizer(
        models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token=unk)
    )
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    middle = f"{last} {last}" if kind == "xlm-roberta" else last
    second = 0 if kind == "xlm-roberta" else 1
    backend.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {middle} $B:{second} {last}:{second}",
        special_tokens=[(first, pieces.index(first)), (last, pieces.index(last))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=pad,
        unk_token=unk,
        cls_token=first,
        sep_token=last,
        mask_token=mask,
        model_input_names=["input_ids", "attention_mask"]
        + (["token_type_ids"] if kind == "bert" else []),
    )


def save_tiny_encoder(
    folder: Any, kind: str = "bert", *, with_mlm: bool = True, positions: int = 42
) -> Any:
    """A random encoder of a real architecture, two layers of width 16, saved in `folder`."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

    tokenizer = tiny_tokenizer("xlm-roberta" if kind == "xlm-roberta" else "bert")
    sizes = {
        "vocab_size": max(tokenizer.get_vocab().values()) + 1,  # ids may have gaps
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": positions,
        "pad_token_id": tokenizer.pad_token_id,
    }
    own = {
        "bert": {},
        "electra": {"embedding_size": 8},
        "xlm-roberta": {"type_vocab_size": 1, "bos_token_id": 0, "eos_token_id": 2},
        "modernbert": {
            "cls_token_id": tokenizer.cls_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "bos_token_id": tokenizer.cls_token_id,
            "eos_token_id": tokenizer.sep_token_id,
        },
        "deberta-v2": {
            "relative_attention": True,
            "position_buckets": 8,
            "pos_att_type": ["p2c", "c2p"],
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
        },
    }[kind]
    config = AutoConfig.for_model(kind, **sizes, **own)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = (AutoModelForMaskedLM if with_mlm else AutoModel).from_config(config)
        for parameter in model.parameters():
            if parameter.ndim > 1:  # larger than Hugging Face's 0.02: differences show
                torch.nn.init.normal_(parameter, std=0.15)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def stored_as(folder: Any, dtype: Any) -> None:
    """Rewrites an encoder's file with its matrices in a type."""
    from safetensors.torch import load_file, save_file

    values = load_file(folder / "model.safetensors")
    values = {k: v.to(dtype) if v.ndim > 1 else v for k, v in values.items()}
    save_file(values, folder / "model.safetensors", metadata={"format": "pt"})
