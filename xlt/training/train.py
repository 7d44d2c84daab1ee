"""Training: from labels and unlabelled texts to a folder that a Predictor loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.disk.blobs import Blobs
from xlt.disk.outputs import check_folder, check_new_folder
from xlt.errors import DataError
from xlt.tasks.parts import learnable
from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask
from xlt.training.best import compare, config_of
from xlt.training.comparison import read_comparison
from xlt.training.frozen import train_frozen
from xlt.training.result import Progress, TrainResult


def train(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    out: Path,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    held_out: Sequence[Example] = (),
    work: Path | None = None,
    cache: Blobs | None = None,
    sibling: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Trains a model on all labels, together with the unlabelled texts.

    `config.learner` says how: "joint" fine-tunes the encoder by the joint loss, "frozen" leaves it
    as it is and learns from its vectors, in seconds, "best" compares both on labels left out
    (`xlt.training.best.compare`), "auto" chooses (`TrainConfig.resolved`).

    Args:
        labelled: Examples with an answer, of source and target languages together.
        unlabelled: The target pool, may be empty; answers are ignored.
        task: Task of the answers.
        config: Hyper-parameters.
        out: Folder to write, as a whole or not at all. It must be empty or not exist.
        pairs: Translations, for TLM and alignment; may be empty. A frozen model has no use for
            them.
        held_out: Examples with an answer that calibrate the model. Neither they nor translations of
            them are in `labelled` or `unlabelled`. Without them the model is not calibrated.
        work: Folder for checkpoints, from which a killed training resumes. A frozen model starts
            again.
        cache: Keeps what the encoder of a frozen model says of texts, so that it reads none twice.
        sibling: Folder of another model. If it is a frozen one with the same encoder, a frozen
            model's folder gets copies of its files, and the encoder is not loaded to write it. The
            learners are not compared again before its comparison is old.
        progress: Called at every step, and by a frozen model every few hundred texts.
        should_stop: Called as often; True cancels the training.

    Raises:
        DataError: If there are too few answers, if all are the same, if one is not of the task, or
            if the number of texts of an example varies.
        EncoderError: If the encoder cannot be loaded.
        StoreError: If the model or a checkpoint cannot be written; before the training if that is
            seen then. A model that is trained is kept, and the message names its folder.
        DivergedError: If the loss or a sentence vector is not finite, or if a fine-tuned model
            predicts one answer for all texts.
        CancelledError: If `should_stop` returned True.
    """
    check_new_folder(out)
    if work is not None:
        check_folder(work)
    _check_labels(labelled, task)
    labelled = learnable(labelled, task)
    _check_texts([*labelled, *unlabelled, *held_out])
    config = config.resolved(translations=len(pairs) > 0)
    learn = partial(
        _learn, task, pairs=pairs, cache=cache, sibling=sibling, report=(progress, should_stop)
    )
    if config.learner != "best":
        return learn(labelled, unlabelled, config, out, held_out, work=work)
    earlier = read_comparison(sibling)
    found = compare(labelled, unlabelled, task, config, learn, earlier=earlier, work=work)
    chosen = config_of(found.chosen, config)
    result = learn(labelled, unlabelled, chosen, out, held_out, work=work)
    found.write(out)
    return replace(result, comparison=found)


def _learn(
    task: AnyTask,
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    config: TrainConfig,
    out: Path,
    held_out: Sequence[Example],
    *,
    pairs: Sequence[tuple[str, str]],
    cache: Blobs | None,
    sibling: Path | None,
    report: tuple[Callable[[Progress], None], Callable[[], bool]],
    work: Path | None = None,
) -> TrainResult:
    """Trains a model of one learner, see `train`."""
    progress, should_stop = report
    if config.learner == "joint":
        from xlt.training.loop import train_joint

        return train_joint(
            labelled,
            unlabelled,
            task,
            config,
            out,
            pairs=pairs,
            held_out=held_out,
            work=work,
            progress=progress,
            should_stop=should_stop,
        )
    if has_probe(task):
        return train_frozen(
            labelled,
            unlabelled,
            task,
            config,
            out,
            held_out=held_out,
            progress=progress,
            should_stop=should_stop,
            cache=cache,
            sibling=sibling,
        )
    from xlt.training.frozen_words import train_frozen_words

    return train_frozen_words(
        labelled,
        task,
        config,
        out,
        held_out=held_out,
        progress=progress,
        should_stop=should_stop,
    )


def _check_labels(labelled: Sequence[Example], task: AnyTask) -> None:
    for example in labelled:
        if example.answer is None:
            raise DataError(f"example {example.id!r} has no label")
        task.read(task.plain(example.answer))
    missing = task.missing([example.answer for example in labelled])
    if missing:
        raise DataError(f"training needs examples of {missing}")


def _check_texts(examples: Sequence[Example]) -> None:
    """Refuses examples with different numbers of texts; the first one is labelled."""
    first = len(examples[0].texts)
    for example in examples:
        if len(example.texts) != first:
            raise DataError(
                f"expected {first} texts in every example, as in {examples[0].id!r}, got "
                f"{len(example.texts)} in {example.id!r}"
            )
