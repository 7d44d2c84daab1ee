"""Where a project's models are trained and its texts scored, and the process that does it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlt.data.examples import Example, TaskSpec
from xlt.disk.fingerprints import fingerprint
from xlt.tasks.outputs import Scores
from xlt_backend.trainer import folder as files
from xlt_backend.trainer import scorecache
from xlt_backend.trainer.scorecache import Cached


@dataclass(kw_only=True)
class Bench:
    """One project's place to work; may be emptied at any time, that costs nothing but time.

    Attributes:
        folder: Where.
        spec: What is labelled.
        config: Hyper-parameters.
        threads: CPU threads; 0: as many as there are cores.
        nice: How far the process gives way to others.
        run: Runs the plan in a folder; what was measured.
        measured: What was measured so far.
    """

    folder: Path
    spec: TaskSpec
    config: Mapping[str, Any]
    threads: int
    nice: int
    run: Callable[[Path], dict[str, Any]]
    measured: dict[str, Any] = field(default_factory=dict)

    def train(
        self,
        train: Sequence[Example],
        audit: Sequence[Example],
        pool: Sequence[Example],
        *,
        data: str,
        active: Path | None,
    ) -> Path:
        """Trains and scores; the folder with the results. Takes up what a killed round left.

        Args:
            train: Labelled examples to train on.
            audit: Labelled examples that judge.
            pool: What is to be scored.
            data: Digest of all that training reads.
            active: The active model, to be compared on the audit labels.
        """
        folder = self.folder / f"train-{data[:16]}"
        for other in self.folder.glob("train-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        files.write_examples(folder / files.LABELLED, train)
        files.write_examples(folder / files.AUDIT, audit)
        files.write_examples(folder / files.POOL, pool)
        (folder / files.ACTIVE_AUDIT_SCORES).unlink(missing_ok=True)
        self._run(folder, mode="train", active=str(active) if active else None)
        return folder

    def keep(
        self, folder: Path, version: str, train: Sequence[Example], pool: Sequence[Example]
    ) -> None:
        """Keeps a training's scores for the steps to come; then the folder is not needed."""
        cached = scorecache.EMPTY
        for examples, name in (
            (train, files.LABELLED_SCORES),
            (pool, files.POOL_SCORES),
        ):
            cached = cached.with_scores(examples, Scores.load(folder / name))
        scorecache.save(self._cache(version), cached)
        shutil.rmtree(folder, ignore_errors=True)

    def scores(
        self, version: str | None, model: Path | None, examples: Sequence[Example]
    ) -> Cached:
        """Scores of all examples, known or new.

        Args:
            version: Whose scores; None: the vectors of the untrained encoder.
            model: The version's folder.
            examples: Any; the same text of a task is scored once.
        """
        cached = scorecache.load(self._cache(version))
        missing = cached.missing(examples)
        if not missing:
            return cached
        folder = self.folder / "score"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        files.write_examples(folder / files.POOL, missing)
        self._run(folder, mode="score" if model else "embed", model=str(model) if model else None)
        cached = cached.with_scores(missing, Scores.load(folder / files.POOL_SCORES))
        scorecache.save(self._cache(version), cached)
        shutil.rmtree(folder, ignore_errors=True)
        return cached

    def adapt(
        self,
        train: Sequence[Example],
        pool: Sequence[Example],
        encoder: str,
        *,
        adapted: Path,
        source: str,
        translations: Path | None,
        lexicon: Path | None,
    ) -> dict[str, Any]:
        """Adapts `encoder` and judges the result; what the process said. Takes up a killed one.

        Args:
            train: Labelled examples that judge.
            pool: Texts without labels.
            encoder: What is adapted.
            adapted: Folder for the result; taken as it is where it fits already.
            source: Language that it is adapted from.
            translations: Table of translations.
            lexicon: Table of words.
        """
        folder = self.folder / "adapt"
        folder.mkdir(parents=True, exist_ok=True)
        files.write_examples(folder / files.LABELLED, train)
        files.write_examples(folder / files.POOL, pool)
        tables = {"translations": translations, "lexicon": lexicon}
        found = self._run(
            folder, mode="adapt", model=encoder, adapted=str(adapted), source=source,
            **{name: str(path) for name, path in tables.items() if path is not None},
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
        return dict(found["adaptation"])

    def forget(self, versions: Sequence[str]) -> None:
        """Drops the scores of versions that are gone."""
        for version in versions:
            self._cache(version).unlink(missing_ok=True)

    def _cache(self, version: str | None) -> Path:
        # Vectors of different encoders (the installation's, an adapted one) are not mixed.
        start = f"start-{fingerprint([self.config.get('encoder')])[:8]}"
        return self.folder / f"scores-{version or start}.npz"

    def _run(self, folder: Path, **plan: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of Plan
        for stale in (files.RESULT, files.ERROR):
            (folder / stale).unlink(missing_ok=True)
        common: dict[str, Any] = {"spec": self.spec, "config": self.config, "nice": self.nice}
        files.write_plan(folder, files.Plan(threads=self.threads, **common, **plan))
        found = self.run(folder)
        self._add(found)
        return found

    def _add(self, found: Mapping[str, Any]) -> None:
        """Times of several processes add up, their peaks of memory do not."""
        seconds = Counter(self.measured.get("seconds", {}))
        seconds.update(found.get("seconds", {}))
        peaks = [of.get("peak_rss_bytes") or 0 for of in (self.measured, found)]
        self.measured |= {**found, "seconds": dict(seconds), "peak_rss_bytes": max(peaks)}
