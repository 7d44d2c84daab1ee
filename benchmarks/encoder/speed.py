"""Times the bundled encoder against the architecture that multilingual users reach for.

    python benchmarks/encoder/speed.py --threads 2 --json benchmarks/encoder/speed.json

The rival has the shape of paraphrase-multilingual-MiniLM-L12-v2 (12 layers, 384 wide, a row for
each of 250,037 pieces or of ours) with random weights, because speed does not depend on their
values, and reads the same pieces. It runs as sentence-transformers runs it by default (float32,
batches of 32 sorted by length) and, so that precision and architecture can be told apart, the way
xlt runs encoders. The variants take turns in one process; loading and memory are measured in a
fresh one.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TEXTS = Path(__file__).parents[2] / "backend" / "xlt_backend" / "demo" / "texts" / "topics.jsonl"
RIVAL = {
    "vocab_size": 250_037,
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
}
BATCH_SIZE, MAX_TOKENS, LATENCY_TEXTS = 32, 128, 60
_ALONE = """
import json, resource, sys, time
from xlt.encoder.encoder import embed, load_encoder
began = time.perf_counter()
encoder = load_encoder(to_read=True)
load_s = time.perf_counter() - began
embed(json.load(sys.stdin), encoder=encoder)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"load_s": round(load_s, 3), "peak_rss_mib": round(peak)}))
"""


def read_texts(count: int) -> list[str]:
    """Texts of the demo, its languages mixed."""
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    return [rows[i * 7919 % len(rows)]["text"] for i in range(min(count, len(rows)))]


def usual(model: object, tokenizer: object) -> Callable[[Sequence[str]], None]:
    """What sentence-transformers does: float32, fixed batches of texts of like length."""
    import torch

    def run(texts: Sequence[str]) -> None:
        ordered = sorted(texts, key=len, reverse=True)
        for begin in range(0, len(ordered), BATCH_SIZE):
            batch = tokenizer(
                ordered[begin : begin + BATCH_SIZE],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                hidden = model(**batch).last_hidden_state
                weight = batch["attention_mask"].unsqueeze(-1)
                (hidden * weight).sum(dim=1) / weight.sum(dim=1)

    return run


def variants() -> dict[str, Callable[[Sequence[str]], None]]:
    """What takes turns, by name; each encoder as its reader keeps it."""
    from transformers import BertConfig, BertModel

    from xlt.encoder.encoder import Encoder, embed, load_encoder, store_for_reading

    ours, plain = load_encoder(to_read=True), load_encoder()
    # It reads the same pieces and needs a row for each; looking one up costs the same.
    shape = RIVAL | {"vocab_size": max(RIVAL["vocab_size"], ours.n_tokens)}
    body = BertModel(BertConfig(**shape), add_pooling_layer=False).eval()
    rival = Encoder(name="rival", model=copy.deepcopy(body), tokenizer=ours.tokenizer)
    for read in (ours, rival):
        store_for_reading(read.model, read.forward_dtype(read.model.device, "auto"))
    return {
        "minilm-l12 as usual": usual(body, plain.tokenizer),
        "minilm-l12 in xlt": lambda texts: void(embed(texts, encoder=rival)),
        "bundled as usual": usual(plain.model, plain.tokenizer),
        "bundled": lambda texts: void(embed(texts, encoder=ours)),
    }


def void(_: object) -> None:
    """Forgets a result."""


def throughput(
    runs: dict[str, Callable[[Sequence[str]], None]], texts: Sequence[str], rounds: int
) -> dict[str, float]:
    """Median sentences per second of each variant; they take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run(texts)
            if turn:  # the first warms up
                seconds[name].append(time.perf_counter() - began)
    return {name: round(len(texts) / statistics.median(s), 1) for name, s in seconds.items()}


def latency(run: Callable[[Sequence[str]], None], texts: Sequence[str]) -> float:
    """Median milliseconds for one sentence, on one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = []
    for text in texts:
        began = time.perf_counter()
        run([text])
        times.append(1000 * (time.perf_counter() - began))
    torch.set_num_threads(threads)
    return round(statistics.median(times[5:]), 2)


def main() -> None:
    """Measures and writes one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    texts = read_texts(args.texts)
    alone = subprocess.run(
        [sys.executable, "-c", _ALONE],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    runs = variants()
    speeds = throughput(runs, texts, args.rounds)
    result = {
        "threads": args.threads,
        "sentences_per_s": speeds,
        "ratio": round(speeds["bundled"] / speeds["minilm-l12 as usual"], 2),
        "ratio_same_precision": round(speeds["bundled"] / speeds["minilm-l12 in xlt"], 2),
        "one_sentence_one_thread_ms": latency(runs["bundled"], texts[:LATENCY_TEXTS]),
        **json.loads(alone.stdout.splitlines()[-1]),
    }
    text = json.dumps(result, indent=1)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
