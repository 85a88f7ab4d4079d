"""The page on which a batch is looked at: one HTML file that needs no network.

`trace_of` makes the thinned curves of one fit, where the fit is made; `page.write` puts rows and curves into the page,
and loads what that takes.
"""

from gcfit.report.records import Entry, Run
from gcfit.report.trace import trace_of

__all__ = ["Entry", "Run", "trace_of"]
