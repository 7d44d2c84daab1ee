"""Finds an encoder's files and fingerprints them, without loading the model."""

from __future__ import annotations

from pathlib import Path

from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.errors import EncoderError

_BUNDLED = Path(__file__).parents[1] / "bundled"

#: File of the bundled encoder's masked-LM head, with Hugging Face's names.
HEAD_FILE = "head.safetensors"

#: Suffixes of the files that decide an encoder's vectors.
_DECISIVE = (".json", ".safetensors", ".bin")


def bundled() -> Path:
    """Returns the folder of the encoder that comes with xlt.

    Raises:
        EncoderError: If this installation has no such encoder.
    """
    if not (_BUNDLED / "config.json").is_file():
        raise EncoderError(f"this installation has no bundled encoder (looked in {_BUNDLED})")
    return _BUNDLED


def resolve(name: str) -> Path | str:
    """Returns the folder of the encoder `name`, or its name on the Hub.

    Raises:
        EncoderError: If `name` is empty, or looks like a folder but has no config.json.
    """
    if name == "bundled":
        return bundled()
    if not name.strip():
        raise EncoderError("the encoder's name is empty: give a folder, a Hub name, or 'bundled'")
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise EncoderError(f"no encoder in {folder}: it has no config.json")
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"no encoder in {folder}: there is no such folder")
    return name


def encoder_fingerprint(name: str) -> str:
    """Returns 64 hexadecimal digits that identify an encoder.

    They depend on the content of a folder's files, or on the Hub name and the commit that this
    machine holds.

    Raises:
        EncoderError: See `resolve`.
    """
    place = resolve(name)
    if isinstance(place, Path):
        files = sorted(file for file in place.iterdir() if file.suffix in _DECISIVE)
        return fingerprint((file.name, fingerprint_of_file(file)) for file in files)
    from transformers import AutoConfig

    try:
        commit = getattr(AutoConfig.from_pretrained(place), "_commit_hash", None)
    except (OSError, ValueError):
        commit = None  # loading it gives the reason
    return fingerprint([place, commit])
