"""The file of profiles that ships with xlt: numbers of one and two bytes, no pickle."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from xlt.errors import DataError
from xlt.frozen.ngrams import COLUMNS
from xlt.identification.profiles import Profiles

#: Profiles of languages in open text, see benchmarks/languages.
SHIPPED = Path(__file__).resolve().parents[1] / "bundled" / "languages.npz"
_STEPS = 255
#: Smallest share of an n-gram that the background is stored with.
_LEAST = 1e-10


@cache
def shipped() -> Profiles:
    """Reads the profiles that ship with xlt, once per process (0.2 s)."""
    return read_profiles(SHIPPED)


def write_profiles(profiles: Profiles, path: Path) -> None:
    """Writes profiles; rewards and the background lose precision beyond 1 in 255."""
    columns = profiles.rewards.tocsc()
    columns.sort_indices()
    most = float(columns.data.max())
    background = np.log(np.maximum(profiles.background, _LEAST)) / np.log(_LEAST)
    about = {
        "languages": profiles.languages,
        "scripts": [sorted(own) for own in profiles.scripts],
        "most": most,
    }
    steps = np.diff(columns.indices, prepend=0)
    steps[columns.indptr[:-1]] = columns.indices[columns.indptr[:-1]]
    np.savez_compressed(
        path,
        about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        starts=columns.indptr.astype(np.int32),
        steps=steps.astype(np.int32),
        rewards=np.maximum(1, np.round(columns.data / most * _STEPS)).astype(np.uint8),
        penalties=profiles.penalties.astype(np.float32),
        background=np.round(background * _STEPS).astype(np.uint8),
    )


def read_profiles(path: Path) -> Profiles:
    """Reads profiles that `write_profiles` wrote.

    Raises:
        DataError: If the file is not there or damaged.
    """
    from scipy.sparse import csc_matrix  # type: ignore[import-untyped]

    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            starts, steps = file["starts"], file["steps"]
            rewards = file["rewards"].astype(np.float32) * (about["most"] / _STEPS)
            penalties, stored = file["penalties"], file["background"]
        total = np.cumsum(steps, dtype=np.int64)
        before = np.append(0, total)[starts[:-1]]
        indices = total - np.repeat(before, np.diff(starts))
        shape = (COLUMNS, len(about["languages"]))
        matrix = csc_matrix((rewards, indices, starts), shape=shape).tocsr()
        background = np.exp(stored.astype(np.float32) / _STEPS * np.log(_LEAST))
        return Profiles(
            languages=tuple(about["languages"]),
            scripts=tuple(frozenset(own) for own in about["scripts"]),
            rewards=matrix,
            penalties=penalties,
            background=(background / background.sum()).astype(np.float32),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot read the profiles of languages in {path}: {error}") from None
