"""Report of a scripted demo: a table for people, one JSON object for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Results of a scripted run.

    Attributes:
        measure: Name of the mean credit that is reported.
        before: Mean credit in [0, 1] per language on held-out texts, of the first promoted version.
        after: Mean credit of the last promoted version.
        source: Code of the high-resource language.
        labels: Number of labels spent per language.
        version_names: Promoted versions, oldest first.
        seconds_per_version: From the last label of a batch to new predictions in Label Studio.
        served_in_order: Number of tasks that were the first open one of the published order.
        served: Number of tasks served while the order did not change.
        held_out: Number of held-out texts per language.
    """

    measure: str
    before: Mapping[str, float]
    after: Mapping[str, float]
    source: str
    labels: Mapping[str, int]
    version_names: tuple[str, ...]
    seconds_per_version: tuple[float, ...]
    served_in_order: int
    served: int
    held_out: Mapping[str, int]

    @property
    def targets(self) -> list[str]:
        """Codes of all languages except the source, sorted."""
        return sorted(lang for lang in self.after if lang != self.source)

    def mean(self, accuracy: Mapping[str, float]) -> float:
        """Returns the mean over the low-resource languages, in [0, 1]."""
        return statistics.fmean(accuracy[lang] for lang in self.targets)

    def to_json(self) -> str:
        """Returns the results as one line of JSON."""
        body = asdict(self) | {
            "versions": len(self.version_names),
            "seconds": round(statistics.median(self.seconds_per_version), 1),
            "mean_before": self.mean(self.before),
            "mean_after": self.mean(self.after),
        }
        return json.dumps(body, ensure_ascii=False)

    def table(self) -> Table:
        """Returns the results as a table for a terminal."""
        title = f"{self.measure[0].upper()}{self.measure[1:]} on held-out texts"
        table = Table(title=title, title_justify="left", show_footer=True)
        table.add_column("language", footer="mean of low-resource")
        table.add_column("texts", justify="right")
        table.add_column("labels spent", justify="right", footer=str(sum(self.labels.values())))
        before, after = self.mean(self.before), self.mean(self.after)
        table.add_column("before", justify="right", footer=f"{before:.1%}")
        table.add_column("after", justify="right", footer=f"{after:.1%}")
        table.add_column("points", justify="right", footer=f"{100 * (after - before):+.1f}")
        for lang in [self.source, *self.targets]:
            gain = 100 * (self.after[lang] - self.before[lang])
            table.add_row(
                f"{lang} (source)" if lang == self.source else lang,
                str(self.held_out[lang]),
                str(self.labels.get(lang, 0)),
                f"{self.before[lang]:.1%}",
                f"{self.after[lang]:.1%}",
                f"{gain:+.1f}",
                end_section=lang == self.source,
            )
        return table

    def sentences(self) -> list[str]:
        """Returns the facts that are not in the table, as sentences."""
        seconds = self.seconds_per_version
        return [
            self._promoted(),
            f"From label to new predictions: median {statistics.median(seconds):.0f} s, "
            f"at most {max(seconds):.0f} s.",
            f"{self.served_in_order} of {self.served} tasks were served in the sampler's order.",
        ]

    def _promoted(self) -> str:
        first, *others = self.version_names
        if not others:
            return f"1 version promoted: {first}."
        return f"{len(self.version_names)} versions promoted: first {first}, last {others[-1]}."
