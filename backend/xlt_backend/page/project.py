"""Page of one project: how far each language is, what labels brought, which answers are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from markupsafe import Markup

from xlt.errors import CorruptVersionError
from xlt_backend.errors import UnknownProjectError
from xlt_backend.page.charts import interval_bar, learning_curve, week_columns
from xlt_backend.page.judged import JudgedChart
from xlt_backend.page.languages import (
    Choosing,
    Estimate,
    LanguageReport,
    Point,
    choosing_of,
    reports_of,
    weeks_of,
)
from xlt_backend.page.names import language_name
from xlt_backend.page.projects import Summary, look, with_people
from xlt_backend.page.site import Site, render
from xlt_backend.page.words import Words, catalogues
from xlt_backend.queue.state import ProjectState
from xlt_backend.service.quality import VersionQuality
from xlt_backend.service.rows import Row

_NO_QUALITY = VersionQuality()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the page shows.

    Attributes:
        project: The project at a glance.
        languages: Its languages.
        choosing: What choosing labels brings.
        unused: Answers that are not used: reason -> their number (`answers`) and `tasks`.
        quality: The active version by label and by confidence.
        weeks: Week (its Monday) -> language -> number of labels, the oldest first.
    """

    project: Summary
    languages: tuple[LanguageReport, ...]
    choosing: Choosing
    unused: Mapping[str, Mapping[str, Any]]
    quality: VersionQuality = _NO_QUALITY
    weeks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def view_of(
    summary: Summary,
    state: ProjectState,
    versions: Sequence[Row],
    quality: VersionQuality = _NO_QUALITY,
) -> View:
    """Returns all that the page shows.

    Args:
        summary: The project at a glance.
        state: Its state.
        versions: Its versions, newest first.
        quality: Of its active version.
    """
    return View(
        project=summary,
        languages=reports_of(state, versions),
        choosing=choosing_of(state),
        unused=state.unused,
        quality=quality,
        weeks=weeks_of(state),
    )


def add(app: FastAPI, site: Site) -> None:
    """Adds the route of the page."""

    @app.get("/projects/{project}")
    async def project(request: Request, project: str, lang: str = "") -> Response:
        await site.known(project)

        def values() -> dict[str, Any]:
            return values_of(site, read_view(site, project), site.words(request), lang)

        return site.page(request, "project.html", **await run_in_threadpool(values))


def read_view(site: Site, project: str) -> View:
    """Reads all that the page shows of a project that xlt knows.

    Raises:
        RedisDownError: If Redis does not answer.
        StoreError: If the store cannot be read.
    """
    summary = with_people(site, look(site, project))
    state, rows = site.service.state(project), read_versions(site, project)
    return view_of(summary, state, rows, read_quality(site, project))


def read_versions(site: Site, project: str) -> tuple[Row, ...]:
    """Reads the versions of a project that xlt knows, newest first; none before its first round.

    Raises:
        RedisDownError: If Redis does not answer.
        StoreError: If the store cannot be read.
    """
    try:
        return site.versions.all(project)
    except UnknownProjectError:  # its first round is to come
        return ()


def read_quality(site: Site, project: str) -> VersionQuality:
    """Judges the active version of a project that xlt knows; without numbers before the first.

    Raises:
        RedisDownError: If Redis does not answer.
        StoreError: If the store cannot be read.
    """
    try:
        return site.versions.quality(project)
    except (UnknownProjectError, CorruptVersionError):  # the curve leaves damaged versions out too
        return VersionQuality()


def values_of(site: Site, view: View, words: Words, lang: str | None = None) -> dict[str, Any]:
    """Returns the values that templates with the measurements of a project need.

    Args:
        site: The site.
        view: The measurements.
        words: The texts of the page.
        lang: Language whose quality by label is shown; empty for all together; None for all, one
            after another.
    """
    languages = view.quality.languages
    judged = {"": view.quality.total, **languages}
    if lang is not None:
        lang = lang if lang in judged else ""
        judged = {lang: judged[lang]}
    return {
        "judged": {each: JudgedChart(words, quality) for each, quality in judged.items()},
        "judged_languages": tuple(languages),
        "lang": lang,
        "view": view,
        "project": view.project,
        "charts": Charts(words, view.languages),
        "curves": curves_html(words, view.languages, printed=lang is None),
        "label_studio_url": site.label_studio_url,
    }


