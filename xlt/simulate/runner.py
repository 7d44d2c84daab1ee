"""Runs the cells of a simulation that are not finished yet, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

from xlt.disk.fingerprints import fingerprint
from xlt.simulate.journal import Cell, append, finished
from xlt.simulate.learners import forget
from xlt.simulate.learning_curve import CurveSettings, run_cell
from xlt.simulate.replay import Replay
from xlt.tasks.task import Show

Job = tuple[str, int]  # strategy, seed


def run_all(
    replay: Replay,
    jobs: Sequence[Job],
    settings: CurveSettings,
    *,
    setup: str,
    file: Path,
    processes: int,
    show: Show,
) -> list[Cell]:
    """Runs what `file` does not hold yet; each cell is written when it is finished.

    Args:
        replay: The data.
        jobs: Strategies and seeds.
        settings: What all cells share.
        setup: Digest of all that decides a cell's result but its strategy and seed.
        file: Finished cells, one JSON line each.
        processes: How many cells run at a time.
        show: Told of progress.

    Returns:
        The cells of `jobs`, finished now or before.
    """
    asked = set(jobs)
    had = [cell for cell in finished(file, setup) if (cell.strategy, cell.seed) in asked]
    done = {(cell.strategy, cell.seed) for cell in had}
    left = [job for job in dict.fromkeys(jobs) if job not in done]
    show("simulating", len(done), len(asked))
    work = file.parent / "rounds"

    def told(words: str) -> None:
        show(words, len(done), len(asked))

    for cell in _run(replay, left, settings, setup, work, processes, told):
        append(file, cell)
        forget(_folder(work, (cell.strategy, cell.seed), setup))
        done.add((cell.strategy, cell.seed))
        had.append(cell)
        show(f"simulated {cell.strategy}, seed {cell.seed}", len(done), len(asked))
    with suppress(OSError):
        work.rmdir()  # where no other simulation keeps anything in it
    return had


def _folder(work: Path, job: Job, setup: str) -> Path:
    """Where one cell's trainings keep what they learned, until the cell is finished."""
    return work / fingerprint([setup, *job])[:16]


def _run(
    replay: Replay,
    jobs: Sequence[Job],
    settings: CurveSettings,
    setup: str,
    work: Path,
    processes: int,
    told: Callable[[str], None],
) -> Iterator[Cell]:
    if processes <= 1:
        for job in jobs:
            yield _timed(replay, job, settings, setup, work, told)
        return
    context = multiprocessing.get_context("spawn")  # forking a process with threads can hang
    with ProcessPoolExecutor(
        processes, context, initializer=_keep, initargs=(replay, settings, setup, work, processes)
    ) as pool:
        try:
            yield from _results(pool, jobs)
        except GeneratorExit:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _results(pool: ProcessPoolExecutor, jobs: Iterable[Job]) -> Iterator[Cell]:
    for future in as_completed([pool.submit(_kept, job) for job in jobs]):
        yield future.result()


#: What a worker process was given at its start.
_given: list[tuple[Replay, CurveSettings, str, Path]] = []


def _keep(replay: Replay, settings: CurveSettings, setup: str, work: Path, processes: int) -> None:
    _given.append((replay, settings, setup, work))
    if settings.training is not None:
        import torch

        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))


def _kept(job: Job) -> Cell:
    replay, settings, setup, work = _given[-1]
    return _timed(replay, job, settings, setup, work, lambda _: None)


def _timed(
    replay: Replay,
    job: Job,
    settings: CurveSettings,
    setup: str,
    work: Path,
    told: Callable[[str], None],
) -> Cell:
    begin = time.perf_counter()
    points = run_cell(replay, *job, settings, folder=_folder(work, job, setup), told=told)
    seconds = time.perf_counter() - begin
    return Cell(setup=setup, strategy=job[0], seed=job[1], seconds=seconds, points=points)
