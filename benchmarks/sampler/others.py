"""The strategies of scikit-activeml and small-text beside the default: same vectors and probe.

python benchmarks/sampler/others.py sib200.parquet --source eng_Latn --targets hau_Latn,yor_Latn \
    --out others/ --seeds 10

Needs `pip install small-text==1.4.1` beside the development tools. Each strategy chooses among all
open texts, as its library does by default, and knows what ours knows: frozen vectors, the probe's
probabilities, the labels so far. Goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from xlt.data.corpus import read_examples
from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.encoder.locations import encoder_fingerprint
from xlt.simulate.acquisition import ACQUISITIONS, Acquisition, at_random
from xlt.simulate.journal import finished
from xlt.simulate.learning_curve import EVERYTHING, CurveSettings
from xlt.simulate.replay import Replay, cached_features, make_replay
from xlt.simulate.results import summary
from xlt.simulate.runner import run_all
from xlt.simulate.state import State
from xlt.simulate.tables import show_tables
from xlt.tasks.calibration import probabilities
from xlt.tasks.task import Probe

SMALL_TEXT = {
    "BreakingTies": {},
    "LeastConfidence": {},
    "PredictionEntropy": {},
    "EmbeddingKMeans": {},
    "ContrastiveActiveLearning": {"pbar": None},
    "GreedyCoreset": {},
    "LightweightCoreset": {},
}
#: Name -> what it is told beside vectors and labels.
ACTIVEML: dict[str, tuple[str, dict[str, Any]]] = {
    "margin": ("UncertaintySampling", {"method": "margin_sampling"}),
    "TypiClust": ("TypiClust", {}),
    "ProbCover": ("ProbCover", {}),
    "CoreSet": ("CoreSet", {}),
    "Badge": ("Badge", {}),
    "Clue": ("Clue", {}),
    "ContrastiveAL": ("ContrastiveAL", {}),
    "DropQuery": ("DropQuery", {}),
    "Falcun": ("Falcun", {}),
}
_WITHOUT_MODEL = ("TypiClust", "ProbCover", "CoreSet")


def probe_of(state: State) -> Probe:
    """The probe that the state's beliefs come from, before calibration."""
    rows = state.trained
    return state.task.probe(state.pool.vectors[rows], state.answers(rows), l2=CurveSettings().l2)


