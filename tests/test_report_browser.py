"""The report in a browser: opened from disk without a network, looked at and clicked."""

import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcfit import results
from gcfit.fitting.records import Fit
from gcfit.report import Entry, Run, trace_of
from gcfit.report.page import write
from tests.cli.shell import inside
from tests.handmade import made_fit

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the search path"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
CLOSING = "</script><script>document.title='owned'</script>"
# plotly would make a link, or bold text, of these
LINK = "<a href='https://a.example'>a</a><b>b</b>"
FORMULA = "=cmd()|'/c calc'!A1"
COUNT = 60
DRIFTED = 41


def fit_of(number: int, areas: list[float]) -> Fit:
    names = ["benzene", {3: HOSTILE, 5: LINK}.get(number, "toluene"), CLOSING]
    shift = 2.0 if number == DRIFTED else 0.0
    peaks = [(119.0 + shift + 0.01 * (number % 5), 5.7, areas[number]), (231, 5.9, 927), (300, 6.0, 500)]
    source = f"/data/runs/{HOSTILE}.csv" if number == 4 else f"/data/runs/run_{number:03d}.csv"
    trace = CLOSING if number == 4 else ""
    fit = made_fit(peaks, end=400, noise=0.3, names=names, source=source, trace=trace, unit="mV")
    object.__setattr__(fit, "r_squared", 0.5 if number == 17 else 0.99 + 0.0001 * number)
    return fit


AREAS = (1159 * np.random.default_rng(4).uniform(0.97, 1.03, COUNT)).tolist()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fits = [fit_of(number, AREAS) for number in range(COUNT)]
    entries = [Entry(results.file_row(fit), results.peak_rows(fit), trace_of(fit)) for fit in fits]
    entries.append(Entry(results.failed_file_row(FORMULA, f"line 3: no numbers {HOSTILE}")))
    path = tmp_path_factory.mktemp("report") / "report.html"
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        write(stream, Run("Batch of the tests", {"command": f"gcfit fit {CLOSING}"}, {"model": "auto"}), entries)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Opened:
    """A page with everything that it said, asked for, or tried."""

    def __init__(self, browser: Any, path: Path, width: int, height: int, scheme: str = "light") -> None:
        screen = {"width": width, "height": height}
        self.context = browser.new_context(viewport=screen, offline=True, color_scheme=scheme)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = path.as_uri()
        self.page.goto(self.address)
        self.page.wait_for_selector("body[data-ready=charts]")
        self.page.wait_for_selector("#overlay .main-svg")

    def close(self) -> None:
        """Close it; nothing was said on the console, no dialog came up, nothing but the page was asked for."""
        assert self.said == []
        assert self.asked == [self.address]
        self.context.close()


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Opened]:
    made = Opened(browser, report, 1400, 900)
    yield made
    assert made.page.title() == "Batch of the tests"
    made.close()


def column(page: Any, table: str, name: str) -> list[str]:
    return page.evaluate(
        """([table, name]) => {
          const heads = [...document.querySelectorAll(`#${table} thead th`)].map((cell) => cell.textContent);
          return [...document.querySelectorAll(`#${table} tbody tr`)]
            .map((line) => line.children[heads.indexOf(name)].textContent);
        }""",
        [table, name],
    )


