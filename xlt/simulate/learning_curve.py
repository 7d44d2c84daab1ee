"""One cell of a simulation: the learning curve of one strategy and seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.config import HEAD_L2
from xlt.errors import ConfigError
from xlt.payoff.marginal import LEAST_LAST, last_labels
from xlt.sampling.audit import is_audit
from xlt.simulate.learners import (
    LEARNERS,
    Learned,
    Learner,
    Training,
    frozen,
    joint,
    quick_probe,
)
from xlt.simulate.replay import Replay, Texts
from xlt.simulate.state import State
from xlt.simulate.strategies import strategy
from xlt.tasks.calibration import Calibration
from xlt.tasks.logistic import scaled
from xlt.tasks.metrics import wilson
from xlt.tasks.outputs import Outputs

#: Number of models of a committee, each fitted on labels drawn with replacement.
_COMMITTEE = 8

#: The strategy that labels everything at once: the upper reference for the others.
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveSettings:
    """Settings that all cells of a simulation share.

    Attributes:
        budgets: Numbers of labels at which a model is fitted and judged, ascending.
        batch: Largest number of labels per round; rounds between budgets are judged as well.
        audit_share: Share of the tasks whose labels judge and never train, in [0, 0.5].
        pool_share: Share of the pool's groups that a seed draws, in (0, 1].
        l2: Penalty of the probe and of the frozen model's layer; the trainer's default.
        learner: head (the quick probe), frozen or joint.
        training: Hyper-parameters of the learner joint (`xlt.config.TrainConfig`).

    Raises:
        ConfigError: If a setting is out of range.
    """

    budgets: tuple[int, ...] = (20, 50, 100, 200, 300, 400, 500)
    batch: int = 50
    audit_share: float = 0.1
    pool_share: float = 0.8
    l2: float = HEAD_L2
    learner: str = LEARNERS[0]
    training: Training | None = None

    def __post_init__(self) -> None:
        if self.learner not in LEARNERS:
            raise ConfigError(f"learner must be one of {', '.join(LEARNERS)}, got {self.learner!r}")
        if (self.learner == "joint") != (self.training is not None):
            raise ConfigError("the learner joint needs hyper-parameters, and no other learner does")
        if (
            not self.budgets
            or self.budgets[0] < 1
            or list(self.budgets) != sorted(set(self.budgets))
        ):
            raise ConfigError(f"budgets must be ascending and above 0, got {list(self.budgets)}")
        if self.batch < 1:
            raise ConfigError(f"batch must be at least 1, got {self.batch}")
        if not 0 <= self.audit_share <= 0.5:
            raise ConfigError(f"audit_share must be in [0, 0.5], got {self.audit_share}")
        if not 0 < self.pool_share <= 1:
            raise ConfigError(f"pool_share must be in (0, 1], got {self.pool_share}")
        if not self.l2 > 0:
            raise ConfigError(f"l2 must be above 0, got {self.l2}")

    def rounds(self) -> list[int]:
        """Returns the labels after each round: all budgets, in steps of at most `batch`."""
        totals = [0]
        for budget in self.budgets:
            while budget - totals[-1] > self.batch:
                totals.append(totals[-1] + self.batch)
            totals.append(budget)
        return totals[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a learning curve.

    Attributes:
        labels: Number of labels, audit labels included.
        trained: Number of labels that train.
        spent: Language -> number of labels.
        accuracy: Language -> accuracy on the test texts, in [0, 1].
        bought: For the last point: language -> number of its last labels ("labels") and their
            improvement of the accuracy on its test texts ("gain").
    """

    labels: int
    trained: int
    spent: Mapping[str, int]
    accuracy: Mapping[str, float]
    bought: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def run_cell(
    replay: Replay,
    name: str,
    seed: int,
    settings: CurveSettings,
    *,
    folder: Path | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> list[dict[str, object]]:
    """Computes the learning curve of one strategy and seed, as JSON-ready points.

    The seed draws the part of the pool and the audit tasks, the same for all strategies, and it
    seeds the strategy.

    Args:
        replay: The data.
        name: The strategy.
        seed: The seed.
        settings: Settings of all cells.
        folder: For results of full trainings; required by the learner joint.
        announce: Called with a message before each full training.
    """
    pool = _drawn(replay.pool, seed, settings)
    # Vectors do not depend on labels, so the whole pool may set the scale.
    test = _scaled(replay.test, pool.vectors)
    pool = _scaled(pool, pool.vectors)
    audit = _audit(pool, seed, settings)
    if name == EVERYTHING:
        state = State(pool=pool, answered=np.arange(len(pool)), audit=audit, task=replay.task)
        learner = _learner(name, seed, settings, folder, announce)
        return [asdict(_judged(learner(state, test, None), state, test))]
    choose = strategy(name)
    rng = np.random.default_rng([seed, 1])
    state = State(
        pool=pool,
        answered=np.empty(0, np.intp),
        audit=audit,
        task=replay.task,
        source=replay.source,
    )
    unlabelled = state
    learner = _learner(name, seed, settings, folder, announce)
    learned: Learned | None = None
    points = []
    for labels in settings.rounds():
        rows = choose(state, labels - len(state.answered), rng)
        answered = np.concatenate([state.answered, rows])
        state = replace(unlabelled, answered=answered)
        learned = learner(state, test, learned)
        points.append(asdict(_judged(learned, state, test)))
        state = _informed(state, learned, settings, rng)
        if len(answered) == len(pool):
            break
    frozen = replace(state, pool=pool)  # a full training has put its own vectors into the state
    points[-1]["bought"] = _improvements(frozen, test, settings)
    return points


def _improvements(
    state: State, test: Texts, settings: CurveSettings
) -> dict[str, dict[str, float]]:
    """Measures each language's improvement by its last labels, by probes with and without them."""
    vectors, rows, task = state.pool.vectors, state.trained, state.task
    whole = task.probe(vectors[rows], state.answers(rows), l2=settings.l2)
    improvements: dict[str, dict[str, float]] = {}
    for lang in dict.fromkeys(state.pool.langs[rows].tolist()):
        own = np.flatnonzero(state.pool.langs[rows] == lang)
        n, judging = last_labels(len(own)), np.flatnonzero(test.langs == lang)
        if n < LEAST_LAST or not len(judging):
            continue
        earlier = np.delete(rows, own[len(own) - n :])
        less = task.probe(vectors[earlier], state.answers(earlier), l2=settings.l2, start=whole)
        judges = test.take(judging)
        more, fewer = (
            _credit(state, probe.outputs(judges.vectors), judges).mean() for probe in (whole, less)
        )
        improvements[lang] = {"labels": n, "gain": round(float(more - fewer), 6)}
    return improvements


def _credit(state: State, outputs: Outputs, texts: Texts) -> NDArray[np.float64]:
    """Returns the credit of outputs on texts, (N,) in [0, 1]."""
    beliefs = state.task.beliefs(outputs, texts.langs.tolist(), Calibration())
    predicted = [suggestion.answer for suggestion in state.task.decode(beliefs)]
    return state.task.credit(texts.answers, predicted)


def _learner(
    name: str,
    seed: int,
    settings: CurveSettings,
    folder: Path | None,
    announce: Callable[[str], None],
) -> Learner:
    if settings.training is None:
        return frozen(seed) if settings.learner == "frozen" else quick_probe(settings.l2)
    assert folder is not None

    def announce_cell(message: str) -> None:
        announce(f"{name}, seed {seed}: {message}")

    training = {**settings.training, "seed": seed}
    return joint(training, folder, announce_cell)


def _drawn(pool: Texts, seed: int, settings: CurveSettings) -> Texts:
    drawn = drawn_groups(pool.groups, seed, settings)
    return pool.take(np.flatnonzero(np.isin(pool.groups, drawn)))


def drawn_groups(groups: NDArray[np.str_], seed: int, settings: CurveSettings) -> NDArray[np.str_]:
    """Returns the groups that a seed draws from those of all texts, (N,)."""
    names = np.unique(groups)
    count = max(1, int(np.floor(len(names) * settings.pool_share + 0.5)))
    return np.random.default_rng([seed, 0]).permutation(names)[:count]


def _scaled(texts: Texts, reference: NDArray[np.float32]) -> Texts:
    return replace(texts, vectors=scaled(texts.vectors, reference))


def _audit(pool: Texts, seed: int, settings: CurveSettings) -> NDArray[np.bool_]:
    """Draws audit tasks as the service does; translations of one text are drawn together."""
    share, salt = settings.audit_share, f"simulate {seed}"
    judges = {group: is_audit(group, share=share, salt=salt) for group in set(pool.groups.tolist())}
    return np.array([judges[group] for group in pool.groups.tolist()], dtype=bool)


def _judged(learned: Learned, state: State, test: Texts) -> Point:
    return Point(
        labels=len(state.answered),
        trained=len(state.trained),
        spent=dict(Counter(state.pool.langs[state.answered].tolist())),
        accuracy=_by_language(_credit(state, learned.test_outputs, test), test.langs),
    )


def _by_language(credit: NDArray[np.float64], langs: NDArray[np.str_]) -> dict[str, float]:
    names = list(dict.fromkeys(langs.tolist()))
    return {name: round(float(credit[langs == name].mean()), 6) for name in names}


def _informed(
    state: State, learned: Learned, settings: CurveSettings, rng: np.random.Generator
) -> State:
    """Adds to the state what the service has before selection: beliefs, audit accuracies."""
    if not learned.trained:
        return state
    state = replace(state, pool=replace(state.pool, vectors=learned.vectors))
    task, judging, langs = state.task, state.judging, state.pool.langs.tolist()
    judges = state.pool.take(judging)
    outputs = learned.outputs.take(judging)
    fitted = task.fit(outputs, list(judges.answers), judges.langs.tolist())

    def committee() -> NDArray[np.float64]:
        rows = state.trained
        draws = [rng.choice(rows, size=len(rows)) for _ in range(_COMMITTEE)]
        vectors = state.pool.vectors
        probes = [
            task.probe(vectors[draw], state.answers(draw), l2=settings.l2, start=learned.probe)
            for draw in draws
        ]
        each = [task.beliefs(probe.outputs(vectors), langs, fitted) for probe in probes]
        return np.stack([beliefs.values for beliefs in each])

    return replace(
        state,
        committee=committee,
        beliefs=task.beliefs(learned.outputs, langs, fitted),
        accuracies=_lower_bounds(_credit(state, outputs, judges), judges.langs.tolist()),
    )


def _lower_bounds(credit: NDArray[np.float64], langs: Sequence[str]) -> dict[str, float]:
    seen = Counter(langs)
    earned = {lang: float(credit[np.array(langs) == lang].sum()) for lang in seen}
    return {lang: wilson(min(earned[lang], n), n)[0] for lang, n in seen.items()}
