r"""Accuracy on pairs of sentences: read apart or as one sequence, frozen or fine-tuned.

    python benchmarks/pairs/run.py --data DATA_DIR --labels 100 300 --seeds 3

DATA_DIR holds parallel_text.parquet. Prints one JSON line per cell, then a table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from data import Split, draw, sentences
from sklearn.linear_model import LogisticRegressionCV

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, embed, load_encoder
from xlt.encoder.locations import resolve
from xlt.encoder.pooling import mean_pool
from xlt.encoder.reading import each_batch
from xlt.models.predictor import Predictor
from xlt.tasks.logistic import scaled
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

TASK = SingleLabel(labels=("no", "yes"))
MAX_TOKENS = 128


def regression(split: Split, encoder: str, *, apart: bool) -> np.ndarray:
    """Returns the answers of scikit-learn's logistic regression on frozen vectors."""
    loaded = load_encoder(encoder)
    read = embed if apart else as_one_sequence
    known = read([e.input for e in split.labelled], encoder=loaded)
    judged = read([e.input for e in split.judging], encoder=loaded)
    model = LogisticRegressionCV(Cs=[0.01, 0.1, 1, 10, 100], cv=5, max_iter=1000)
    model.fit(scaled(known, known), [e.answer for e in split.labelled])
    return np.asarray(model.predict(scaled(judged, known)))


def as_one_sequence(texts: Sequence[str | tuple[str, ...]], *, encoder: Encoder) -> np.ndarray:
    """Returns the mean over the tokens of both texts in one sequence, (N, H)."""
    tokens = encoder.text_tokenizer(MAX_TOKENS)(texts)
    vectors = np.zeros((len(texts), encoder.width), dtype=np.float32)
    for rows, states, batch in each_batch(
        encoder.model, tokens, encoder.pad_id, batch_tokens=2048, dtype=torch.float32
    ):
        vectors[rows] = mean_pool(states, batch.attention_mask).numpy()
    return vectors


def trained(split: Split, encoder: str, seed: int, learner: str) -> np.ndarray:
    """Returns the answers of a model that xlt trains."""
    config = TrainConfig.from_mapping({"encoder": encoder, "learner": learner})
    config = TrainConfig.from_mapping({"seed": seed}, base=config)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        train(split.labelled, [], TASK, config, folder)
        predicted = Predictor.load(folder).predict(split.judging)
    return np.array([suggestion.answer for suggestion in predicted.suggestions])


def hugging_face(split: Split, encoder: str, seed: int) -> np.ndarray:
    """Returns the answers of the usual recipe: both texts in one sequence, a new head on top.

    As many updates of as many examples as xlt's joint training.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers import get_linear_schedule_with_warmup as schedule

    torch.manual_seed(seed)
    place, config = resolve(encoder), TrainConfig()
    tokenizer = AutoTokenizer.from_pretrained(place)
    model = AutoModelForSequenceClassification.from_pretrained(place, num_labels=2).float()
    rng = np.random.default_rng(seed)
    epochs, size = round(config.epochs), config.labelled_rows
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.body_learning_rate)
    steps = epochs * -(-len(split.labelled) // size)
    rates = schedule(optimizer, round(0.1 * steps), steps)

    def batch(examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        left, right = (list(texts) for texts in zip(*(e.texts for e in examples), strict=True))
        found = tokenizer(
            left, right, truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt"
        )
        return dict(found)

    model.train()
    for _ in range(epochs):
        order = rng.permutation(len(split.labelled))
        for start in range(0, len(order), size):
            examples = [split.labelled[row] for row in order[start : start + size]]
            labels = torch.tensor([TASK.labels.index(str(e.answer)) for e in examples])
            model(**batch(examples), labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            rates.step()
            optimizer.zero_grad()
    model.eval()
    answers: list[str] = []
    with torch.inference_mode():
        for start in range(0, len(split.judging), 32):
            logits = model(**batch(split.judging[start : start + 32])).logits
            answers += [TASK.labels[row] for row in logits.argmax(dim=1).tolist()]
    return np.array(answers)


LEARNERS: dict[str, Callable[[Split, str, int], np.ndarray]] = {
    "scikit-learn, one sequence": lambda split, name, seed: regression(split, name, apart=False),
    "scikit-learn, apart": lambda split, name, seed: regression(split, name, apart=True),
    "xlt frozen": lambda split, name, seed: trained(split, name, seed, "frozen"),
    "xlt joint": lambda split, name, seed: trained(split, name, seed, "joint"),
    "Hugging Face, one sequence": hugging_face,
}


def main() -> None:
    """Measures every learner; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--judging", type=int, default=50, help="pairs of a language that judge")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learners", nargs="+", default=list(LEARNERS), choices=list(LEARNERS))
    args = parser.parse_args()
    texts = sentences(args.data / "parallel_text.parquet")
    cells: dict[tuple[int, str], list[dict[str, float]]] = {}
    for labels in args.labels:
        for seed in range(args.seeds):
            loaded = load_encoder(args.encoder, to_read=True)
            split = draw(texts, loaded, labels, args.judging, seed)
            truth = np.array([example.answer for example in split.judging])
            for name in args.learners:
                clock = time.process_time()
                right = float((LEARNERS[name](split, args.encoder, seed) == truth).mean())
                cell = {"accuracy": right, "processor_s": time.process_time() - clock}
                cells.setdefault((labels, name), []).append(cell)
                print(
                    json.dumps({"labels": labels, "seed": seed, "learner": name, **cell}),
                    flush=True,
                )
    print("\n| labels | learner | seeds | accuracy | processor seconds |\n|--:|---|--:|--:|--:|")
    for (labels, name), found in cells.items():
        accuracy, seconds = (np.mean([cell[key] for cell in found]) for key in found[0])
        print(f"| {labels} | {name} | {len(found)} | {accuracy:.3f} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
