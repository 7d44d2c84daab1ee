"""Renames of labels, as `xlt connect` is told them, checked against the labelling interface."""

from __future__ import annotations

from collections.abc import Sequence

from xlt.errors import ConfigError
from xlt.tasks.labels import own_label
from xlt.tasks.relabelling import Regrouping
from xlt.tasks.renames import GONE, Renames, with_told
from xlt_backend.labelstudio.client import Client, ProjectInfo
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.links import stored_options
from xlt_backend.options import ProjectOptions


def parse_renames(arguments: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """Reads renames from arguments `old=new`, in which labels may hold an `=` too.

    Args:
        arguments: The arguments.
        labels: The labels of now.

    Raises:
        ConfigError: If an argument has no `=`, or if two rename the same label.
    """
    renames: dict[str, str] = {}
    for argument in arguments:
        places = [place for place, sign in enumerate(argument) if sign == "="]
        if not places:
            raise ConfigError(f"--rename must be OLD=NEW, got {argument!r}")
        pairs = [(argument[:at].strip(), argument[at + 1 :].strip()) for at in places]
        old, new = next((pair for pair in pairs if own_label(pair[1], labels)), pairs[0])
        if own_label(old, list(renames)):
            raise ConfigError(f"--rename {argument!r}: {old!r} is renamed twice")
        renames[old] = own_label(new, labels) or new
    return renames


def added(interface: Interface, stored: Renames, told: Renames) -> dict[str, str]:
    """Adds renames to those that were told before (`xlt.tasks.renames.with_told`).

    Raises:
        ConfigError: If xlt does not follow the labels of this kind of task, or if the interface
            does not bear out what was told.
    """
    tasks = interface.tasks
    if told and not any(isinstance(task, Regrouping) for task in tasks.values()):
        name, task = next(iter(tasks.items()))
        raise ConfigError(
            f"rename: {name!r} is of the kind {task.kind}, for which xlt follows no renamed labels"
        )
    return with_told(stored, told, interface.labels)


def with_stored_renames(
    client: Client, project: ProjectInfo, url: str, options: ProjectOptions | None
) -> ProjectOptions | None:
    """Returns the options with the stored renames, unless they have some of their own.

    Raises:
        ConfigError: If the labelling interface does not bear out those of the options.
    """
    if options is None:
        return None
    if "rename" in options.model_fields_set:
        added(
            Interface.from_label_config(project.label_config, options.control), {}, options.rename
        )
        return options
    try:
        stored = stored_options(client, project.id, url).rename
    except ConfigError:  # these options replace them
        return options
    return options.model_copy(update={"rename": stored})


def in_words(old: str, new: str) -> str:
    """Says what a rename changes."""
    if new == GONE:
        return f"answers with the label {old!r} are no longer used"
    return f"answers and models with the label {old!r} are read with {new!r}"
