"""How fast the report opens and scrolls in Chromium: `python -m tests.benchmarks.report_page [FILES]`.

The page holds FILES traces (1,000) like those of the workload W4: six peaks, 5,000 points, noise of 0.1 %. It is
opened from disk with the network off. Wall-clock times say what a user waits for on a quiet machine; the processor
time of all processes of the browser, and that of the page's main thread, are what other programs hardly change.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import numpy as np
from playwright.sync_api import Page, sync_playwright

from gcfit import results
from gcfit.report import Entry, Run, trace_of
from gcfit.report.page import write
from tests.handmade import made_fit

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
AREAS = (1159.0, 927.0, 562.0, 1411.0, 516.0, 300.0)
APEXES = (60.0, 119.0, 231.0, 330.0, 400.0, 460.0)
# one step a frame, as a wheel does; returns the intervals between frames [ms]
SCROLL = """async (selector) => {
  const root = selector ? document.querySelector(selector) : document.scrollingElement;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const times = [await frame()];
  const down = root.scrollHeight - root.clientHeight;
  for (let j = 0; j < 120; j += 1) { root.scrollTop = down * j / 119; times.push(await frame()); }
  return times.slice(1).map((time, j) => time - times[j]);
}"""


def entries(count: int) -> Iterator[Entry]:
    """Traces that differ a little from file to file."""
    random = np.random.default_rng(4)
    for number in range(count):
        peaks = [(a + random.normal(0, 0.2), 2.0 + a / 100, s * random.normal(1, 0.02))
                 for a, s in zip(APEXES, AREAS, strict=True)]  # fmt: skip
        fit = made_fit(peaks, end=500, noise=0.2, source=f"/data/gc/2024/run_{number:05d}.csv", unit="mV")
        yield Entry(results.file_row(fit), results.peak_rows(fit), trace_of(fit))


def processor_time() -> float:
    """Seconds of the processor that the living descendants of this process have used."""
    used: dict[int, float] = {}
    parents: dict[int, int] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError):
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                parents[int(place.name)] = int(fields[1])
                used[int(place.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(used[child] for child in mine - {os.getpid()})


def opened(page: Page, path: Path) -> dict[str, float]:
    """Seconds from the request until the tables stand and until the first overlay is drawn, and of the processor."""
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    start, spent = perf_counter(), processor_time()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_selector("#files-table tbody tr")
    tables = perf_counter() - start
    page.wait_for_selector("#overlay .main-svg")
    overlay, processor = perf_counter() - start, processor_time() - spent
    metrics = {metric["name"]: metric["value"] for metric in tools.send("Performance.getMetrics")["metrics"]}
    return {"tables": tables, "overlay": overlay, "processor": processor, "main thread": metrics["TaskDuration"]}


def main() -> None:
    """Print size, seconds to open (five times), and the intervals between frames while scrolling."""
    count = int(sys.argv[-1]) if sys.argv[-1].isdigit() else 1000
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "report.html"
        start = perf_counter()
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            write(stream, Run("benchmark"), entries(count))
        print(f"{count} traces, {path.stat().st_size / 2**20:.1f} MiB, made in {perf_counter() - start:.1f} s")
        print(f"load of the machine {os.getloadavg()[0]:.1f}")
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        for _ in range(5):
            page = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True).new_page()
            page.wait_for_timeout(1000)  # until the browser has started the process of the page
            print({name: round(value, 2) for name, value in opened(page, path).items()}, flush=True)
        for place in ("", "#peaks-table .scroll"):
            page.wait_for_timeout(500)
            page.evaluate(SCROLL, place)  # builds what is built when it comes near
            gaps = np.array(page.evaluate(SCROLL, place))
            print(f"scrolling {place or 'the page'}: median {np.median(gaps):.1f} ms a frame, "
                  f"95 % below {np.percentile(gaps, 95):.1f}, worst {gaps.max():.1f}")  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main()
