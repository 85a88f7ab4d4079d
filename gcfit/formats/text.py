"""How bytes become text: byte order marks, UTF-16 without one, UTF-8, and the 8-bit codes of Western laboratories."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from gcfit.errors import InputError

Recoder = Callable[[bytes, bool], bytes]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BITS = ("ascii", "cp1252", "cp1250", "cp437", "cp850", "iso8859-1", "iso8859-15", "mac-roman")
_AS_THEY_ARE = (*_EIGHT_BITS, "utf-8", "utf-8-sig")  # every ASCII byte stands for itself
_PRINTED_CONTROLS = b"\t\n\r\f\x1a"  # 0x1a ended text files on CP/M and DOS
_CONTROLS = bytes(code for code in range(32) if code not in _PRINTED_CONTROLS)


@dataclass(frozen=True)
class Encoding:
    """A text encoding and how it was found: `stated` by the user or by the file's first bytes."""

    name: str
    stated: bool

    def text(self, raw: bytes, *, cut: bool, source: str) -> str:
        """Decode bytes; `cut` says that they may end within a character.

        Raises
        ------
        InputError
            If the bytes are not of this encoding.
        """
        try:
            return codecs.getincrementaldecoder(self.name)(self._errors).decode(raw, final=not cut)
        except (UnicodeError, ValueError, OverflowError) as error:
            raise self._undecodable(source, error) from error

    def recoder(self, source: str) -> Recoder:
        """Return a function of (bytes, is the last) that turns them into ASCII-compatible bytes.

        Bytes whose ASCII part stands for itself pass unchanged; all else becomes UTF-8.
        """
        if self.name in _AS_THEY_ARE:
            return lambda raw, final: raw.removeprefix(codecs.BOM_UTF8)
        decoder = codecs.getincrementaldecoder(self.name)(self._errors)

        def recode(raw: bytes, final: bool) -> bytes:
            try:
                return decoder.decode(raw, final).encode("utf-8", "replace")
            except (UnicodeError, ValueError, OverflowError) as error:
                raise self._undecodable(source, error) from error

        return recode

    def words(self, raw: bytes) -> str:
        """Decode bytes that the recoder gave, for names and messages."""
        return raw.decode(self.name if self.name in _EIGHT_BITS else "utf-8", "replace")

    @property
    def _errors(self) -> str:
        """A wrong byte in a comment is no reason to refuse a file whose encoding was only inferred."""
        return "strict" if self.stated else "replace"

    def _undecodable(self, source: str, error: Exception) -> InputError:
        reason = getattr(error, "reason", "") or str(error)
        place = f"byte {error.start + 1}" if isinstance(error, UnicodeDecodeError) else ""
        return InputError(source, f"is not text in {self.name}: {reason}", place=place, remedy="see --encoding")


def find_encoding(first: bytes, asked: str | None, source: str) -> Encoding:
    """Return the encoding asked for, or the one that the first bytes show.

    Raises
    ------
    InputError
        If the encoding asked for is not known.
    """
    if asked is not None:
        return Encoding(_known(asked, source), stated=True)
    for mark, name in _MARKS:
        if first.startswith(mark):
            return Encoding(name, stated=False)
    if name := _wide_without_mark(first):
        return Encoding(name, stated=False)
    return Encoding("utf-8" if _is_utf8(first) else "cp1252", stated=False)


def is_binary(first: bytes) -> bool:
    """Whether the first bytes are no text in any of the encodings that are found by themselves."""
    if any(first.startswith(mark) for mark, _ in _MARKS) or _wide_without_mark(first):
        return False
    controls = len(first) - len(first.translate(None, _CONTROLS))
    return controls > 0.02 * len(first) or first.startswith((b"CDF", b"\x89HDF"))


def _known(asked: str, source: str) -> str:
    """Return the normal name of a text encoding."""
    try:
        info = codecs.lookup(asked)
        "a".encode(asked)  # refuses codecs that are not of text
    except (LookupError, UnicodeError, ValueError) as error:
        raise InputError(source, f"unknown encoding '{asked}'", remedy="for example utf-8, utf-16, cp1252") from error
    if info.incrementaldecoder is None:
        raise InputError(source, f"the encoding '{asked}' is not for files", remedy="for example utf-8, utf-16, cp1252")
    return info.name


def _wide_without_mark(first: bytes) -> str:
    """Recognise UTF-16 by the zero in every other byte of plain text."""
    sample = first[: min(len(first) // 2 * 2, 4096)]
    if len(sample) < 4:
        return ""
    for name, zero, letter in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if zero.count(0) > 0.9 * len(zero) and letter.count(0) == 0:
            return name
    return ""


def _is_utf8(first: bytes) -> bool:
    """Whether the bytes are UTF-8; the last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return True
