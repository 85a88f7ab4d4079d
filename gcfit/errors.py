"""What can go wrong in a way that a user can act on.

Everything raised on purpose derives from `GcfitError`; the command line prints it as one line and exits.
Any other exception is a bug.
"""


class GcfitError(Exception):
    """Base of all errors that a user can act on; its text is one line."""

    exit_code = 1


class InputError(GcfitError):
    """A file or a value that cannot be used: which file, where in it, what was found, what to do.

    Parameters
    ----------
    source : str
        File name (or `-` for standard input), empty for a value that came from no file.
    found : str
        What was found and, where there is one, what would have been right.
    place : str
        Line, key, cell or block; empty for the file as a whole.
    remedy : str
        What the user can do; empty where it is plain.
    """

    def __init__(self, source: str, found: str, *, place: str = "", remedy: str = "") -> None:
        self.source, self.found, self.place, self.remedy = source, found, place, remedy
        where = ": ".join(one_line(part) for part in (source, place, found) if part)
        super().__init__(f"{where}; {one_line(remedy)}" if remedy else where)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_input_error, (type(self), self.source, self.found, self.place, self.remedy)


class OutputError(GcfitError):
    """A file or folder that cannot be written."""


class FitError(GcfitError):
    """A fit that cannot be done on valid input."""


class SolverError(GcfitError):
    """A solution of the column's equations that could not be reached at the asked accuracy."""


class MissingExtraError(GcfitError):
    """A feature whose optional packages are not installed; the text names the extra."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f'{feature} needs an optional package; pip install "gcfit-chromatography[{extra}]"')

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.feature, self.extra)


def _rebuild_input_error(kind: type[InputError], source: str, found: str, place: str, remedy: str) -> InputError:
    """Make an `InputError` again on the other side of a process boundary."""
    return kind(source, found, place=place, remedy=remedy)


def one_line(text: str) -> str:
    """Return the text with control characters shown as escapes, so that it stays on one line of a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