def until(page: Any, expression: str) -> None:
    """Wait until an expression is true; the page's policy forbids the driver's own way, which evaluates text in it."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def sort_by(page: Any, name: str) -> None:
    page.get_by_role("region", name="Table of files").get_by_role("button", name=name, exact=True).click()


def test_the_first_screen_says_what_ran_and_shows_the_worst_fit(opened: Opened) -> None:
    page = opened.page
    assert page.locator("h1").inner_text() == "Batch of the tests"
    assert [item.inner_text() for item in page.locator("#counts li").all()] == [
        "61files",
        "61traces",
        "180peaks",
        "1failed trace",
        "0flagged peaks",
    ]
    assert f"gcfit fit {CLOSING}" in page.locator("#facts").inner_text()
    names, statuses = column(page, "files-table", "file"), column(page, "files-table", "status")
    assert (names[0], statuses[0]) == (FORMULA, "failed")
    assert names[1] == "/data/runs/run_017.csv"  # R² 0.5
    assert page.locator("#overlay-name").inner_text() == "/data/runs/run_017.csv"
    lowest = page.locator("#overlay").bounding_box()
    assert lowest["y"] + 200 < 900


def test_files_are_sorted_by_a_click_both_ways(opened: Opened) -> None:
    page = opened.page
    sort_by(page, "r_squared")
    rising = [float(value) for value in column(page, "files-table", "r_squared")]
    assert rising == sorted(rising)
    assert rising[0] == 0.5
    assert page.locator("#files-table th[aria-sort=ascending]").inner_text() == "r_squared"
    sort_by(page, "r_squared")
    falling = [float(value) for value in column(page, "files-table", "r_squared")]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == pytest.approx(0.99 + 0.0001 * (COUNT - 1))
    sort_by(page, "file")
    assert column(page, "files-table", "file") == sorted(column(page, "files-table", "file"), key=str.lower)


def test_files_are_filtered_by_words_and_comparisons(opened: Opened) -> None:
    """R² is 0.99 + 0.0001 times the number: from 50 to 59 it is at least 0.995."""
    page = opened.page
    expected = {
        "run_03": "1 to 10 of 10",
        "RUN_017": "1 to 1 of 1",
        "r_squared<0.6": "1 to 1 of 1",
        "r_squared>=0.9950 ok": "1 to 10 of 10",
        "nowhere": "nothing matches",
        "peaks=3": "1 to 15 of 60",
    }
    for words, shown in expected.items():
        page.locator("#files-table input").fill(words)
        assert page.locator("#files-table .pager span").inner_text() == shown, words


def test_filter_and_sort_work_together(opened: Opened) -> None:
    page = opened.page
    sort_by(page, "r_squared")
    sort_by(page, "r_squared")
    page.locator("#files-table input").fill("run_03")
    names = column(page, "files-table", "file")
    assert names == [f"/data/runs/run_{number:03d}.csv" for number in range(39, 29, -1)]


def test_pages_are_turned(opened: Opened) -> None:
    page = opened.page
    first = column(page, "files-table", "file")
    page.locator("#files-table").get_by_role("button", name="Next page").click()
    second = column(page, "files-table", "file")
    assert len(first) == len(second) == 15
    assert not set(first) & set(second)
    assert page.locator("#files-table .pager span").inner_text() == "16 to 30 of 61"


def test_a_click_on_a_file_draws_its_fit(opened: Opened) -> None:
    page = opened.page
    page.locator("#files-table input").fill("run_002")
    page.locator("#files-table tbody button").click()
    assert page.locator("#overlay-name").inner_text() == "/data/runs/run_002.csv"
    data = page.evaluate("document.getElementById('overlay').data.map(({ name, x, y }) => ({ name, x, y }))")
    traces = {trace["name"]: trace for trace in data}
    fit = fit_of(2, AREAS)
    assert max(traces["data"]["y"]) == pytest.approx(float(fit.chromatogram.signal.max()), abs=0.3 / 16)
    assert max(traces["1 benzene"]["y"]) == pytest.approx(10 + float(fit.peaks[0].curve.max()), abs=0.3 / 8)
    total = [value for value in traces["fit"]["y"] if value is not None]
    assert max(total) == pytest.approx(float(np.nanmax(fit.total)), abs=0.3 / 8)
    residual = [value for value in traces["residual"]["y"] if value is not None]
    assert np.std(residual) < 3
    assert max(residual) == pytest.approx(float(np.nanmax(fit.residual)), abs=0.3)


def test_previous_and_next_walk_through_the_table(opened: Opened) -> None:
    page = opened.page
    names = column(page, "files-table", "file")
    page.locator("#next-file").click()
    assert page.locator("#overlay-name").inner_text() == names[2]
    page.locator("#previous-file").click()
    page.locator("#previous-file").click()
    assert page.locator("#overlay-name").inner_text().startswith(f"{FORMULA} · failed · line 3")
    assert page.locator("#overlay .main-svg").count() == 0


def pixel(page: Any, x: float, y: float) -> tuple[float, float]:
    """Place on the screen of a point of the overlay."""
    return tuple(
        page.evaluate(
            """([x, y]) => {
              const root = document.getElementById("overlay");
              const { xaxis, yaxis } = root._fullLayout;
              const box = root.getBoundingClientRect();
              return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
            }""",
            [x, y],
        )
    )


def test_a_peak_shows_its_rates_under_the_pointer(opened: Opened) -> None:
    page = opened.page
    fit = fit_of(17, AREAS)
    apex = fit.peaks[0].retention_time_s
    height = fit.peaks[0].height
    assert apex is not None
    assert height is not None
    page.mouse.move(*pixel(page, apex, 10 + 0.4 * height))
    page.wait_for_selector("#overlay .hoverlayer text")
    shown = page.locator("#overlay .hoverlayer").text_content()
    assert "1 benzene" in shown
    assert "k_d 0.350877 /s" in shown  # 2/5.7
    assert f"retention {apex:g} ± 0.057 s" in shown


def test_dragging_enlarges_and_a_double_click_shows_all(opened: Opened) -> None:
    page = opened.page
    extent = "(() => { const axis = document.getElementById('overlay')._fullLayout.xaxis; return axis.range; })()"
    before = page.evaluate(extent)
    start, end = pixel(page, 100, 20), pixel(page, 140, 60)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    until(page, f"JSON.stringify({extent}) !== {str(before).replace(' ', '')!r}")
    assert page.evaluate(extent) == pytest.approx([100, 140], abs=2)
    page.wait_for_timeout(500)
    page.mouse.dblclick(*pixel(page, 120, 40))
    until(page, f"{extent}[1] > 390")


def test_peaks_are_switched_off_and_on(opened: Opened) -> None:
    page = opened.page
    visible = (
        "document.getElementById('overlay').data.filter(({ meta }) => meta === 'peak')"
        ".map(({ visible }) => visible ?? true)"
    )
    page.locator("#hide-peaks").click()
    assert page.evaluate(visible) == ["legendonly"] * 3
    page.locator("#show-peaks").click()
    assert page.evaluate(visible) == [True] * 3
    page.locator("#overlay .legendtoggle").nth(1).click()
    until(page, f"({visible})[0] === 'legendonly'")


def test_tables_are_copied_as_tsv_that_runs_no_formula(opened: Opened) -> None:
    page = opened.page
    page.locator("#files-table").get_by_role("button", name="Copy as TSV").click()
    until(page, "document.querySelector('#files-table [role=status]').textContent === '61 rows copied'")
    lines = page.evaluate("navigator.clipboard.readText()").rstrip("\n").split("\n")
    assert len(lines) == 62
    heads = lines[0].split("\t")
    assert heads[:3] == ["file", "trace", "status"]
    assert lines[1].split("\t")[0] == f"'{FORMULA}"
    assert all(len(line.split("\t")) == len(heads) for line in lines)


def test_trends_show_mean_limits_and_what_is_outside(opened: Opened) -> None:
    page = opened.page
    page.locator("#trend").scroll_into_view_if_needed()
    page.wait_for_selector("#trend .main-svg")
    times = [119.0 + (2.0 if n == DRIFTED else 0.0) + 0.01 * (n % 5) for n in range(COUNT) if n != 4]
    mean, spread = statistics.mean(times), statistics.stdev(times)
    words = page.locator("#trend-words").inner_text()
    expected = f"59 values, mean {mean:.6g}, limits {mean - 3 * spread:.6g} to {mean + 3 * spread:.6g}, 1 outside"
    assert words == expected
    shapes = page.evaluate("document.getElementById('trend').layout.shapes.map(({ y0 }) => y0)")
    assert shapes == pytest.approx([mean, mean - 3 * spread, mean + 3 * spread])
    page.locator("#trend-column").select_option(label="Area")
    until(page, "document.getElementById('trend').layout.yaxis.title.text === 'Area'")
    values = page.evaluate("document.getElementById('trend').data[0].y")
    assert values == pytest.approx([area for n, area in enumerate(AREAS) if n != 4], rel=1e-6)


def test_a_click_on_a_drifting_point_shows_its_fit(opened: Opened) -> None:
    page = opened.page
    page.locator("#trend").scroll_into_view_if_needed()
    page.wait_for_selector("#trend .points path")
    page.wait_for_timeout(300)
    place = page.evaluate(
        """() => {
          const root = document.getElementById("trend");
          const { xaxis, yaxis } = root._fullLayout;
          const box = root.getBoundingClientRect();
          const { x, y, marker } = root.data[0];
          const out = marker.symbol.indexOf("diamond");
          return [box.left + xaxis._offset + xaxis.d2p(x[out]), box.top + yaxis._offset + yaxis.d2p(y[out])];
        }"""
    )
    page.mouse.move(place[0] - 2, place[1])
    page.mouse.move(*place)
    # a click is one on what the pointer is over: on a busy machine that is known only later
    until(page, "document.querySelector('#trend .hoverlayer .hovertext') !== null")
    page.mouse.click(*place)
    until(page, f"document.getElementById('overlay-name').textContent.includes('run_{DRIFTED:03d}')")
    assert f"run_{DRIFTED:03d}" in page.evaluate("document.getElementById('overlay-name').textContent")


@pytest.mark.parametrize(("width", "height", "scheme"), [(1400, 900, "dark"), (390, 844, "light")])
def test_nothing_is_wider_than_the_screen_and_axe_finds_nothing(
    browser: Any, report: Path, width: int, height: int, scheme: str
) -> None:
    made = Opened(browser, report, width, height, scheme)
    made.page.locator("#trend").scroll_into_view_if_needed()
    made.page.wait_for_selector("#trend .main-svg")
    assert made.page.evaluate("document.documentElement.scrollWidth") <= width
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(made.page).response["violations"]
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found] == []
    made.close()


def test_hostile_names_are_shown_as_they_are(opened: Opened) -> None:
    page = opened.page
    page.locator("#files-table input").fill("onerror")
    assert column(page, "files-table", "file") == [FORMULA, f"/data/runs/{HOSTILE}.csv"]
    page.locator("#files-table tbody button").nth(1).click()
    assert page.locator("#overlay-name").inner_text() == f"/data/runs/{HOSTILE}.csv · {CLOSING}"
    legend = page.locator("#overlay .legend").text_content()
    assert f"3 {CLOSING}"[:30] in legend
    assert page.locator("#overlay img, #overlay script").count() == 0
    page.locator("#files-table input").fill("run_003")
    page.locator("#files-table tbody button").click()
    assert f"2 {HOSTILE}"[:30] in page.locator("#overlay .legend").text_content()
    page.locator("#files-table input").fill("run_005")
    page.locator("#files-table tbody button").click()
    assert f"2 {LINK}"[:40] in page.locator("#overlay .legend").text_content()
    assert page.locator("#overlay .legend a").count() == 0


SYSTEM = """
[column]
length_m = 20
inner_diameter_mm = 0.18
film_thickness_um = 1
[carrier]
hold_up_s = 30
inlet_pressure_kpa = 401
outlet_pressure_kpa = 101.3
"""


def test_hostile_files_are_inert_from_the_command_to_the_page(browser: Any, tmp_path: Path) -> None:
    """File, trace and component are named to act in a page or a spreadsheet; `/` cannot stand in a file name."""
    file, trace, name = "=<img src=x onerror=alert(1)>.csv", CLOSING, "=cmd()<svg onload=alert(2)>"
    time = np.arange(0, 120, 0.5)
    peak = 5 + 40 * np.exp(-((time - 60) ** 2) / 18) + 0.01 * np.random.default_rng(1).standard_normal(time.size)
    lines = [f"{t},{y:.5f},{y:.5f}" for t, y in zip(time, peak, strict=True)]
    (tmp_path / file).write_text(f'time_s,"{trace}",TCD\n' + "\n".join(lines) + "\n")
    component = f"[[component]]\nname = '{name}'\nretention_time_s = 60\n"
    component += "k_a_per_s = 1\nk_d_per_s = 1\narea = 1\n"
    (tmp_path / "system.toml").write_text(SYSTEM + component)
    arguments = ["fit", file, "--system", "system.toml", "--model", "laplace", "-o", "out"]
    done = inside(*arguments, "--report", "--figures", "svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    cells = (tmp_path / "out" / "peaks.csv").read_text()
    assert f"'{name}" in cells
    assert not [line for line in cells.splitlines() if line.startswith(("=", '"='))]
    made = Opened(browser, tmp_path / "out" / "report.html", 1400, 900)
    assert column(made.page, "files-table", "file") == [file, file]
    assert set(column(made.page, "files-table", "trace")) == {trace, "TCD"}
    made.page.locator("#files-table tbody button").nth(1).click()
    made.page.locator("#trend").scroll_into_view_if_needed()
    made.page.wait_for_selector("#trend .main-svg")
    assert set(column(made.page, "peaks-table", "name")) == {name}
    assert made.page.locator("main img, main svg[onload], main script").count() == 0
    assert made.page.title() == "Chromatograms of out"
    made.close()
    figures = sorted((tmp_path / "out" / "figures").iterdir())
    assert len(figures) == 2
    for figure in figures:
        drawing = Picture(browser, figure)
        assert drawing.names == {"svg"}
        assert file in drawing.text
        assert f"1 {name}"[:20] in drawing.text
        drawing.close()


class Picture:
    """An SVG figure in the browser, which may run what is in it."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.context = browser.new_context(offline=True)
        page = self.context.new_page()
        self.said: list[str] = []
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: self.said.append(message.text))
        page.goto(path.as_uri())
        self.text = page.evaluate("document.documentElement.textContent")
        self.names = {page.evaluate("document.documentElement.localName")}
        self.active = page.evaluate(
            "document.querySelectorAll('script, img, foreignObject, [onload], [onerror]').length"
        )

    def close(self) -> None:
        """Close it; nothing in it ran."""
        assert self.said == []
        assert self.active == 0
        self.context.close()
