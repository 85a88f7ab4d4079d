"""What a reader is asked and what it answers: frozen records and the type of a reader."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

from gcfit.chromatogram import Chromatogram
from gcfit.errors import InputError

if TYPE_CHECKING:
    from gcfit.formats.source import Head, Source

TimeUnit = Literal["auto", "s", "min", "h", "ms"]

_DELIMITERS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "bar": "|",
    "pipe": "|",
    "blank": " ",
    "space": " ",
}
_NO_DELIMITERS = '0123456789+-.eE"\r\n\0'


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about a file; None and `auto` leave it to the reader.

    Parameters
    ----------
    encoding : str or None
        Name of a text encoding.
    delimiter, decimal, thousands : str or None
        Separator of cells (`" "` stands for any run of blanks; also by name: comma, semicolon, tab, bar, blank),
        decimal mark (point or comma), mark between groups of three digits (comma, point, blank, apostrophe, empty for
        none).
    skip_lines : int or None
        Lines to pass over at the top.
    no_header : bool
        The first line that is read holds data.
    time_column, signal_column : str or None
        Name of a column, or its number counted from 1.
    time_unit : str
        `s`, `min`, `h`, `ms`; whatever the file says.
    trace : str or None
        Shell pattern; only the traces whose name it matches are returned.

    Raises
    ------
    InputError
        If a mark, a number of lines or a unit is none that a file could have.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    skip_lines: int | None = None
    no_header: bool = False
    time_column: str | None = None
    signal_column: str | None = None
    time_unit: TimeUnit = "auto"
    trace: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", _DELIMITERS.get(self.delimiter.lower(), self.delimiter))
            if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in _NO_DELIMITERS:
                raise self._wrong("delimiter", "one of comma, semicolon, tab, bar, blank, or one other character")
        if self.decimal not in (None, ".", ","):
            raise self._wrong("decimal", "a point or a comma")
        if self.thousands not in (None, "", ",", ".", "'", " ") or (self.thousands or "no") == self.decimal:
            raise self._wrong("thousands", "a comma, a point, a blank or an apostrophe, not the decimal mark, or empty")
        if self.skip_lines is not None and self.skip_lines < 0:
            raise self._wrong("skip_lines", "0 or more")
        if self.time_unit not in get_args(TimeUnit):
            raise self._wrong("time_unit", f"one of {', '.join(get_args(TimeUnit))}")

    def _wrong(self, name: str, right: str) -> InputError:
        return InputError("", f"is '{getattr(self, name)}', must be {right}", place=f"--{name.replace('_', '-')}")

    @property
    def describe_a_table(self) -> bool:
        """Whether an option speaks of rows and columns, so that the file is to be read as delimited text."""
        other = {"encoding", "time_unit", "trace"}
        return any(getattr(self, field.name) not in (None, False) for field in fields(self) if field.name not in other)


@dataclass(frozen=True)
class VendorPeak:
    """One row of the peak table that the vendor's program wrote; None is "not in the table".

    Parameters
    ----------
    trace : str
        Name of the trace in which the peak was found, as `Chromatogram.trace` has it.
    name : str
        Compound, empty where the program names none.
    retention_time_s, start_s, end_s : float
        Apex and limits of integration [s], on the clock of the trace.
    area, height : float
        In the signal unit of the trace times s, and in the signal unit; may be negative.
    area_unit : str
        Empty where `area` is as said; else what is known of the unit in which it stands as written.
    """

    trace: str
    name: str
    retention_time_s: float
    area: float | None = None
    height: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    area_unit: str = ""

    @property
    def found(self) -> bool:
        """Whether the program found a peak; some list compounds that were expected and not found, with an area of 0."""
        return self.area is None or self.area != 0


@dataclass(frozen=True)
class Reading:
    """All that a file says.

    Parameters
    ----------
    chromatograms : tuple of Chromatogram
        The detector traces in the order of the file.
    reader : str
        Key of the registry `READERS`.
    vendor_peaks : tuple of VendorPeak
        The file's own peak table, empty when it has none.
    notes : tuple of str
        What was inferred, for `--verbose`.
    warnings : tuple of str
        What was assumed where the file does not decide; each names the option that overrides it.
    """

    chromatograms: tuple[Chromatogram, ...]
    reader: str
    vendor_peaks: tuple[VendorPeak, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """One family of files: a line for the list, how it is known by its first bytes, and how it is read."""

    description: str
    recognise: Callable[["Head"], bool]
    read: Callable[["Source"], "Reading"]
