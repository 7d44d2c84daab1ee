"""One cell of a simulation: one strategy labels a pool, round by round, and a model learns."""

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
from xlt.simulate.learners import Learned, Learner, Training, joint, quick_probe
from xlt.simulate.replay import Replay, Texts
from xlt.simulate.state import State
from xlt.simulate.strategies import strategy
from xlt.tasks.calibration import Calibration
from xlt.tasks.logistic import scaled
from xlt.tasks.metrics import wilson
from xlt.tasks.outputs import Outputs

#: Models of a committee; each is fitted on as many labels, drawn with replacement.
_COMMITTEE = 8

#: The strategy that labels everything at once: what the others are on their way to.
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveSettings:
    """What all cells of a simulation share.

    Attributes:
        budgets: Labels after which a model is fitted and judged, ascending.
        batch: Labels per round at most; rounds in between are judged as well.
        audit_share: Share of the tasks whose labels judge and never train, in [0, 0.5].
        pool_share: Share of the pool's groups that a seed draws, in (0, 1].
        l2: Penalty of the head; the trainer's default.
        training: Hyper-parameters of full trainings (`xlt.config.TrainConfig`); None: the quick
            head learns.

    Raises:
        ConfigError: If one of them is out of range.
    """

    budgets: tuple[int, ...] = (20, 50, 100, 200, 300, 400, 500)
    batch: int = 50
    audit_share: float = 0.1
    pool_share: float = 0.8
    l2: float = HEAD_L2
    training: Training | None = None

    def __post_init__(self) -> None:
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
        """Labels after each round: every budget, and steps of at most `batch` between them."""
        found: list[int] = []
        for budget in self.budgets:
            while budget - (found[-1] if found else 0) > self.batch:
                found.append((found[-1] if found else 0) + self.batch)
            found.append(budget)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A model after so many labels.

    Attributes:
        labels: All that were asked for, audit labels included.
        trained: Those that train.
        spent: Language -> labels asked for.
        accuracy: Language -> accuracy on the test texts, in [0, 1].
        bought: Of the last point: language -> how many its last labels are ("labels"), and how much
            accuracy on its test texts they bought ("gain").
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
    told: Callable[[str], None] = lambda _: None,
) -> list[dict[str, object]]:
    """The learning curve of one strategy and seed, as JSON-ready points.

    The seed decides which part of the pool there is and which tasks are audit tasks, the same for
    all strategies, and what the strategy draws.

    Args:
        replay: The data.
        name: The strategy.
        seed: The seed.
        settings: What all cells share.
        folder: For results of full trainings; required if `settings.training` is set.
        told: Called with a few words before each full training.
    """
    pool = _drawn(replay.pool, seed, settings)
    # Everything is read before the first label is asked for: the whole pool may set the scale.
    test = _scaled(replay.test, pool.vectors)
    pool = _scaled(pool, pool.vectors)
    audit = _audit(pool, seed, settings)
    if name == EVERYTHING:
        state = State(pool=pool, answered=np.arange(len(pool)), audit=audit, task=replay.task)
        learner = _learner(name, seed, settings, folder, told)
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
    unasked = state
    learner = _learner(name, seed, settings, folder, told)
    learned: Learned | None = None
    points = []
    for labels in settings.rounds():
        rows = choose(state, labels - len(state.answered), rng)
        answered = np.concatenate([state.answered, rows])
        state = replace(unasked, answered=answered)
        learned = learner(state, test, learned)
        points.append(asdict(_judged(learned, state, test)))
        state = _informed(state, learned, settings, rng)
        if len(answered) == len(pool):
            break
    frozen = replace(state, pool=pool)  # a full training has put its own vectors into the state
    points[-1]["bought"] = _bought(frozen, test, settings)
    return points


def _bought(state: State, test: Texts, settings: CurveSettings) -> dict[str, dict[str, float]]:
    """How much the last labels of each language improved it, by probes with and without them."""
    vectors, rows, task = state.pool.vectors, state.trained, state.task
    whole = task.probe(vectors[rows], state.answers(rows), l2=settings.l2)
    found: dict[str, dict[str, float]] = {}
    for lang in dict.fromkeys(state.pool.langs[rows].tolist()):
        own = np.flatnonzero(state.pool.langs[rows] == lang)
        n, judging = last_labels(len(own)), np.flatnonzero(test.langs == lang)
        if n < LEAST_LAST or not len(judging):
            continue
        kept = np.delete(rows, own[len(own) - n :])
        less = task.probe(vectors[kept], state.answers(kept), l2=settings.l2, start=whole)
        judges = test.take(judging)
        more, fewer = (
            _credit(state, probe.outputs(judges.vectors), judges).mean() for probe in (whole, less)
        )
        found[lang] = {"labels": n, "gain": round(float(more - fewer), 6)}
    return found


def _credit(state: State, outputs: Outputs, texts: Texts) -> NDArray[np.float64]:
    """How right outputs are about texts, (N,) in [0, 1]."""
    beliefs = state.task.beliefs(outputs, texts.langs.tolist(), Calibration())
    predicted = [suggestion.answer for suggestion in state.task.decode(beliefs)]
    return state.task.credit(texts.answers, predicted)


def _learner(
    name: str,
    seed: int,
    settings: CurveSettings,
    folder: Path | None,
    told: Callable[[str], None],
) -> Learner:
    if settings.training is None:
        return quick_probe(settings.l2)
    assert folder is not None

    def say(words: str) -> None:
        told(f"{name}, seed {seed}: {words}")

    training = {**settings.training, "seed": seed}
    return joint(training, folder, say)


def _drawn(pool: Texts, seed: int, settings: CurveSettings) -> Texts:
    names = np.unique(pool.groups)
    count = max(1, int(np.floor(len(names) * settings.pool_share + 0.5)))
    kept = np.random.default_rng([seed, 0]).permutation(names)[:count]
    return pool.take(np.flatnonzero(np.isin(pool.groups, kept)))


def _scaled(texts: Texts, of: NDArray[np.float32]) -> Texts:
    return replace(texts, vectors=scaled(texts.vectors, of))


def _audit(pool: Texts, seed: int, settings: CurveSettings) -> NDArray[np.bool_]:
    """Audit tasks as the service draws them: translations of one text are so together."""
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
    """What the service knows before it chooses: calibrated beliefs, audit accuracies."""
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