def curves_html(words: Words, languages: Sequence[LanguageReport], *, printed: bool) -> Markup:
    """Returns the learning curves as HTML, or nothing before the first.

    Args:
        words: The texts of the page.
        languages: All languages.
        printed: Whether it is for a report, whose tables are open.
    """
    curves = tuple(each for each in languages if each.curve)
    return _curves_html(words.lang, curves, printed) if curves else Markup("")


@lru_cache(maxsize=8)  # they change with each version only, and have thousands of points
def _curves_html(lang: str, curves: tuple[LanguageReport, ...], printed: bool) -> Markup:
    words = catalogues()[lang]
    charts = Charts(words, curves)
    return Markup(render("curves.html", words, curves=curves, charts=charts, printed=printed))


class Charts:
    """The charts of the page, with texts in its language.

    Args:
        words: The texts.
        languages: All languages, so that charts have one scale.
    """

    def __init__(self, words: Words, languages: Sequence[LanguageReport]) -> None:
        self._words = words
        self._shares: dict[Estimate, str] = {}
        self._most = max((p.labels for each in languages for p in each.curve), default=0)
        ends = [end for each in languages if each.gain for end in (each.gain.low, each.gain.high)]
        self._gain = max(map(abs, ends), default=0.01) or 0.01
        more = [end for each in languages if each.more for end in (each.more.low, each.more.high)]
        self._more = min([0.0, *more]), max([1.0, *more])

    def curve(self, report: LanguageReport) -> Markup:
        """Draws the learning curve of a language."""
        name = language_name(report.code, self._words.lang)
        title = self._words("curve.title", language=name)
        return learning_curve(report.curve, self._most, title, self._point)

    def accuracy(self, estimate: Estimate) -> Markup:
        """Draws an accuracy between 0 and 1."""
        return interval_bar(estimate, 0, 1, self.share(estimate))

    def gain(self, estimate: Estimate) -> Markup:
        """Draws a gain, with 0 in the middle."""
        return interval_bar(estimate, -self._gain, self._gain, self.points(estimate))

    def weeks(self, weeks: Mapping[str, Mapping[str, int]]) -> Markup:
        """Draws the number of labels of each week."""
        sums = {monday: sum(counts.values()) for monday, counts in weeks.items()}
        return week_columns(sums, self._words("weeks.title"), self._week)

    def _week(self, monday: str, count: int) -> str:
        return self._words("weeks.column", monday=monday, labels=count)

    def more(self, estimate: Estimate) -> Markup:
        """Draws a number of labels."""
        return interval_bar(estimate, *self._more, self.count(estimate))

    def share(self, estimate: Estimate) -> str:
        """Returns an accuracy with its interval as a text."""
        if estimate not in self._shares:  # of each point, the chart and the table ask for it
            percent = self._words.percent
            self._shares[estimate] = self._interval(
                percent(estimate.value), percent(estimate.low), percent(estimate.high)
            )
        return self._shares[estimate]

    def points(self, estimate: Estimate) -> str:
        """Returns a gain with its interval in percentage points as a text."""
        points = self._words.points
        return self._interval(points(estimate.value), points(estimate.low), points(estimate.high))

    def count(self, estimate: Estimate) -> str:
        """Returns a number with its interval as a text."""
        number = self._words.number
        return self._interval(number(estimate.value), number(estimate.low), number(estimate.high))

    def _interval(self, value: str, low: str, high: str) -> str:
        return self._words("interval.text", value=value, low=low, high=high)

    def _point(self, point: Point) -> str:
        key = "curve.refused" if point.refused else "curve.point"
        return self._words(
            key, version=point.version, labels=point.labels, accuracy=self.share(point.accuracy)
        )
