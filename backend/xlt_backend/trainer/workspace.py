"""Workspace of a project: the folder in which its models are trained and its texts scored."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.data.jsonl import write_jsonl
from xlt.disk.blobs import Blobs
from xlt.disk.fingerprints import fingerprint
from xlt.disk.outputs import UNFINISHED
from xlt.models.features import base_reader
from xlt.tasks.outputs import Scores, of_vectors
from xlt.tasks.task import AnyTask
from xlt_backend.trainer import folder as files
from xlt_backend.trainer import scorecache
from xlt_backend.trainer.scorecache import Cached


@dataclass(kw_only=True)
class Workspace:
    """One project's workspace; deleting it costs time, but no data.

    Attributes:
        folder: The folder.
        task: The project's task.
        config: Hyper-parameters.
        threads: CPU threads; 0: one per core.
        nice: Niceness of the training process.
        run: Runs the plan in a folder; returns its measurements.
        cache: File with what frozen encoders say of texts, which all projects share.
        cache_bytes: Largest size of that file.
        trackers: Experiment trackers that trainings log to.
        tracker_folder: Where TensorBoard writes.
        measured: The measurements so far.
    """

    folder: Path
    task: AnyTask
    config: Mapping[str, Any]
    threads: int
    nice: int
    run: Callable[[Path], dict[str, Any]]
    cache: Path | None = None
    cache_bytes: int = 0
    trackers: Sequence[str] = ()
    tracker_folder: Path | None = None
    measured: dict[str, Any] = field(default_factory=dict)

    def train(
        self,
        train: Sequence[Example],
        audit: Sequence[Example],
        pool: Sequence[Example],
        *,
        data: str,
        active: Path | None,
        sibling: Path | None = None,
    ) -> Path:
        """Trains and scores; returns the folder with the results. Resumes what a killed round left.

        Args:
            train: Labelled examples to train on.
            audit: Labelled examples that judge models.
            pool: Examples to score.
            data: Digest of all that the training reads.
            active: Folder of the active model, to compare with on the audit labels.
            sibling: Folder of an earlier model, whose encoder's files the new one may copy.
        """
        folder = self.folder / f"train-{data[:16]}"
        for other in self.folder.glob("train-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(f".*{UNFINISHED}"):  # models of processes that were killed
            shutil.rmtree(unfinished, ignore_errors=True)
        write_jsonl(folder / files.LABELLED, train)
        write_jsonl(folder / files.AUDIT, audit)
        write_jsonl(folder / files.POOL, pool)
        (folder / files.ACTIVE_AUDIT_SCORES).unlink(missing_ok=True)
        models = {"active": active, "sibling": sibling}
        given = {name: str(path) for name, path in models.items() if path is not None}
        if self.trackers:
            given |= {
                "tracker_project": f"xlt-{self.folder.name}",
                "tracker_run": f"{len(train)}-labels-{data[:8]}",
                "tracker_folder": str(self.tracker_folder or self.folder),
            }
        self._run(folder, mode="train", trackers=list(self.trackers), **given)
        return folder

    def keep(
        self, folder: Path, version: str, train: Sequence[Example], pool: Sequence[Example]
    ) -> None:
        """Keeps a training's scores for the next steps, and deletes its folder."""
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
        """Returns the scores of all examples; scores those that are not known yet.

        Args:
            version: The version that scores; None: the encoder before training, vectors only.
            model: The version's folder.
            examples: Any examples; the same text of a task is scored once.
        """
        cached = scorecache.load(self._cache(version))
        missing = cached.missing(examples)
        if not missing:
            return cached
        known = self._known(missing) if model is None else None
        if known is not None:
            return self._kept(version, cached.with_scores(missing, known))
        folder = self.folder / "score"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_jsonl(folder / files.POOL, missing)
        self._run(folder, mode="score" if model else "embed", model=str(model) if model else None)
        cached = cached.with_scores(missing, Scores.load(folder / files.POOL_SCORES))
        shutil.rmtree(folder, ignore_errors=True)
        return self._kept(version, cached)

    def _kept(self, version: str | None, cached: Cached) -> Cached:
        scorecache.save(self._cache(version), cached)
        return cached

    def _known(self, examples: Sequence[Example]) -> Scores | None:
        """Returns vectors by the encoder before training, which read all these texts before.

        None if it did not: a process of its own reads them.
        """
        if self.cache is None or not self.cache.exists():
            return None
        cache = Blobs(self.cache, most_bytes=self.cache_bytes)
        reader = base_reader(TrainConfig.from_mapping(self.config), cache)
        vectors = reader.known_vectors([example.input for example in examples])
        return None if vectors is None else of_vectors(vectors[:, -1])

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
        """Adapts `encoder` and judges the result. Resumes what a killed round left.

        Args:
            train: Labelled examples that judge it.
            pool: Texts without labels.
            encoder: The encoder to adapt.
            adapted: Folder for the result; used as it is if it fits already.
            source: Language that it is adapted from.
            translations: Table of translations.
            lexicon: Table of words.

        Returns:
            `hopeless`, or `adapted` if the new encoder is better; and the reason.
        """
        folder = self.folder / "adapt"
        folder.mkdir(parents=True, exist_ok=True)
        write_jsonl(folder / files.LABELLED, train)
        write_jsonl(folder / files.POOL, pool)
        tables = {"translations": translations, "lexicon": lexicon}
        result = self._run(
            folder, mode="adapt", model=encoder, adapted=str(adapted), source=source,
            **{name: str(path) for name, path in tables.items() if path is not None},
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
        return dict(result["adaptation"])

    def forget_all_but(self, versions: Collection[str]) -> None:
        """Deletes the scores of versions that were deleted, by this round or by a person."""
        keep = {scorecache.file_of(version) for version in versions}
        for path in self.folder.glob(scorecache.file_of("v*")):
            if path.name not in keep:
                path.unlink(missing_ok=True)

    def _cache(self, version: str | None) -> Path:
        # Vectors of different encoders (the installation's, an adapted one) are not mixed.
        start = f"start-{fingerprint([self.config.get('encoder')])[:8]}"
        return self.folder / scorecache.file_of(version or start)

    def _run(self, folder: Path, **plan: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of TrainPlan
        for stale in (files.RESULT, files.ERROR):
            (folder / stale).unlink(missing_ok=True)
        common: dict[str, Any] = {"task": self.task, "config": self.config, "nice": self.nice}
        if self.cache is not None:
            common |= {"cache": str(self.cache), "cache_bytes": self.cache_bytes}
        files.write_plan(folder, files.TrainPlan(threads=self.threads, **common, **plan))
        result = self.run(folder)
        self._add(result)
        return result

    def _add(self, result: Mapping[str, Any]) -> None:
        """Adds a process's measurements: times add up, of peaks of memory the highest counts."""
        seconds = Counter(self.measured.get("seconds", {}))
        seconds.update(result.get("seconds", {}))
        peaks = [part.get("peak_rss_bytes") or 0 for part in (self.measured, result)]
        self.measured |= {**result, "seconds": dict(seconds), "peak_rss_bytes": max(peaks)}
