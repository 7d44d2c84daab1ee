"""What the learner "best" chooses: a frozen and a fine-tuned model, on labels left out of both.

For each encoder and seed, labels are drawn from the training rows of SIB-200: half of them English,
the others of five languages, with unlabelled texts of these.

    python benchmarks/learning/choice.py --data DATA --encoders bundled /path/to/encoder --json F
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.train import train

SOURCE, TARGETS = "eng_Latn", ("hau_Latn", "yor_Latn", "quy_Latn", "wol_Latn", "som_Latn")


def main() -> int:
    """Compares the learners for each encoder and seed, and prints one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with sib200.parquet")
    parser.add_argument("--encoders", nargs="+", default=["bundled"], metavar="NAME")
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--unlabelled", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = pq.read_table(args.data / "sib200.parquet").to_pylist()
    found = []
    for encoder in args.encoders:
        for seed in range(args.seeds):
            print(f"{encoder}, seed {seed}", file=sys.stderr, flush=True)
            parts = drawn(rows, args.labels, args.unlabelled, np.random.default_rng(seed))
            found.append({"encoder": Path(encoder).name, "seed": seed, **compared(encoder, *parts)})
    document = {"labels": args.labels, "unlabelled": args.unlabelled, "found": found}
    print(json.dumps(document, indent=1))
    if args.json:
        args.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def drawn(
    rows: list[dict[str, Any]], labels: int, unlabelled: int, rng: np.random.Generator
) -> tuple[list[Example], list[Example]]:
    """Returns labelled and unlabelled examples; no sentence is in both."""
    known = {(row["lang"], row["id"]): row for row in rows if row["split"] == "train"}
    ids = rng.permutation(sorted({id for _, id in known})).tolist()
    targets = [TARGETS[n % len(TARGETS)] for n in range(labels - labels // 2)]
    langs = [SOURCE] * (labels // 2) + targets
    labelled = [as_example(known[pair]) for pair in zip(langs, ids, strict=False)]
    rest = [known[lang, id] for id in ids[labels:] for lang in TARGETS][:unlabelled]
    return labelled, [as_example(row) for row in rest]


def as_example(row: dict[str, Any]) -> Example:
    """Returns a row as a labelled example."""
    id = f"{row['split']} {row['id']}"
    return Example(
        id=f"{id} {row['lang']}",
        texts=(row["text"],),
        lang=row["lang"],
        answer=row["label"],
        group=id,
    )


def compared(encoder: str, labelled: list[Example], unlabelled: list[Example]) -> dict[str, Any]:
    """Returns the comparison of a training with the learner "best"."""
    task = SingleLabel(labels=tuple(sorted({str(example.answer) for example in labelled})))
    config = TrainConfig(encoder=encoder, learner="best")
    with tempfile.TemporaryDirectory() as scratch:
        found = train(labelled, unlabelled, task, config, Path(scratch) / "model").comparison
    assert found is not None
    return found.to_json()


if __name__ == "__main__":
    sys.exit(main())
