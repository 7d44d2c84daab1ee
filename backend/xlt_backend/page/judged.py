"""Charts of a version's quality: confusion matrix, and confidence against accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from xlt.tasks.intervals import Interval
from xlt.tasks.quality import Bin, Confusion, Quality
from xlt_backend.page.charts import Scale, svg
from xlt_backend.page.words import Words

#: Most labels of a matrix that is drawn; of larger ones people see the table alone.
MOST_LABELS = 16
#: Confusions that the table shows, the most frequent first.
SHOWN = 30
_CELL, _HEAD = 30, 26
_NARROWEST = 320
_WIDTH, _HEIGHT = 340, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 24, 32


class JudgedChart:
    """Charts and tables of a quality, with texts in the page's language.

    Args:
        words: The texts.
        quality: The quality.
    """

    def __init__(self, words: Words, quality: Quality) -> None:
        self._words = words
        self.quality = quality
        self.numbers = {each.label: at for at, each in enumerate(quality.labels, start=1)}

    @property
    def mistakes(self) -> list[Confusion]:
        """Returns the confusions of two labels, the most frequent first; at most `SHOWN`."""
        wrong = [cell for cell in self.quality.confusions if cell.truth != cell.said]
        return sorted(wrong, key=lambda cell: -cell.n)[:SHOWN]

    @property
    def has_matrix(self) -> bool:
        """Returns whether the matrix is drawn."""
        return bool(self.quality.confusions) and len(self.numbers) <= MOST_LABELS

    def matrix(self) -> Markup:
        """Draws the confusion matrix; rows are right labels, columns those of the model."""
        most = max(cell.n for cell in self.quality.confusions)
        side = _HEAD + _CELL * len(self.numbers)
        body = Markup("")
        for number in self.numbers.values():
            at = _HEAD + _CELL * (number - 0.5)
            for x, y in ((at, _HEAD - 9), (_HEAD - 13, at + 4)):
                body += Markup(
                    '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>'
                ).format(x, y, number)
        cells = {(cell.truth, cell.said): cell.n for cell in self.quality.confusions}
        for truth, row in self.numbers.items():
            for said, column in self.numbers.items():
                n = cells.get((truth, said), 0)
                text = self._words("judged.cell", truth=truth, said=said, n=n)
                body += _cell(row, column, n, n / most, text, right=truth == said)
        # Few labels have no larger cells than many.
        return svg("matrix", max(side, _NARROWEST), side, self._words("judged.matrix"), body)

    def calibration(self) -> Markup:
        """Draws the share of right answers over their confidence, with intervals."""
        return _reliability(self.quality.bins, self._words("judged.calibration"), self._bin)

    def share(self, value: Interval | None) -> str:
        """Returns a share with its interval as a text."""
        if value is None:
            return "–"
        percent = [self._words.percent(end, 0) for end in (value.value, value.low, value.high)]
        return self._words("interval.text", value=percent[0], low=percent[1], high=percent[2])

    def _bin(self, each: Bin) -> str:
        return self._words(
            "judged.bin",
            n=each.n,
            confidence=self._words.percent(each.confidence, 0),
            credit=self.share(each.credit),
        )


def _cell(row: int, column: int, n: int, share: float, text: str, *, right: bool) -> Markup:
    x, y = _HEAD + _CELL * (column - 1), _HEAD + _CELL * (row - 1)
    kind = "right" if right else "wrong"
    number = Markup("")
    if n:
        number = Markup('<text class="{}" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            "count strong" if share > 0.5 else "count", x + _CELL / 2, y + _CELL / 2 + 4, n
        )
    return Markup(
        '<g><rect class="empty" x="{0}" y="{1}" width="{2}" height="{2}"/><rect class="{3}" '
        'x="{0}" y="{1}" width="{2}" height="{2}" fill-opacity="{4}"/>{5}<title>{6}</title></g>'
    ).format(x + 1, y + 1, _CELL - 2, kind, round(share, 2), number, text)


def _reliability(bins: Sequence[Bin], title: str, words: Callable[[Bin], str]) -> Markup:
    x = Scale(low=0, high=1, start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0, high=1, start=_HEIGHT - _BOTTOM, end=_TOP)
    body = Markup("")
    for share in (0, 0.25, 0.5, 0.75, 1):
        body += Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="tick" x="{3}" '
            'y="{4}" text-anchor="end">{5}</text><text class="tick" x="{6}" y="{7}" '
            'text-anchor="middle">{5}</text>'
        ).format(x.start, x.end, y(share), x.start - 6, y(share) + 4, f"{100 * share:.0f}",
                 x(share), y.start + 18)  # fmt: skip
    body += Markup('<line class="ideal" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        x(0), x(1), y(0), y(1)
    )
    for each in bins:
        at = x(each.confidence)
        body += Markup(
            '<g><line class="spread" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/><circle class="point" '
            'cx="{0}" cy="{3}" r="4.5"/><text class="tick" x="{0}" y="14" text-anchor="middle">'
            "{4}</text><title>{5}</title></g>"
        ).format(
            at, y(each.credit.low), y(each.credit.high), y(each.credit.value), each.n, words(each)
        )
    return svg("curve", _WIDTH, _HEIGHT, title, body)
