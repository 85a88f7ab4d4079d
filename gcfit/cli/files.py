"""The files that a command is given: a folder stands for everything in it that might be a chromatogram."""

from collections.abc import Sequence
from pathlib import Path

from gcfit.errors import InputError


def expanded(names: Sequence[str], output: str | None) -> list[str]:
    """Replace folders by what they hold, by name; a vendor's run folder is one file; `output` is left out.

    Raises
    ------
    InputError
        If a folder cannot be looked into, or there is nothing in it.
    """
    return [found for name in names for found in (_within(name, output) if _is_shelf(name) else [name])]


def all_shelves(names: Sequence[str]) -> bool:
    """Whether only folders of files were named, so that a file in them may turn out to be no chromatogram."""
    return all(_is_shelf(name) for name in names)


def _is_shelf(name: str) -> bool:
    if name == "-" or not Path(name).is_dir():
        return False
    from gcfit.formats.vendor import is_run_folder

    return not is_run_folder(name)


def _within(name: str, output: str | None) -> list[str]:
    from gcfit.formats.vendor import files_of

    own = Path(output).resolve() if output is not None else None
    try:
        found = [str(path) for path in files_of(Path(name)) if own is None or not path.resolve().is_relative_to(own)]
    except OSError as error:
        raise InputError(name, f"cannot be looked into: {error.strerror or error}") from error
    if not found:
        raise InputError(name, "is a folder without files", remedy="give a folder that holds chromatograms")
    return found
