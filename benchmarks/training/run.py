"""Times a joint training step of xlt against the two-forward loop that Hugging Face users write.

    python benchmarks/training/run.py --steps 6 --json benchmarks/training/result.json

Every variant takes the same texts in the same steps, in a process of its own: labelled texts for
the classifier, pool texts for masked language modelling. The baseline is
`AutoModelForSequenceClassification` and `AutoModelForMaskedLM` around one body, a forward and a
backward pass each, the vocabulary projected at every token; padded to the longest allowed length
(the default of Hugging Face's run_xnli.py) or to the longest text of the batch.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

VARIANTS = ("hf-padded", "hf-dynamic", "xlt-fp32-all", "xlt")
LABELLED_ROWS, POOL_ROWS, MAX_LENGTH = 16, 8, 128
#: Shapes of well-known encoders, with random weights: speed does not depend on their values.
SHAPES = {
    "xlm-roberta-base": {
        "vocab_size": 250002,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
    },
}


def encoder_folder(name: str, scratch: Path) -> str:
    """Folder of an encoder: as given, or a random one of a known shape."""
    from xlt.encoder.locations import resolve

    if name not in SHAPES:
        return str(resolve(name))
    from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

    folder = scratch / name
    if not folder.is_dir():
        tokenizer = AutoTokenizer.from_pretrained(resolve("bundled"))
        # It reads the bundled encoder's pieces, and needs a row for each.
        shape = SHAPES[name] | {"vocab_size": max(SHAPES[name]["vocab_size"], len(tokenizer))}
        BertForMaskedLM(BertConfig(**shape)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return str(folder)


def read_texts(path: Path) -> list[str]:
    """The texts of a JSONL file, in an order that mixes its languages."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [rows[i * 7919 % len(rows)]["text"] for i in range(len(rows))]


def hugging_face(folder: str, texts: list[str], *, pad: bool) -> Callable[[int], None]:
    """A step of the usual loop."""
    import torch
    from transformers import (
        AutoModelForMaskedLM,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorForLanguageModeling,
    )

    tokenizer = AutoTokenizer.from_pretrained(folder)
    masked = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    classifier = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=7, dtype=torch.float32
    )
    prefix = masked.base_model_prefix
    pooler = getattr(classifier.base_model, "pooler", None)  # BERT's head reads it, ELECTRA's not
    setattr(classifier, prefix, masked.base_model)
    if pooler is not None:
        classifier.base_model.pooler = pooler
    unique = {id(p): p for m in (masked, classifier) for p in m.parameters()}
    optimizer = torch.optim.AdamW(list(unique.values()), lr=2e-5)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    padding = "max_length" if pad else True

    def tokens(some: list[str]) -> dict[str, torch.Tensor]:
        return tokenizer(
            some, padding=padding, truncation=True, max_length=MAX_LENGTH, return_tensors="pt"
        )

    def step(i: int) -> None:
        labelled, pool = rows_of_step(texts, i)
        labels = torch.arange(len(labelled)) % 7
        classifier(**tokens(labelled), labels=labels).loss.backward()
        batch = tokens(pool)
        batch["input_ids"], batch["labels"] = collate.torch_mask_tokens(batch["input_ids"])
        (0.1 * masked(**batch).loss).backward()
        torch.nn.utils.clip_grad_norm_(list(unique.values()), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    masked.train()
    classifier.train()
    return step


def rows_of_step(texts: list[str], i: int) -> tuple[list[str], list[str]]:
    """Labelled and pool texts of a step."""
    size = LABELLED_ROWS + POOL_ROWS
    rows = [texts[(i * size + k) % len(texts)] for k in range(size)]
    return rows[:LABELLED_ROWS], rows[LABELLED_ROWS:]


def xlt(folder: str, texts: list[str], n_steps: int, *, plain: bool) -> Callable[[int], None]:
    """A step of xlt's loop; plain: in float32, with every weight trained, as the baseline does."""
    from xlt.config import TrainConfig
    from xlt.data.examples import Example
    from xlt.tasks.single_label.task import SingleLabel
    from xlt.training.loop import _step
    from xlt.training.run import set_up

    task = SingleLabel(labels=tuple("abcdefg"))
    both = [rows_of_step(texts, i) for i in range(n_steps)]
    labelled = [t for rows, _ in both for t in rows]
    pool = [t for _, rows in both for t in rows]
    config = TrainConfig(
        encoder=folder,
        labelled_rows=LABELLED_ROWS,
        unlabelled_rows=POOL_ROWS,
        max_length=MAX_LENGTH,
        mlm_weight=0.1,
        precision="fp32" if plain else "auto",
        freeze_embeddings=not plain,
        dropout=0.1 if plain else TrainConfig().dropout,
    )
    run = set_up(
        [Example(id=str(i), texts=(t,), answer=task.labels[i % 7]) for i, t in enumerate(labelled)],
        [Example(id=f"p{i}", texts=(t,)) for i, t in enumerate(pool)],
        task,
        config,
        (),
    )

    def step(i: int) -> None:
        _step(run, min(i, run.steps - 1))

    return step


def measure(variant: str, folder: str, texts: list[str], n_steps: int) -> dict[str, float]:
    """Seconds per step, processor seconds per step, peak memory of this process."""
    import torch

    torch.manual_seed(0)
    if variant.startswith("hf"):
        step = hugging_face(folder, texts, pad=variant == "hf-padded")
    else:
        step = xlt(folder, texts, n_steps + 2, plain=variant == "xlt-fp32-all")
    step(0)
    wall_s, cpu_s = [], []
    for i in range(1, n_steps + 1):
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        step(i)
        wall_s.append(time.perf_counter() - began_s)
        cpu_s.append(time.process_time() - began_cpu_s)
    return {
        "step_s": statistics.median(wall_s),
        "step_cpu_s": statistics.median(cpu_s),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> int:
    """Run every variant and print the ratios to the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="bundled", help="folder, bundled, or a known shape")
    parser.add_argument(
        "--texts", type=Path, default=Path("backend/xlt_backend/demo/texts/topics.jsonl")
    )
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=1, help="interleaved repeats per variant")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.variant:
        folder = encoder_folder(args.encoder, args.scratch)
        print(json.dumps(measure(args.variant, folder, read_texts(args.texts), args.steps)))
        return 0
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        encoder_folder(args.encoder, Path(scratch))
        for _ in range(args.rounds):
            for variant in VARIANTS:
                command = [sys.executable, __file__, *sys.argv[1:], "--variant", variant]
                command += ["--scratch", scratch]
                answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found = json.loads(answer.stdout.splitlines()[-1])
                best = results.setdefault(variant, found)
                results[variant] = {key: min(best[key], found[key]) for key in found}
                print(variant, {k: round(v, 3) for k, v in results[variant].items()}, flush=True)
    base = results[VARIANTS[0]]
    ratios = {v: {k: base[k] / r[k] for k in r} for v, r in results.items()}
    for variant, ratio in ratios.items():
        print(f"{variant:14s}", "  ".join(f"{k} {value:5.2f}x" for k, value in ratio.items()))
    if args.json:
        document = {
            "encoder": args.encoder,
            "rows": [LABELLED_ROWS, POOL_ROWS],
            "steps": args.steps,
            "cores": os.cpu_count(),
            "results": results,
            "times_better_than_hf_padded": ratios,
        }
        args.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
