"""One cell of a simulation: one strategy labels a pool, round by round, and a model learns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.errors import ConfigError
from xlt.payoff.marginal import LEAST_LAST, last_labels
from xlt.sampling.audit import is_audit
from xlt.simulate.learners import Learner, Learnt, Training, fit_rows, joint, quick_head
from xlt.simulate.replay import Replay, Texts
from xlt.simulate.state import State
from xlt.simulate.strategies import strategy
from xlt.tasks import calibration
from xlt.tasks.logistic import fit_head, scaled
from xlt.tasks.metrics import wilson

#: Models of a committee; each is fitted on as many labels, drawn with replacement.
_COMMITTEE = 8

#: The strategy that labels everything at once: what the others are on their way to.
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
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
    l2: float = 0.4
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
    settings: Settings,
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
        folder: Where full trainings keep what they learnt; needed where `settings.training` is set.
        told: Called with a few words before each full training.
    """
    pool = _drawn(replay.pool, seed, settings)
    # Everything is read before the first label is asked for: the whole pool may set the scale.
    test = _scaled(replay.test, pool.vectors)
    pool = _scaled(pool, pool.vectors)
    audit = _audit(pool, seed, settings)
    if name == EVERYTHING:
        state = State(pool=pool, answered=np.arange(len(pool)), audit=audit)
        learner = _learner(replay, name, seed, settings, folder, told)
        return [asdict(_judged(learner(state, test, None), state, test))]
    choose = strategy(name)
    rng = np.random.default_rng([seed, 1])
    state = State(pool=pool, answered=np.empty(0, np.intp), audit=audit, source=replay.source)
    learner = _learner(replay, name, seed, settings, folder, told)
    learnt: Learnt | None = None
    points = []
    for labels in settings.rounds():
        rows = choose(state, labels - len(state.answered), rng)
        answered = np.concatenate([state.answered, rows])
        state = State(pool=pool, answered=answered, audit=audit, source=replay.source)
        learnt = learner(state, test, learnt)
        points.append(asdict(_judged(learnt, state, test)))
        state = _informed(state, learnt, replay, settings, rng)
        if len(answered) == len(pool):
            break
    frozen = replace(state, pool=pool)  # a full training has put its own vectors into the state
    points[-1]["bought"] = _bought(frozen, test, replay, settings)
    return points


def _bought(
    state: State, test: Texts, replay: Replay, settings: Settings
) -> dict[str, dict[str, float]]:
    """What the last labels of each language bought there, by quick heads with and without them."""
    pool, rows = state.pool, state.trained
    given: dict[str, Any] = {"classes": len(replay.classes), "l2": settings.l2}
    whole = fit_head(pool.vectors[rows], pool.labels[rows], **given)
    found: dict[str, dict[str, float]] = {}
    for lang in dict.fromkeys(pool.langs[rows].tolist()):
        own = np.flatnonzero(pool.langs[rows] == lang)
        n, of = last_labels(len(own)), test.langs == lang
        if n < LEAST_LAST or not of.any():
            continue
        kept = np.delete(rows, own[len(own) - n :])
        less = fit_head(pool.vectors[kept], pool.labels[kept], start=whole, **given)
        more, fewer = (head.logits(test.vectors[of]).argmax(axis=1) for head in (whole, less))
        gain = (more == test.labels[of]).mean() - (fewer == test.labels[of]).mean()
        found[lang] = {"labels": n, "gain": round(float(gain), 6)}
    return found


def _learner(
    replay: Replay,
    name: str,
    seed: int,
    settings: Settings,
    folder: Path | None,
    told: Callable[[str], None],
) -> Learner:
    if settings.training is None:
        return quick_head(len(replay.classes), settings.l2)
    assert folder is not None

    def say(words: str) -> None:
        told(f"{name}, seed {seed}: {words}")

    training = {**settings.training, "seed": seed}
    return joint(replay.classes, training, folder, say)


def _drawn(pool: Texts, seed: int, settings: Settings) -> Texts:
    names = np.unique(pool.groups)
    count = max(1, int(np.floor(len(names) * settings.pool_share + 0.5)))
    kept = np.random.default_rng([seed, 0]).permutation(names)[:count]
    return pool.take(np.flatnonzero(np.isin(pool.groups, kept)))


def _scaled(texts: Texts, of: NDArray[np.float32]) -> Texts:
    return replace(texts, vectors=scaled(texts.vectors, of))


def _audit(pool: Texts, seed: int, settings: Settings) -> NDArray[np.bool_]:
    """Audit tasks as the service draws them: translations of one text are so together."""
    share, salt = settings.audit_share, f"simulate {seed}"
    judges = {group: is_audit(group, share=share, salt=salt) for group in set(pool.groups.tolist())}
    return np.array([judges[group] for group in pool.groups.tolist()], dtype=bool)


def _judged(learnt: Learnt, state: State, test: Texts) -> Point:
    right = learnt.test_logits.argmax(axis=1) == test.labels
    return Point(
        labels=len(state.answered),
        trained=len(state.trained),
        spent=dict(Counter(state.pool.langs[state.answered].tolist())),
        accuracy=_by_language(right, test.langs),
    )


def _by_language(right: NDArray[np.bool_], langs: NDArray[np.str_]) -> dict[str, float]:
    names = list(dict.fromkeys(langs.tolist()))
    return {name: round(float(right[langs == name].mean()), 6) for name in names}


def _informed(
    state: State, learnt: Learnt, replay: Replay, settings: Settings, rng: np.random.Generator
) -> State:
    """What the service knows before it chooses: calibrated probabilities, audit accuracies."""
    if not learnt.trained:
        return state
    state = replace(state, pool=replace(state.pool, vectors=learnt.vectors))
    logits = learnt.logits
    judging = state.judging
    langs, labels = state.pool.langs, state.pool.labels[judging]
    fitted = calibration.fit(logits[judging], labels, langs[judging].tolist())
    right = logits[judging].argmax(axis=1) == labels

    def committee() -> NDArray[np.float64]:
        rows = state.trained
        draws = [rng.choice(rows, size=len(rows)) for _ in range(_COMMITTEE)]
        classes, start = len(replay.classes), learnt.head
        heads = [fit_rows(state, draw, classes, settings.l2, start) for draw in draws]
        each = [h.logits(state.pool.vectors) for h in heads]
        return np.stack([fitted.apply(of, langs.tolist()) for of in each])

    return replace(
        state,
        committee=committee,
        probabilities=fitted.apply(logits, langs.tolist()),
        accuracies=_lower_bounds(right, langs[judging].tolist()),
    )


def _lower_bounds(right: NDArray[np.bool_], langs: Sequence[str]) -> dict[str, float]:
    seen, hits = Counter(langs), Counter(np.array(langs, dtype=object)[right].tolist())
    return {lang: wilson(hits[lang], n)[0] for lang, n in seen.items()}
