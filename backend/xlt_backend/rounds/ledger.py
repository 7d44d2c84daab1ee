"""With which chance each labelled task was drawn: a ledger that outlives restarts. Pure.

An order is noted before it is published, the moment from which it is served before it is switched
to. A label belongs to the order that was served when it was made, and keeps that order's chance and
what its model said of the text, which that model had not learnt from. Labels that came in no noted
order (made before xlt, or far behind what was noted) are left out of what is measured here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xlt.errors import StoreError
from xlt.sampling.pool import Pick
from xlt_backend.labelstudio.convert import PublishRow

#: Name of the ledger among a project's notes in the store.
LEDGER = "draws.json"
#: Places of an order that are noted: labels come from its beginning.
_PLACES = 1_000
#: Labels of a language that are kept, the newest.
_KEPT = 500
_DRAWN = ("audit", "control", "quota", "rest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How one task got its place.

    Attributes:
        lang: Its language.
        propensity: The chance, in (0, 1], with which it was drawn ...
        remaining: ... from so many tasks.
        predicted: The label that the order's model gave it; None: there was no model.
        at: When it was labelled, seconds since the epoch; 0 where that is not known.
    """

    lang: str
    propensity: float
    remaining: int
    predicted: str | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A published order: since when it is served (None: not yet), and its first draws by task."""

    since: float | None = None
    draws: Mapping[str, Draw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is remembered of a project's draws.

    Attributes:
        orders: Version -> its order: the one that is served, and its neighbours in time.
        labelled: Task id -> its draw, of labelled tasks.
        fallen_back: Whether choosing was found worse than chance, see `xlt.payoff.arms`.
    """

    orders: Mapping[str, Order] = field(default_factory=dict)
    labelled: Mapping[str, Draw] = field(default_factory=dict)
    fallen_back: bool = False

    def noted(self, version: str, picks: Iterable[Pick], rows: Iterable[PublishRow]) -> Ledger:
        """With the draws of rows that are about to be published.

        Args:
            version: The order's name.
            picks: The order.
            rows: Those of it that are published.
        """
        said = {str(row.task_id): row for row in rows}
        known = self.orders.get(version, Order())
        new = {
            pick.id: Draw(
                lang=pick.lang,
                propensity=pick.propensity,
                remaining=pick.remaining,
                predicted=_label(said[pick.id]),
            )
            for pick in picks
            if pick.rank < _PLACES and pick.slot in _DRAWN and pick.id in said
        }
        order = replace(known, draws={**known.draws, **new})
        return replace(self, orders={**self.orders, version: order})

    def served(self, version: str, before: str | None, now: float) -> Ledger:
        """With `version` served from now on; orders older than the one before are dropped."""
        order = replace(self.orders.get(version, Order()), since=now)
        kept = {name: of for name, of in self.orders.items() if name == before}
        return replace(self, orders=kept | {version: order})

    def settled(self, labelled_at: Mapping[str, float]) -> Ledger:
        """With the draws of tasks that were labelled since, without those that lost their label.

        Args:
            labelled_at: Task id -> when it was labelled, of all labelled tasks.
        """
        found = {id: draw for id, draw in self.labelled.items() if id in labelled_at}
        for id, at in labelled_at.items():
            draw = None if id in found else self._order_at(at).draws.get(id)
            if draw is not None:
                found[id] = replace(draw, at=at)
        return replace(self, labelled=_newest(found))

    def _order_at(self, at: float) -> Order:
        """The order that was served at a time; the newest where the time is not known."""
        since = {v: order.since for v, order in self.orders.items() if order.since is not None}
        served = [version for version, begin in since.items() if not at or begin <= at]
        return self.orders[max(served, key=lambda v: since[v])] if served else Order()

    def to_json(self) -> bytes:
        """The ledger as JSON."""
        value = {
            "fallen_back": self.fallen_back,
            "orders": {
                name: {"since": order.since, "draws": _rows(order.draws)}
                for name, order in self.orders.items()
            },
            "labelled": _rows(self.labelled),
        }
        return json.dumps(value, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes | None) -> Ledger:
        """Reads what `to_json` wrote; an empty ledger of None.

        Raises:
            StoreError: If it is not that.
        """
        if data is None:
            return cls()
        try:
            value = json.loads(data)
            orders = {
                str(name): Order(
                    since=None if of["since"] is None else float(of["since"]),
                    draws=_draws(of["draws"]),
                )
                for name, of in value["orders"].items()
            }
            return cls(
                orders=orders,
                labelled=_draws(value["labelled"]),
                fallen_back=bool(value["fallen_back"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{LEDGER} is damaged ({error!r})") from error


def _label(row: PublishRow) -> str | None:
    """What a published prediction suggests."""
    return str(row.result[0]["value"]["choices"][0]) if row.result else None


def _newest(draws: Mapping[str, Draw]) -> dict[str, Draw]:
    """The newest of each language."""
    seen: dict[str, int] = {}
    kept = []
    for id, draw in sorted(draws.items(), key=lambda item: -item[1].at):
        seen[draw.lang] = seen.get(draw.lang, 0) + 1
        if seen[draw.lang] <= _KEPT:
            kept.append((id, draw))
    return dict(reversed(kept))


def _rows(draws: Mapping[str, Draw]) -> dict[str, Sequence[Any]]:
    return {
        id: (d.lang, round(d.propensity, 9), d.remaining, d.predicted, d.at)
        for id, d in draws.items()
    }


def _draws(rows: Mapping[str, Sequence[Any]]) -> dict[str, Draw]:
    found = {}
    for id, (lang, propensity, remaining, predicted, at) in rows.items():
        if not (0 < float(propensity) <= 1 and int(remaining) >= 1):
            raise ValueError(f"task {id}: a chance of {propensity} of {remaining}")
        found[str(id)] = Draw(
            lang=str(lang),
            propensity=float(propensity),
            remaining=int(remaining),
            predicted=None if predicted is None else str(predicted),
            at=float(at),
        )
    return found
