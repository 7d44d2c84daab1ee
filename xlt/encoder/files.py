"""Where an encoder's files are, and what tells it from others; loads none of them."""

from __future__ import annotations

from pathlib import Path

from xlt.disk.fingerprints import fingerprint, fingerprint_of_file
from xlt.errors import EncoderError

_BUNDLED = Path(__file__).parents[1] / "bundled"

#: Where the bundled encoder keeps its MLM head, under Hugging Face's names.
HEAD_FILE = "head.safetensors"

#: Ends of the files that decide what an encoder says.
_DECISIVE = (".json", ".safetensors", ".bin")


def bundled() -> Path:
    """Folder of the encoder that comes with xlt.

    Raises:
        EncoderError: If this installation has none.
    """
    if not (_BUNDLED / "config.json").is_file():
        raise EncoderError(f"this installation has no bundled encoder (looked in {_BUNDLED})")
    return _BUNDLED


def resolve(name: str) -> Path | str:
    """What `name` stands for: the bundled folder, a folder, or a Hub name as it is.

    Raises:
        EncoderError: If it looks like a folder and is not one with a config.json, or is empty.
    """
    if name == "bundled":
        return bundled()
    if not name.strip():
        raise EncoderError("the encoder's name is empty; give a folder, a Hub name, or 'bundled'")
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise EncoderError(f"no encoder in {folder}: it has no config.json")
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"no encoder in {folder}: there is no such folder")
    return name


def encoder_fingerprint(name: str) -> str:
    """What tells an encoder from others, 64 hexadecimal digits.

    One in a folder counts by the content of its files, one of the Hub by its name and the commit
    that this machine holds.

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
        commit = None  # loading it says what is wrong
    return fingerprint([place, commit])
