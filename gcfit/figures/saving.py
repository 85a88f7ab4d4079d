"""Figures to bytes: the same figure always gives the same bytes, and a file is never half written."""

import io
from pathlib import Path
from typing import IO

from matplotlib.figure import Figure

from gcfit.errors import InputError
from gcfit.figures.style import THEMES, drawing
from gcfit.formats.atomic import atomic_write

# format: what the file says about itself; no date and no version, so that the bytes depend on the figure only
FORMATS: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "gcfit"},
    "pdf": {"CreationDate": None, "Creator": "gcfit", "Producer": None},
}


def save(figure: Figure, destination: str | Path | IO[bytes], file_format: str | None = None) -> None:
    """Write a figure to a file or a binary stream.

    Parameters
    ----------
    figure : Figure
        A figure of this package.
    destination : str, Path or binary stream
        Where to; a file appears complete or not at all.
    file_format : str, optional
        `png`, `svg` or `pdf`; by default what the file's name ends in, PNG for a stream.

    Raises
    ------
    InputError
        If the format is not known.
    OutputError
        If the file cannot be written.
    """
    content = render(figure, format_of(destination, file_format))
    if isinstance(destination, str | Path):
        with atomic_write(destination) as stream:
            stream.write(content)
    else:
        destination.write(content)


def format_of(destination: str | Path | IO[bytes], file_format: str | None = None) -> str:
    """Return the format that a figure is written in; raises `InputError` if it is not known."""
    is_file = isinstance(destination, str | Path)
    name = str(destination) if is_file else ""
    chosen = (file_format or Path(name).suffix[1:] or "png").lower()
    if chosen not in FORMATS:
        raise InputError(name, f"is no figure format: {chosen!r}", remedy=f"use one of {', '.join(FORMATS)}")
    return chosen


def render(figure: Figure, file_format: str) -> bytes:
    """Return a figure as the bytes of a file."""
    stream = io.BytesIO()
    with drawing(THEMES["light"]):  # colours are in the figure; this sets fonts and how text is stored
        figure.savefig(stream, format=file_format, metadata=FORMATS[file_format], facecolor=figure.get_facecolor())
    return stream.getvalue()
