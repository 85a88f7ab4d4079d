"""The page on which a batch is looked at: one HTML file that needs no network.

`trace_of` makes the thinned curves of one fit, where the fit is made; `write` puts rows and curves into the page.
"""

from gcfit.report.page import write
from gcfit.report.records import Entry, Run
from gcfit.report.trace import trace_of

__all__ = ["Entry", "Run", "trace_of", "write"]
