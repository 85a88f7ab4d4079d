"""The report as a file: its data blocks, its policy, and that nothing from a file can act in it."""

import base64
import hashlib
import io
import json
import re
import statistics
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from gcfit import results
from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import MissingExtraError
from gcfit.fitting.records import Fit, FitSettings, Noise
from gcfit.report import Entry, Run, trace_of
from gcfit.report.data import DIGITS, block, common_folder, summary, trends, worst_first
from gcfit.report.page import write
from gcfit.report.trace import kept_points
from tests.handmade import made_fit

HOSTILE = "<img src=x onerror=alert(1)>"
CLOSING = "</script><script>alert(2)</script>"
FORMULA = '=HYPERLINK("http://x")'


def entry(fit: Fit) -> Entry:
    return Entry(results.file_row(fit), results.peak_rows(fit), trace_of(fit))


def two_peaks(source: str = "a.csv", names: list[str] | None = None, **settings: Any) -> Fit:
    return made_fit([(150, 5, 300), (300, 6, 200)], end=400, source=source, names=names, **settings)


def page(entries: list[Entry], run: Run | None = None) -> str:
    stream = io.StringIO()
    write(stream, run or Run(), entries)
    return stream.getvalue()


class Elements(HTMLParser):
    """Every tag of a page, and the text of every script by its identity ("" for those that run)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem == "script":
            attributes, before = self.scripts[-1]
            self.scripts[-1] = attributes, before + data

    def block(self, identity: str) -> Any:
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == identity)


def decoded(curve: dict[str, Any]) -> Array:
    """The format of `trace_of`, read again."""
    return curve["o"] + curve["s"] * np.cumsum(curve["d"])


@pytest.mark.parametrize("spacing", ["uniform", "ragged"])
def test_curves_come_back_within_a_fraction_of_the_noise(spacing: str) -> None:
    fit = two_peaks()
    if spacing == "ragged":
        random = np.random.default_rng(2)
        time = fit.chromatogram.time + random.uniform(0, 0.03, fit.chromatogram.time.size)
        run = Chromatogram(time, fit.chromatogram.signal, "mV")
        fit = Fit(run, fit.settings, fit.peaks, fit.noise, fit.baseline, 0.99, 0.1)
    content = json.loads(trace_of(fit))
    kept = kept_points(fit)
    assert decoded(content["t"]) == pytest.approx(fit.chromatogram.time[kept], abs=0.02 * 0.1)
    assert decoded(content["y"]) == pytest.approx(fit.chromatogram.signal[kept], abs=0.05 / 16)
    assert (content["unit"], content["noise"]) == ("mV", 0.05)
    for peak, runs in zip(fit.peaks, content["p"], strict=True):
        (only,) = runs
        places = kept[only["i"] : only["i"] + len(only["d"])]
        assert decoded(only) == pytest.approx(peak.curve[places - peak.first], abs=0.05 / 16)
        assert places[0] == peak.first
        assert places[-1] == peak.first + peak.curve.size - 1
    together = np.full(kept.size, np.nan)
    for run_ in content["b"]:
        together[run_["i"] : run_["i"] + len(run_["d"])] = decoded(run_)
    np.testing.assert_array_equal(np.isnan(together), np.isnan(fit.baseline[kept]))


def test_every_apex_is_among_the_points_of_a_long_run() -> None:
    random = np.random.default_rng(5)
    apexes = np.sort(random.uniform(20, 3580, 60))
    fit = made_fit([(a, 0.4, 10 ** random.uniform(0, 4)) for a in apexes], end=3600, rate=20, noise=0.01)
    kept = set(kept_points(fit).tolist())
    assert len(kept) < 8000 < fit.chromatogram.time.size
    for peak in fit.peaks:
        assert peak.first + int(np.argmax(peak.curve)) in kept
    assert int(fit.chromatogram.signal.argmax()) in kept


def test_a_small_peak_beside_a_huge_one_keeps_its_shape() -> None:
    """Range 4e6, noise 1: the step follows the noise, not the range."""
    fit = made_fit([(100, 2, 2e7), (300, 4, 500)], end=400, noise=1.0)
    content = json.loads(trace_of(fit))
    assert content["y"]["s"] == pytest.approx(1 / 16)


@pytest.mark.parametrize(
    "fit",
    [made_fit([]), made_fit([(150, 5, 300)], noise=0.0), made_fit([(150, 5, 300)], statuses={1: "failed"})],
    ids=["blank", "no noise", "failed"],
)
def test_odd_fits_have_curves_too(fit: Fit) -> None:
    content = json.loads(trace_of(fit))
    assert decoded(content["y"]).max() == pytest.approx(fit.chromatogram.signal.max(), rel=1e-4)


def test_a_flat_signal_has_curves() -> None:
    run = Chromatogram(np.arange(50.0), np.full(50, 7.0))
    fit = Fit(run, FitSettings(), (), Noise(0.0), np.full(50, np.nan), None, 0.0)
    assert decoded(json.loads(trace_of(fit))["y"]) == pytest.approx(np.full(50, 7.0))


def row(status: str, r_squared: float | None) -> results.Row:
    return {"status": status, "r_squared": r_squared}


def test_the_worst_come_first() -> None:
    rows = [row("ok", 0.999), row("ok", None), row("failed", None), row("ok", 0.9), row("ok", 0.9999), row("ok", 0.9)]
    # the failure; the run with two failed peaks; then by R², equal ones in the order of the run; the blank last
    assert worst_first(rows, {4: 2}) == [2, 4, 3, 5, 0, 1]


def test_the_head_counts_what_failed() -> None:
    good, bad = two_peaks(), two_peaks("b.csv", statuses={1: "failed", 2: "bound"})
    entries = [entry(good), entry(bad), Entry(results.failed_file_row("c.csv", "empty"))]
    shown = Elements(page(entries, Run("title", {"seconds": 1.5}, {"model": "auto"})))
    head = shown.block("summary")
    expected = {"files": 3, "traces": 3, "peaks": 4, "failed trace": 1, "flagged peaks": 2}
    assert {name: count for name, count, _ in head["counts"]} == expected
    assert head["facts"] == [["seconds", "1.5"]]
    assert head["settings"] == [["model", "auto"]]
    assert shown.block("files")["entry"] == [2, 1, 0]


def test_absent_peaks_are_flagged_and_not_counted() -> None:
    rows = [{"status": "ok"}, {"status": "not found"}]
    counts = {name: number for name, number, _ in summary(Run(), [], rows)["counts"]}  # type: ignore[attr-defined]
    assert (counts["peak"], counts["flagged peak"]) == (1, 1)


def test_tables_hold_the_rows_without_empty_columns_rounded_for_reading() -> None:
    fit = two_peaks()
    shown = Elements(page([entry(fit)]))
    peaks = shown.block("peaks")
    assert "k_a_per_s" not in peaks["columns"]
    assert set(peaks["columns"]) < set(results.PEAK_COLUMNS)
    place = peaks["columns"].index("height")
    # 300/(5 sqrt(2 pi)) = 23.936536824085963
    assert peaks["rows"][0][place] == 23.93654
    assert DIGITS == 7
    assert peaks["entry"] == [0, 0]


def test_trends_go_by_name_with_mean_and_three_standard_deviations() -> None:
    areas = [300.0, 310.0, 305.0, 500.0]
    rows = []
    for area in areas:
        fit = made_fit([(150, 5, area), (300, 6, 200)], end=400, names=["benzene", ""])
        rows += results.peak_rows(fit)
    found = trends(rows)
    groups: list[dict[str, Any]] = found["groups"]  # type: ignore[assignment]
    assert [group["label"] for group in groups] == ["benzene", "peak 2"]
    assert groups[0]["rows"] == [0, 2, 4, 6]
    mean, spread = statistics.mean(areas), statistics.stdev(areas)
    assert groups[0]["limits"]["area"] == pytest.approx((mean, mean - 3 * spread, mean + 3 * spread))
    assert groups[0]["limits"]["plates"] is None
    assert found["columns"] == ["retention_time_s", "area", "k_d_per_s"]


def test_components_of_different_traces_stay_apart() -> None:
    rows = [
        row
        for trace in ("FID", "TCD")
        for row in results.peak_rows(made_fit([(150, 5, 300)], names=["air"], trace=trace))
    ]
    assert results.same_components(rows) == {"air [FID]": [0], "air [TCD]": [1]}
    unnamed = results.peak_rows(made_fit([(150, 5, 300)], names=["air"]))
    assert results.same_components([*rows, *unnamed]) == {"air [FID]": [0], "air [TCD]": [1], "air": [2]}


@pytest.mark.parametrize(
    ("values", "limits"), [([], None), ([3.0], None), ([2.0, 2.0], (2.0, 2.0, 2.0)), ([0.1] * 3, (0.1, 0.1, 0.1))]
)
def test_limits_need_two_values(values: list[float], limits: tuple[float, ...] | None) -> None:
    assert results.control_limits(values) == limits


@pytest.mark.parametrize("text", [HOSTILE, CLOSING, "<!--", "]]>", "&lt;b&gt;", FORMULA, "\u2028", "\udcff\x00", '"\\'])
def test_text_from_files_stays_text(text: str) -> None:
    fit = two_peaks(source=text, names=[text, text], trace=text, unit=text)
    failed = Entry(results.failed_file_row(text, text))
    made = page([entry(fit), failed], Run(text, {text: text}, {text: text}))
    plain = page([entry(two_peaks()), Entry(results.failed_file_row("b", "c"))])
    assert made.encode("utf-8")
    found, usual = Elements(made), Elements(plain)
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in usual.tags]
    files = found.block("files")
    assert files["rows"][0][files["columns"].index("file")] == text
    assert files["rows"][0][files["columns"].index("message")] == text
    assert found.block("peaks")["rows"][0][2] == 1
    assert found.block("summary")["title"] == text
    assert found.block("curves-0")["unit"] == text


def test_the_policy_allows_the_pages_own_scripts_and_no_request() -> None:
    found = Elements(page([entry(two_peaks())]))
    policy = next(
        attributes["content"]
        for tag, attributes in found.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    runnable = [text for attributes, text in found.scripts if attributes.get("type") != "application/json"]
    assert len(runnable) == 2
    assert {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in runnable} == allowed
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    for tag, attributes in found.tags:
        assert tag not in {"link", "iframe", "img", "object", "base"}
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")


def test_the_same_run_gives_the_same_page() -> None:
    assert page([entry(two_peaks())]) == page([entry(two_peaks())])


def test_a_run_without_files_is_a_page() -> None:
    found = Elements(page([]))
    assert found.block("files") == {"columns": [], "rows": [], "entry": []}
    assert found.block("trends") == {"columns": [], "groups": []}


def test_curves_are_written_as_they_come() -> None:
    """Before the second trace is asked for, the first is in the page: memory does not grow with their number."""
    stream = io.StringIO()

    def entries() -> Iterator[Entry]:
        yield entry(two_peaks("a.csv"))
        assert 'id="curves-0"' in stream.getvalue()
        yield entry(two_peaks("b.csv"))

    write(stream, Run(), entries())
    assert 'id="curves-1"' in stream.getvalue()


def test_values_that_are_not_finite_are_shown_as_what_they_are() -> None:
    fit = two_peaks()
    rows = results.peak_rows(fit)
    rows[0]["snr"] = float("inf")
    found = Elements(page([Entry(results.file_row(fit), rows)]))
    peaks = found.block("peaks")
    assert peaks["rows"][0][peaks["columns"].index("snr")] == "inf"


def test_without_plotly_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(MissingExtraError, match=r'pip install "gcfit-chromatography\[report\]"'):
        page([])


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["/d/a/x.csv", "/d/a/y.csv"], "/d/a/"),
        (["/d/run1.csv", "/d/run2.csv"], "/d/"),
        (["run1.csv", "run2.csv"], ""),
        (["/d/x.csv"], ""),
        (["C:\\d\\x.csv", "C:\\d\\y.csv"], "C:\\d\\"),
        ([], ""),
    ],
)
def test_the_common_folder_ends_at_a_separator(names: list[str], folder: str) -> None:
    assert common_folder(names) == folder


def test_a_block_has_no_letter_that_html_knows() -> None:
    made = block("x", {"<&>": "<&>"})
    inside = made.split(">", 1)[1].rsplit("</script>", 1)[0]
    assert not set(inside) & set("<&>")
    assert json.loads(inside) == {"<&>": "<&>"}


def test_the_summary_of_nothing_is_good_news() -> None:
    counts: list[list[Any]] = summary(Run(), [], [])["counts"]  # type: ignore[assignment]
    assert [mood for _, _, mood in counts if mood] == ["good", "good"]
