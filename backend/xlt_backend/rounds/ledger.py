"""Ledger of draws: the chance with which each labelled task was drawn; it outlives restarts.

An order is noted before it is published, and the time from which it is served before Label Studio
is switched to it. A label belongs to the order that was served when it was made. It keeps that
order's chance, and the suggestion of that order's model, which had not learned from the label.
Labels that came in no noted order (made before xlt, or far behind the noted places) are left out,
and those of another text than the one that was drawn under the task's id.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xlt.errors import StoreError
from xlt.sampling.pool import Pick
from xlt.store.versions import ProjectStore
from xlt.tasks.task import Json
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.rounds.changes import same_texts

logger = logging.getLogger(__name__)

#: Name of the ledger among a project's notes in the store.
LEDGER = "draws.json"
#: Number of places of an order that are noted: labels come from its start.
_PLACES = 1_000
#: Number of labels of a language that are kept, the newest.
_KEPT = 500
_DRAWN = ("audit", "control", "quota", "rest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The draw that gave a task its place.

    Attributes:
        lang: Its language.
        propensity: The chance, in (0, 1], with which it was drawn ...
        remaining: ... from this number of tasks.
        predicted: The answer that the order's model suggested, as JSON; None without a model.
        at: When it was labelled, seconds since the epoch; 0 if unknown.
        digest: Digest of its text; empty if unknown.
    """

    lang: str
    propensity: float
    remaining: int
    predicted: Json = None
    at: float = 0.0
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedOrder:
    """A published order.

    Attributes:
        since: When it was first served, seconds since the epoch; None: not yet.
        draws: Task id -> draw, of its first places.
        texts: Task id -> digest of the text that its prediction was published for.
    """

    since: float | None = None
    draws: Mapping[str, Draw] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The draws of a project.

    Attributes:
        orders: Version -> its order: the one that is served, and its neighbours in time.
        labelled: Id of each labelled task -> its draw.
        fallen_back: Whether choosing was found worse than chance, see `xlt.payoff.shadow`.
    """

    orders: Mapping[str, PublishedOrder] = field(default_factory=dict)
    labelled: Mapping[str, Draw] = field(default_factory=dict)
    fallen_back: bool = False

    def noted(
        self,
        version: str,
        picks: Iterable[Pick],
        rows: Iterable[PublishRow],
        digests: Mapping[str, str],
    ) -> Ledger:
        """Adds the draws of rows that are about to be published.

        Args:
            version: The order's name.
            picks: The order.
            rows: The rows of it that are published.
            digests: Task id -> digest of its text.
        """
        published = {str(row.task_id): row for row in rows}
        known = self.orders.get(version, PublishedOrder())
        new = {
            pick.id: Draw(
                lang=pick.lang,
                propensity=pick.propensity,
                remaining=pick.remaining,
                predicted=published[pick.id].answer,
                digest=digests.get(pick.id, ""),
            )
            for pick in picks
            if pick.rank < _PLACES and pick.slot in _DRAWN and pick.id in published
        }
        texts = {id: digests.get(id, "") for id in published}
        # A task that is published again was not drawn if people chose it meanwhile.
        others = {id: draw for id, draw in known.draws.items() if id not in published}
        order = replace(known, draws={**others, **new}, texts={**known.texts, **texts})
        return replace(self, orders={**self.orders, version: order})

    def served(self, version: str, before: str | None, now: float) -> Ledger:
        """Notes that `version` is served from now on; drops orders older than the one before."""
        new = replace(self.orders.get(version, PublishedOrder()), since=now)
        last = {name: order for name, order in self.orders.items() if name == before}
        return replace(self, orders=last | {version: new})

    def settled(self, labelled_at: Mapping[str, float], digests: Mapping[str, str]) -> Ledger:
        """Adds draws of tasks labelled since; drops those of tasks without their label or text.

        Args:
            labelled_at: Id of each labelled task -> when it was labelled.
            digests: Task id -> digest of its text.
        """

        def is_of(draw: Draw, id: str) -> bool:
            return same_texts(draw.digest, digests.get(id, ""))

        kept = {id: draw for id, draw in self.labelled.items() if id in labelled_at}
        draws = {id: draw for id, draw in kept.items() if is_of(draw, id)}
        for id, at in labelled_at.items():
            draw = None if id in draws else self._order_at(at).draws.get(id)
            if draw is not None and is_of(draw, id):
                draws[id] = replace(draw, at=at)
        return replace(self, labelled=_newest(draws))

    def texts(self, version: str | None) -> Mapping[str, str]:
        """Maps the tasks of an order to the digests of the texts that it was published for."""
        return {} if version is None else self.orders.get(version, PublishedOrder()).texts

    def _order_at(self, at: float) -> PublishedOrder:
        """Returns the order that was served at a time; the newest if the time is unknown."""
        since = {v: order.since for v, order in self.orders.items() if order.since is not None}
        served = [version for version, start in since.items() if not at or start <= at]
        return self.orders[max(served, key=lambda v: since[v])] if served else PublishedOrder()

    def to_json(self) -> bytes:
        """Returns the ledger as JSON."""
        value = {
            "fallen_back": self.fallen_back,
            "orders": {
                name: {
                    "since": order.since,
                    "draws": _rows(order.draws),
                    "texts": dict(order.texts),
                }
                for name, order in self.orders.items()
            },
            "labelled": _rows(self.labelled),
        }
        return json.dumps(value, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes | None) -> Ledger:
        """Reads what `to_json` wrote; returns an empty ledger for None.

        Raises:
            StoreError: If it is damaged.
        """
        if data is None:
            return cls()
        try:
            value = json.loads(data)
            orders = {
                str(name): PublishedOrder(
                    since=None if order["since"] is None else float(order["since"]),
                    draws=_draws(order["draws"]),
                    texts=dict(order.get("texts", {})),  # the first xlt wrote none
                )
                for name, order in value["orders"].items()
            }
            return cls(
                orders=orders,
                labelled=_draws(value["labelled"]),
                fallen_back=bool(value["fallen_back"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{LEDGER} is damaged ({error!r})") from error


def read(versions: ProjectStore) -> Ledger:
    """Reads a project's ledger; an unreadable one is dropped, the next draws start another."""
    try:
        return Ledger.from_json(versions.note(LEDGER))
    except StoreError as error:
        logger.warning("project %s: %s; earlier draws are lost", versions.name, error)
        return Ledger()


