"""The page itself: skeleton, style, scripts, the bundled plotly, and the data blocks, written as they come.

The page holds a content security policy that names the hashes of its own scripts and allows no request: what a file
name or a component name may hold cannot run and cannot call home.
"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files as resources
from typing import IO

from gcfit.errors import MissingExtraError
from gcfit.report.data import block, curves_block, file_table, peak_table, summary, trends
from gcfit.report.records import Entry, Run
from gcfit.results import Row

SCRIPTS = ("common.js", "table.js", "overlay.js", "trends.js", "page.js")


def write(stream: IO[str], run: Run, entries: Iterable[Entry]) -> None:
    """Write the report of a batch.

    Parameters
    ----------
    stream : text stream
        UTF-8; the caller opens it, and sees to it that a page appears whole or not at all.
    run : Run
        What ran.
    entries : iterable of Entry
        The traces in the order of the run. Their curves are written as they come and not kept; rows are kept.

    Raises
    ------
    MissingExtraError
        If plotly is not installed.
    """
    plotly, own = _plotly(), "\n".join(_asset(name) for name in SCRIPTS)
    stream.write(_head(run.title, [plotly, own]))
    stream.write(_asset("body.html"))
    files: list[Row] = []
    peaks: list[Row] = []
    owners: list[int] = []
    for number, entry in enumerate(entries):
        files.append(entry.file)
        peaks += entry.peaks
        owners += [number] * len(entry.peaks)
        if entry.curves is not None:
            stream.write(curves_block(number, entry.curves))
    stream.write(block("summary", summary(run, files, peaks)))
    stream.write(block("files", file_table(files, peaks, owners)))
    stream.write(block("peaks", peak_table(peaks, owners)))
    stream.write(block("trends", trends(peaks)))
    # plotly is text until the tables stand: the page's own script runs it then, and the policy knows its hash
    stream.write(f'<script type="text/plain" id="plotly">{plotly}</script>\n')
    stream.write(f"<script>{own}</script>\n</body>\n</html>\n")


def _head(title: str, scripts: Iterable[str]) -> str:
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{_asset('page.css')}</style>\n</head>\n"
    )


def _text(text: str) -> str:
    """Text as HTML in ASCII; a file name that is no text has letters that UTF-8 cannot write."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode()


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (resources("gcfit.report") / "assets" / name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtraError("--report", "report") from None
    return str(get_plotlyjs())
