"""The windows of one file in many processes."""

import io
import multiprocessing
import os
import pickle
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import gcfit
from gcfit.batch import windows
from gcfit.batch.windows import windows_over
from gcfit.chromatogram import Chromatogram
from gcfit.cli.main import cli
from gcfit.fitting.records import FitSettings
from gcfit.fitting.task import GROUP_WINDOWS
from tests.fitting.shapes import gaussian, white

TIME = np.arange(0.0, 900.0, 0.2)
APEXES = np.linspace(60.0, 850.0, 3 * GROUP_WINDOWS)


def run() -> Chromatogram:
    signal = sum(gaussian(TIME, apex, 2.0 + apex / 500, 50.0) for apex in APEXES)
    return Chromatogram(TIME, signal + 0.1 * white(1, TIME.size))


def process(group: list[Any]) -> list[Any]:
    time.sleep(group[0])
    return [(os.getpid(), *group)]


def killed_elsewhere(group: list[Any]) -> list[Any]:
    if group == [2] and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return [*group, "done"]


def fails(group: list[Any]) -> list[Any]:
    if group == [2]:
        raise ZeroDivisionError("of a window")
    return group


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "PATIENCE_S", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_fit_is_the_same_in_many_processes() -> None:
    settings = FitSettings(hold_up=30.0)
    one = gcfit.fit(run(), settings=settings)
    with windows_over(2) as map_:
        many = gcfit.fit(run(), settings=settings, map_=map_)
    assert len(one.peaks) == APEXES.size
    values = [[(peak.retention_time_s, peak.area, peak.area_se, peak.k_d_per_s) for peak in fit.peaks]
              for fit in (one, many)]  # fmt: skip
    assert values[0] == values[1]


@pytest.mark.usefixtures("impatient")
def test_groups_go_to_other_processes_and_come_back_in_order() -> None:
    groups: list[list[Any]] = [[0.3, 1], [0.0, 2], [0.1, 3], [0.0, 4]]
    with windows_over(2) as map_:
        found = [one[0] for one in map_(process, groups)]
        again = [one[0] for one in map_(process, groups)]
        (alone,) = map_(process, [[0.0, 5]])
    assert [list(one[1:]) for one in found] == groups
    others = {one[0] for one in found}
    assert os.getpid() not in others
    assert len(others) == 2
    assert {one[0] for one in again} == others  # they are kept
    assert alone == [(os.getpid(), 0.0, 5)]  # nothing to share


def test_a_short_fit_starts_no_process() -> None:
    with windows_over(2) as map_:
        assert {one[0][0] for one in map_(process, [[0.0, k] for k in range(8)])} == {os.getpid()}
    with windows_over(1) as map_:
        assert map_ is map


def test_what_is_left_when_it_takes_long_goes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "PATIENCE_S", 0.2)
    with windows_over(2) as map_:
        found = [one[0][0] == os.getpid() for one in map_(process, [[0.3, 1], [0.0, 2], [0.0, 3]])]
    assert found == [True, False, False]


@pytest.mark.usefixtures("impatient")
def test_a_group_that_takes_a_worker_along_is_fitted_here() -> None:
    with windows_over(2) as map_:
        assert list(map_(killed_elsewhere, [[1], [2], [3]])) == [[1, "done"], [2, "done"], [3, "done"]]


@pytest.mark.usefixtures("impatient")
def test_an_error_of_a_worker_is_raised_here() -> None:
    with windows_over(2) as map_, pytest.raises(ZeroDivisionError, match="of a window"):
        list(map_(fails, [[1], [2], [3]]))


def test_arrays_keep_their_layout_on_the_way() -> None:
    whole = np.arange(60.0).reshape(5, 12)
    parts = (whole[:, 2:9], whole[:, ::3], whole[1:, 1:10:2], whole, whole.T, whole[:, :0], whole[2])
    one, *others = found = pickle.loads(windows._packed((*parts, parts[0])))
    assert others[-1] is one
    for was, now in zip(parts, found, strict=False):
        assert np.array_equal(was, now)
        assert was.size == 0 or was.ndim == 1 or was.strides == now.strides


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_terminal_shows_how_far_a_long_fit_has_come(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "PATIENCE_S", 0.2)
    screen = Terminal()
    with windows_over(jobs, "run.csv", screen) as map_:
        list(map_(process, [[0.0, 1], [0.3, 2], [0.2, 3], [0.0, 4]]))
        assert screen.getvalue().startswith("\rrun.csv: 4 fits of windows, 0 s")
    assert screen.getvalue().endswith(" \r")
    for stream in (io.StringIO(), None):
        with windows_over(1, "run.csv", stream) as map_:
            assert map_ is map


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("folder", [False, True])
def test_one_file_on_the_command_line(folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.csv"
    chromatogram = run()
    np.savetxt(path, np.column_stack([chromatogram.time, chromatogram.signal]), delimiter=",", header="time_s,signal",
               comments="")  # fmt: skip
    started: list[int] = []
    spread = windows._Spread

    class Seen(spread):  # type: ignore[valid-type, misc]
        def __init__(self, count: int, *others: Any) -> None:
            started.append(count)
            super().__init__(count, *others)

    monkeypatch.setattr(windows, "_Spread", Seen)
    tables = []
    for jobs in ("1", "2"):
        output = ["-o", str(tmp_path / jobs)] if folder else []
        result = CliRunner().invoke(cli, ["fit", str(path), "--hold-up", "30", "--jobs", jobs, *output])
        assert result.exit_code == 0, result.output
        tables.append((tmp_path / jobs / "peaks.csv").read_bytes() if folder else result.stdout)
    assert started == [2]
    assert tables[0] == tables[1]