def write(versions: ProjectStore, ledger: Ledger) -> None:
    """Writes a project's ledger.

    Raises:
        StoreError: If it cannot be written.
    """
    versions.write_note(LEDGER, ledger.to_json())


def _newest(draws: Mapping[str, Draw]) -> dict[str, Draw]:
    """Keeps the newest of each language."""
    counts: Counter[str] = Counter()
    newest = []
    for id, draw in sorted(draws.items(), key=lambda item: -item[1].at):
        counts[draw.lang] += 1
        if counts[draw.lang] <= _KEPT:
            newest.append((id, draw))
    return dict(reversed(newest))


def _rows(draws: Mapping[str, Draw]) -> dict[str, Sequence[Any]]:
    return {
        id: (d.lang, round(d.propensity, 9), d.remaining, d.predicted, d.at, d.digest)
        for id, d in draws.items()
    }


def _draws(rows: Mapping[str, Sequence[Any]]) -> dict[str, Draw]:
    draws = {}
    for id, (lang, propensity, remaining, predicted, at, *more) in rows.items():
        if not (0 < float(propensity) <= 1 and int(remaining) >= 1):
            raise ValueError(f"task {id}: chance {propensity} of {remaining} tasks")
        draws[str(id)] = Draw(
            lang=str(lang),
            propensity=float(propensity),
            remaining=int(remaining),
            predicted=predicted,
            at=float(at),
            digest=str(more[0]) if more else "",  # the first xlt wrote none
        )
    return draws