class Everything:
    """What small-text calls a data set: the rows of the pool."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: Any) -> Everything:  # noqa: ANN401 - as numpy takes it
        return Everything(self.rows[item])


class Known:
    """What small-text calls a classifier: it looks up what is known of a row."""

    def __init__(self, state: State) -> None:
        self.probabilities = state.probabilities
        self.vectors = state.pool.vectors

    def predict_proba(self, data: Everything) -> np.ndarray:
        """(N, C)."""
        return self.probabilities[data.rows]

    def embed(
        self, data: Everything, return_proba: bool = False, pbar: object = None
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """(N, D), with (N, C) where that is asked for."""
        vectors = self.vectors[data.rows]
        return (vectors, self.predict_proba(data)) if return_proba else vectors


def small_text(name: str) -> Acquisition:
    """A query strategy of small-text."""

    def choose(state: State, rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        import small_text.query_strategies as strategies

        if state.probabilities is None:
            return at_random(state, rows, count, rng)
        np.random.seed(int(rng.integers(2**31)))  # noqa: NPY002 - what small-text draws from
        query = getattr(strategies, name)(**SMALL_TEXT[name])
        known, data = state.trained, Everything(np.arange(len(state.pool)))
        y = state.task.classes(state.answers(known))
        found = np.asarray(query.query(Known(state), data, rows, known, y, n=count), dtype=np.intp)
        found = np.array(list(dict.fromkeys(found.tolist())), dtype=np.intp)[:count]
        # Its coresets have returned rows twice, or too few: chance fills up.
        rest = rng.permutation(np.setdiff1d(rows, found))
        return np.concatenate([found[np.isin(found, rows)], rest])[:count]

    return choose


def activeml(name: str) -> Acquisition:
    """A pool strategy of scikit-activeml."""
    kind, options = ACTIVEML[name]

    def choose(state: State, rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        from skactiveml import pool

        if state.probabilities is None and kind not in _WITHOUT_MODEL:
            return at_random(state, rows, count, rng)
        x = np.asarray(state.pool.vectors, dtype=np.float64)
        y = np.full(len(x), np.nan)
        y[state.trained] = state.task.classes(state.answers(state.trained))
        seed = int(rng.integers(2**31))
        made = {"n_classes": state.task.width} if kind == "ProbCover" else {}
        query = getattr(pool, kind)(random_state=seed, **made, **options)
        called = "estimator" if kind == "Clue" else "clf"
        more: dict[str, Any] = {}
        if kind not in _WITHOUT_MODEL:
            more = {called: classifier(state), f"fit_{called}": False}
        found = query.query(x, y, candidates=rows, batch_size=count, **more)
        return np.asarray(found, dtype=np.intp)

    return choose


def classifier(state: State) -> object:
    """The probe as scikit-activeml takes it."""
    from skactiveml.base import SkactivemlClassifier

    probe, classes = probe_of(state), np.arange(state.task.width)

    class Ours(SkactivemlClassifier):
        def fit(self, X: object, y: object, sample_weight: object = None) -> Ours:
            return self

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return probabilities(probe.outputs(X).values, "softmax")

        def predict(self, X: np.ndarray) -> np.ndarray:
            return probe.outputs(X).values.argmax(axis=1)

    ours = Ours(classes=classes.tolist())
    ours.classes_ = classes
    return ours


def strategies() -> dict[str, Acquisition]:
    """All of both libraries by the names of the tables."""
    found = {f"small-text {name}": small_text(name) for name in SMALL_TEXT}
    return found | {f"activeml {name}": activeml(name) for name in ACTIVEML}


def replay_of(args: argparse.Namespace) -> tuple[Replay, str]:
    """The data, and a fingerprint of what decides a curve beside strategy and seed."""
    wanted = {*args.targets.split(","), args.source}
    sides = [
        [e for e in read_examples(args.data, split=split) if e.lang in wanted and e.answer]
        for split in ("train", "test")
    ]
    texts = [example.text for side in sides for example in side]
    features = cached_features(
        texts, encoder="bundled", folder=args.cache or args.out, show=lambda *_: None
    )
    libraries = [version(name) for name in ("small-text", "scikit-activeml")]
    code, encoder = fingerprint_of_file(Path(__file__)), encoder_fingerprint("bundled")
    setup = fingerprint([encoder, args.budgets, code, *libraries, *texts])[:16]
    return make_replay(*sides, features, source=[args.source]), setup


def main() -> None:
    """Runs what is not there yet; shows tables and what a choice costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--source", required=True)
    parser.add_argument("--targets", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budgets", default="20,50,100,200,300,400,500")
    parser.add_argument("--strategies", nargs="+")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    theirs = strategies()
    ACQUISITIONS.update(theirs)
    names = args.strategies or ["default", "random", "stratified", *theirs]
    replay, setup = replay_of(args)
    settings = CurveSettings(budgets=tuple(int(n) for n in args.budgets.split(",")))
    jobs = [(name, seed) for seed in range(13, 13 + args.seeds) for name in [*names, EVERYTHING]]
    begin = time.process_time()
    cells = run_all(
        replay,
        jobs,
        settings,
        setup=setup,
        file=args.out / "cells.jsonl",
        processes=1,
        show=lambda words, done, total: print(f"{words} ({done}/{total})", flush=True),
    )
    found = {"data": Path(args.data).name, "settings": {"budgets": list(settings.budgets)}}
    found |= summary(cells, replay.targets)
    (args.out / "summary.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    show_tables(found)
    took: dict[str, list[float]] = {}
    for cell in finished(args.out / "cells.jsonl", setup):
        took.setdefault(cell.strategy, []).append(cell.seconds)
    seconds = {name: round(float(np.mean(of)), 1) for name, of in took.items()}
    print(json.dumps({"seconds_per_curve": seconds, "texts": len(replay.pool)}, indent=1))
    print(f"{time.process_time() - begin:.0f} s of the processor", flush=True)


if __name__ == "__main__":
    main()
