"""The folder of a trained model, without its weights: task, settings, and how it is made whole.

    model.safetensors   body under Hugging Face's names, the tensors of the head or of the frozen
                        model under `xlt_head.`, each in the fewest bits that hold it exactly
    config.json         the encoder's architecture; tokenizer.json ...: its tokenizer
    encoder.json        of a frozen model: which encoder it reads texts by
    task.json           kind of task, and its labels in order; number of texts if there are several
    calibration.json    temperatures per language, if it was calibrated
    config.toml         the settings it was trained with
    losses.json         the parts of the loss along the training
    README.md           the model card, if it was trained and not only saved

`AutoModel.from_pretrained` and `AutoTokenizer.from_pretrained` load the folder too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError

from xlt.config import TrainConfig
from xlt.data.examples import MOST_TEXTS
from xlt.disk.outputs import beside, put_in_place
from xlt.errors import DataError, EncoderError, StoreError, XltError
from xlt.tasks.kinds import task_from_json
from xlt.tasks.task import AnyTask

#: File of the weights, and the prefix of those of the head or of the frozen model.
WEIGHTS, HEAD = "model.safetensors", "xlt_head."
#: File of the settings.
SETTINGS = "config.toml"
#: Key of task.json with the number of texts of an example.
_TEXTS = "texts"


def make_folder(out: Path, fill: Callable[[Path], None]) -> None:
    """Makes a model's folder; it appears whole or not at all.

    Args:
        out: The folder.
        fill: Called with a new folder beside it; writes all files into that.

    Raises:
        StoreError: If it cannot be written, or `out` exists and is not empty. A model that is
            complete is kept beside `out` then.
    """
    out = out.resolve()
    temporary = beside(out)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        fill(temporary)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError | SafetensorError):
            raise StoreError(f"cannot write the model to {out}: {error}") from error
        raise
    put_in_place(temporary, out)


def write_settings(
    folder: Path,
    task: AnyTask,
    config: TrainConfig,
    *,
    texts: int,
    losses: Sequence[Mapping[str, float]],
) -> None:
    """Writes the files of a model that are neither weights nor the encoder's.

    Args:
        folder: The folder.
        task: Task of the model.
        config: The settings it was trained with.
        texts: Number of texts of an example.
        losses: The parts of the loss along the training.
    """
    value = task.to_json() | ({_TEXTS: texts} if texts > 1 else {})
    (folder / "task.json").write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
    (folder / SETTINGS).write_text(config.to_toml(), "utf-8")
    (folder / "losses.json").write_text(json.dumps(list(losses)), "utf-8")


def is_model(folder: Path) -> bool:
    """Returns whether a folder holds a model, complete or not, and not an encoder alone."""
    return any((folder / name).exists() for name in ("task.json", SETTINGS))


def read_task(folder: Path) -> AnyTask:
    """Reads only the task of a model.

    Raises:
        EncoderError: If the folder does not hold a model's task.
    """
    if not is_model(folder):
        what = "it has no task.json" if folder.is_dir() else "there is no such folder"
        raise EncoderError(f"no model in {folder}: {what}; `xlt train` writes models")
    try:
        return task_from_json(json.loads((folder / "task.json").read_text("utf-8")))
    except (OSError, ValueError, KeyError, XltError) as error:
        raise EncoderError(f"no complete model in {folder}: {error}") from error


def read_texts(folder: Path) -> int:
    """Reads the number of texts of an example of a model; older models read one.

    Raises:
        EncoderError: If the folder does not hold a model's task.
    """
    try:
        count = json.loads((folder / "task.json").read_text("utf-8")).get(_TEXTS, 1)
        if type(count) is not int or not 1 <= count <= MOST_TEXTS:
            raise DataError(f"expected 1 to {MOST_TEXTS} texts, got {count!r}")
    except (OSError, ValueError, AttributeError, XltError) as error:
        raise EncoderError(f"no complete model in {folder}: {error}") from error
    return count
