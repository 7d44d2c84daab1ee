"""Runs the unfinished cells of a simulation, in this process or in several."""

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
    """Runs the jobs without a cell in `file`; writes each cell when it is finished.

    Args:
        replay: The data.
        jobs: Strategies and seeds.
        settings: Settings of all cells.
        setup: Digest of everything that decides a cell's result, except strategy and seed.
        file: Finished cells, one JSON line each.
        processes: Number of cells at a time.
        show: Called with the progress.

    Returns:
        The cells of `jobs`, finished now or before.
    """
    asked = set(jobs)
    cells = [cell for cell in finished(file, setup) if (cell.strategy, cell.seed) in asked]
    done = {(cell.strategy, cell.seed) for cell in cells}
    left = [job for job in dict.fromkeys(jobs) if job not in done]
    show("simulating", len(done), len(asked))
    work = file.parent / "rounds"

    def announce(message: str) -> None:
        show(message, len(done), len(asked))

    for cell in _run(replay, left, settings, setup, work, processes, announce):
        append(file, cell)
        forget(_folder(work, (cell.strategy, cell.seed), setup))
        done.add((cell.strategy, cell.seed))
        cells.append(cell)
        show(f"simulated {cell.strategy}, seed {cell.seed}", len(done), len(asked))
    with suppress(OSError):
        work.rmdir()  # fails if another simulation has files in it
    return cells


def _folder(work: Path, job: Job, setup: str) -> Path:
    """Returns the folder of one cell's trainings, which exists until the cell is finished."""
    return work / fingerprint([setup, *job])[:16]


def _run(
    replay: Replay,
    jobs: Sequence[Job],
    settings: CurveSettings,
    setup: str,
    work: Path,
    processes: int,
    announce: Callable[[str], None],
) -> Iterator[Cell]:
    if processes <= 1:
        for job in jobs:
            yield _timed(replay, job, settings, setup, work, announce)
        return
    context = multiprocessing.get_context("spawn")  # forking a process with threads can hang
    with ProcessPoolExecutor(
        processes, context, initializer=_start, initargs=(replay, settings, setup, work, processes)
    ) as pool:
        try:
            yield from _results(pool, jobs)
        except GeneratorExit:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _results(pool: ProcessPoolExecutor, jobs: Iterable[Job]) -> Iterator[Cell]:
    for future in as_completed([pool.submit(_run_job, job) for job in jobs]):
        yield future.result()


#: Arguments that a worker process received at its start.
_given: list[tuple[Replay, CurveSettings, str, Path]] = []


def _start(replay: Replay, settings: CurveSettings, setup: str, work: Path, processes: int) -> None:
    _given.append((replay, settings, setup, work))
    if settings.training is not None:
        import torch

        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))


def _run_job(job: Job) -> Cell:
    replay, settings, setup, work = _given[-1]
    return _timed(replay, job, settings, setup, work, lambda _: None)


def _timed(
    replay: Replay,
    job: Job,
    settings: CurveSettings,
    setup: str,
    work: Path,
    announce: Callable[[str], None],
) -> Cell:
    started = time.perf_counter()
    points = run_cell(replay, *job, settings, folder=_folder(work, job, setup), announce=announce)
    seconds = time.perf_counter() - started
    return Cell(setup=setup, strategy=job[0], seed=job[1], seconds=seconds, points=points)
