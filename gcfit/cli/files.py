"""The files that a command is given: a folder stands for everything in it that might be a chromatogram."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gcfit.errors import InputError


def expanded(names: Sequence[str], output: str | None) -> list[str]:
    """Replace folders by what they hold, by name; a vendor's run folder is one file.

    What a batch keeps in its folder `output` is left out. A folder that cannot be looked into, or that holds nothing,
    stands for itself beside others: it fails when its turn comes.

    Raises
    ------
    InputError
        If the names are folders and there is nothing in any of them.
    """
    own = None if output is None else os.path.realpath(output)
    held = [list(_within(Path(name), own)) if _is_shelf(name) else [name] for name in names]
    if not any(held):
        raise InputError(names[0], "is a folder without files", remedy="give a folder that holds chromatograms")
    return [file for name, found in zip(names, held, strict=True) for file in found or [name]]


def all_shelves(names: Sequence[str]) -> bool:
    """Whether only folders of files were named, so that a file in them may turn out to be no chromatogram."""
    return all(_is_shelf(name) for name in names)


def _is_shelf(name: str) -> bool:
    try:
        if name == "-" or not Path(name).is_dir():
            return False
    except OSError:  # whoever reads it says why it cannot be examined
        return False
    from gcfit.formats.vendor import is_run_folder

    return not is_run_folder(name)


def _within(folder: Path, own: str | None) -> Iterator[str]:
    """Yield files and run folders, by name, and subfolders that cannot be looked into; hidden ones are left out."""
    from gcfit.batch.worklist import is_own

    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield str(folder)
        return
    real = os.path.realpath(folder)
    for path in entries:
        if path.name.startswith(".") or (own is not None and is_own(f"{real}{os.sep}{path.name}", own)):
            continue
        if not _is_shelf(str(path)):
            if _is_there(path):
                yield str(path)
        elif not path.is_symlink():
            yield from _within(path, own)


def _is_there(path: Path) -> bool:
    """Whether something is there to be read, as far as can be told."""
    try:
        return path.is_file() or path.is_dir()
    except OSError:
        return True
