"""`gcfit plot`: every kind of input gives its figure, and wrong ones one clear line."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcfit.chromatogram import Chromatogram
from gcfit.cli.peak_table import is_peak_table, read_peak_table, rows_of
from gcfit.errors import InputError
from gcfit.results import PEAK_COLUMNS
from tests.cli.shell import ROOT, bash, gcfit, inside
from tests.handmade import gaussian

SYSTEM = ROOT / "sample_data" / "btex" / "system.toml"
SAMPLE = ROOT / "sample_data" / "btex" / "chromatogram.csv"
STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
HEAD = ",".join(PEAK_COLUMNS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short runs, their peak table, and the folder of their batch."""
    made = tmp_path_factory.mktemp("plot")
    time = np.arange(0, 120, 0.2)
    for number in (1, 2):
        random = np.random.default_rng(number)
        signal = 5 + gaussian(time, 50 + number, 3, 40) + 0.01 * random.standard_normal(time.size)
        lines = [f"{t:.1f},{y:.6f}" for t, y in zip(time, signal, strict=True)]
        (made / f"run{number}.csv").write_text("time_s,signal_mV\n" + "\n".join(lines) + "\n")
    runs = [made / "run1.csv", made / "run2.csv"]
    table = inside("fit", *runs, "--model", "gaussian")
    assert table.returncode == 0
    (made / "peaks.csv").write_text(table.stdout)
    assert inside("fit", *runs, "--model", "gaussian", "-o", made / "batch").returncode == 0
    return made


def texts(path: Path) -> list[str]:
    """Texts of an SVG figure."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))
    return [text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">") for text in found]


def drawn(folder: Path, *arguments: str | Path) -> list[str]:
    output = folder / "figure.svg"
    run = inside("plot", *arguments, "-o", output, cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return texts(output)


def test_a_chromatogram_is_drawn_with_its_fit(folder: Path) -> None:
    shown = drawn(folder, "run1.csv", "--model", "gaussian")
    assert {"run1.csv", "data", "fit", "baseline", "Residual (σ)", "Time (s)", "Signal (mV)", "1"} <= set(shown)


def test_a_component_that_does_not_enter_sets_no_times(folder: Path) -> None:
    """The profiles are at parts of the first peak's time, whatever stands before it in the file."""
    head, *parts = SYSTEM.read_text(encoding="utf-8").split("[[component]]")
    none = '\nname = "none"\nk_a_per_s = 500\nk_d_per_s = 5\narea = 0\n'
    (folder / "one.toml").write_text("[[component]]".join((head, parts[0])))
    (folder / "two.toml").write_text("[[component]]".join((head, none, parts[0])))
    titles = [[text for text in drawn(folder, f"{name}.toml") if text.endswith(" s")] for name in ("one", "two")]
    assert titles[0]
    assert titles[0] == titles[1]


def test_a_column_that_nothing_enters_is_drawn(folder: Path) -> None:
    text = SYSTEM.read_text(encoding="utf-8")
    (folder / "empty.toml").write_text(re.sub(r"(?m)^area = .*", "area = 0", text))
    shown = drawn(folder, "empty.toml")
    assert {"variable velocity", "Velocity (m/s)"} <= set(shown)


def test_what_the_chromatograms_leave_out_is_said(folder: Path) -> None:
    text = SYSTEM.read_text(encoding="utf-8").replace("k_d_per_s", "k_d_per_s", 1)
    text = re.sub(r"(?m)^diffusion_m2_s = .*", "diffusion_m2_s = 1e-4", text)
    (folder / "diffusion.toml").write_text(text)
    run = inside("plot", "diffusion.toml", "--times", "none", "-o", "diffusion.svg", cwd=folder)
    expected = "gcfit: diffusion.toml: of the chromatograms: diffusion_m2_s: not used by the solver laplace\n"
    assert (run.returncode, run.stderr) == (0, expected)


def test_the_sample_is_drawn_with_the_names_of_its_system(folder: Path) -> None:
    shown = drawn(folder, SAMPLE, "--system", SYSTEM)
    assert {"1 benzene", "2 toluene", "3 ethylbenzene", "4 p,m-xylene", "5 o-xylene"} <= set(shown)


def test_a_table_is_drawn_without_a_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a fit was made")

    import gcfit.cli.pictures

    monkeypatch.setattr(gcfit.cli.pictures, "fit", refuse)
    shown = drawn(folder, "run2.csv", "--table", "peaks.csv")
    assert {"run2.csv", "fit", "1"} <= set(shown)
    assert any("1 peak ·" in text for text in shown)


def test_the_table_of_another_file_is_said_to_be(folder: Path) -> None:
    (folder / "renamed.csv").write_bytes((folder / "run1.csv").read_bytes())
    table = inside("fit", folder / "run1.csv", "--model", "gaussian").stdout
    (folder / "one.csv").write_text(table)
    run = inside("plot", "renamed.csv", "--table", "one.csv", "-o", "renamed.svg", cwd=folder)
    assert (run.returncode, run.stderr) == (0, f"gcfit: one.csv: its peaks are those of {folder}/run1.csv\n")
    assert "1" in texts(folder / "renamed.svg")


def test_a_row_without_a_curve_is_told_and_the_others_are_drawn(folder: Path) -> None:
    head, row = inside("fit", folder / "run1.csv", "--model", "laplace").stdout.splitlines()[:2]
    cells = dict(zip(head.split(","), row.split(","), strict=True))
    early = cells | {"peak": "2", "retention_time_s": "-900", "model": "laplace"}
    (folder / "two.csv").write_text("\n".join([head, row, ",".join(early.values())]) + "\n")
    run = inside("plot", "run1.csv", "--table", "two.csv", "-o", "two.svg", cwd=folder)
    assert run.returncode == 0
    assert run.stderr.startswith("gcfit: run1.csv: peak 2: no curve of the model laplace has the apex -900 s")
    assert {"1", "2 no curve"} <= set(texts(folder / "two.svg"))


def test_a_column_is_drawn_with_gas_profiles_and_both_velocities(folder: Path) -> None:
    shown = drawn(folder, SYSTEM, "--times", "40,20")
    expected = {"Pressure (kPa)", "Velocity (m/s)", "20 s", "40 s", "variable velocity", "constant velocity", "benzene"}
    assert expected <= set(shown)
    assert any(text.startswith("Concentration") for text in shown)
    without = drawn(folder, SYSTEM, "--times", "none", "--title", "no profiles", "--axis-unit", "s")
    # o-xylene leaves at 822 s at constant velocity, after the end of 650 s that the file gives
    assert "800" in without
    assert not any(text.startswith("Concentration") for text in without)
    assert "no profiles" in without


@pytest.mark.parametrize("source", ["peaks.csv", "batch", "batch/results.sqlite"])
def test_a_peak_table_gives_trends(folder: Path, source: str) -> None:
    shown = drawn(folder, source)
    assert {Path(source).name, "peak 1", "Retention (s)", "Area (mV s)", "File"} <= set(shown)


def test_quantities_and_components_are_chosen(folder: Path) -> None:
    shown = drawn(folder, "peaks.csv", "--quantity", "snr", "--component", "peak 1")
    assert not any(text.startswith("Area") for text in shown)
    assert any(text.startswith("snr") for text in shown)


def test_several_chromatograms_are_drawn_side_by_side(folder: Path) -> None:
    shown = drawn(folder, "run1.csv", "run2.csv", "--same-scale")
    assert {"run1.csv", "run2.csv"} <= set(shown)
    assert "fit" not in shown


def test_several_chromatograms_are_cut(folder: Path) -> None:
    whole = drawn(folder, "run1.csv", "run2.csv")
    cut = drawn(folder, "run1.csv", "run2.csv", "--start", "40", "--end", "60")
    assert "90" in whole
    assert "90" not in cut
    assert {"40", "60"} <= set(cut)


@pytest.mark.parametrize("source", ["system.toml", "peaks.csv", "run1.csv"])
def test_content_decides_what_stdin_is(folder: Path, tmp_path: Path, source: str) -> None:
    """Also where a folder of the name - exists."""
    (tmp_path / "-").mkdir()
    file = SYSTEM if source == "system.toml" else folder / source
    words = {"system.toml": "Pressure (kPa)", "peaks.csv": "Retention (s)", "run1.csv": "Residual (σ)"}
    run = inside("plot", "-", "-o", "a.svg", stdin=file.read_bytes(), cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert words[source] in texts(tmp_path / "a.svg")


def test_tables_and_lists_come_from_stdin(folder: Path, tmp_path: Path) -> None:
    table = (folder / "peaks.csv").read_bytes()
    run = inside("plot", folder / "run2.csv", "--table", "-", "-o", "a.svg", stdin=table, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert any("1 peak ·" in text for text in texts(tmp_path / "a.svg"))
    expected = ("--peaks", "-", "--model", "gaussian", "--columns", "name")
    run = inside("fit", folder / "run1.csv", *expected, stdin="name,retention_time_s\nthis,51\n")
    assert run.stdout == "name\nthis\n"


@pytest.mark.parametrize("suffix", STARTS)
def test_the_name_tells_the_format(folder: Path, suffix: str) -> None:
    output = folder / f"figure.{suffix}"
    assert inside("plot", folder / "peaks.csv", "-o", output).returncode == 0
    assert output.read_bytes().startswith(STARTS[suffix])


def test_a_figure_goes_to_stdout_and_a_run_comes_from_stdin(folder: Path) -> None:
    line = "cat run1.csv | gcfit plot - --model gaussian --format pdf -o - > piped.pdf"
    run = bash(line, cwd=folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert (folder / "piped.pdf").read_bytes().startswith(b"%PDF")


def test_size_and_resolution(folder: Path) -> None:
    output = folder / "small.png"
    arguments = ["--size", "12.7x10.16cm", "--dpi", "100", "--theme", "dark"]
    assert inside("plot", folder / "run1.csv", "--model", "gaussian", *arguments, "-o", output).returncode == 0
    png = output.read_bytes()
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (500, 400)


def test_parts_are_enlarged(folder: Path) -> None:
    shown = drawn(folder, "run1.csv", "--table", "peaks.csv", "--zoom", "40-60", "--zoom", "80:100")
    assert {"a", "b"} <= set(shown)


def test_parts_may_begin_before_0_or_with_a_point(folder: Path) -> None:
    lines = (folder / "run1.csv").read_text().splitlines()
    moved = [f"{float(line.split(',')[0]) - 60:.1f},{line.split(',')[1]}" for line in lines[1:]]
    (folder / "early.csv").write_text("\n".join([lines[0], *moved]) + "\n")
    parts = ("--zoom=-20--.5", "--zoom", ".5-40", "--zoom=-30:+5.")
    shown = drawn(folder, "early.csv", "--model", "gaussian", *parts)
    assert {"a", "b", "c"} <= set(shown)


def test_the_format_of_tables_is_not_that_of_figures(folder: Path) -> None:
    def begin(env: dict[str, str]) -> str:
        return bash("gcfit plot peaks.csv -o - | head -c 4", cwd=folder, env=env).stdout

    assert begin({"GCFIT_FORMAT": "json", "GCFIT_PLOT_FORMAT": "pdf"}) == "%PDF"
    assert inside("plot", "peaks.csv", "-o", "a.svg", cwd=folder, env={"GCFIT_FORMAT": "json"}).returncode == 0


def test_the_axis_unit_is_not_that_of_the_file(folder: Path) -> None:
    assert "Time (min)" in drawn(folder, "run1.csv", "--table", "peaks.csv", "--axis-unit", "min")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run1.csv"], 2, "Missing option '-o' / '--output'"),
        (["run1.csv", "-o", "a.xls"], 2, "a.xls: is no figure format: 'xls'; use one of png, svg, pdf"),
        (["none.csv", "-o", "a.png"], 1, "none.csv"),
        (["run1.csv", "--size", "7", "-o", "a.png"], 2, "'7' is not a size; write 7x5 (inches) or 18x12cm."),
        (["run1.csv", "--size", "0x5", "-o", "a.png"], 2, "'0x5' is not a size"),
        (["run1.csv", "--zoom", "5", "-o", "a.png"], 2, "'5' is not auto, none or a part START-END in seconds."),
        (["run1.csv", "--zoom", "9-5", "-o", "a.png"], 2, "'9-5' is not auto, none or a part START-END in seconds."),
        (["none.sqlite", "-o", "a.png"], 1, "none.sqlite: no such file; give a peak table or the folder of a batch"),
        (["run1.csv", "--table", "none.csv", "-o", "a.png"], 1, "none.csv: no such file; give a peak table or"),
        (["run1.csv", "--table", ".", "-o", "a.png"], 1, ".: is a folder without results.sqlite; give a peak table"),
        (["run1.csv", "--dpi", "0.01", "-o", "a.png"], 2, "0.01 is below 10."),
        (["run1.csv", "--dpi", "100000", "-o", "a.png"], 2, "100000 is above 1200."),
        (["run1.csv", "--size", "1200x800", "-o", "a.png"], 2, "'1200x800' is 1200 x 800 inches; a side is from 1 to"),
        (["run1.csv", "--size", "90x90", "-o", "a.png"], 2, "at --dpi 150 are 182 million pixels; the limit is 100"),
        (["run1.csv", "--encoding", "foo", "-o", "a.png"], 2, "unknown encoding 'foo'"),
        (["run1.csv", "--model", "foo", "-o", "a.png"], 2, "peak model 'foo' is not known"),
        (["peaks.csv", "--quantity", "foo", "-o", "a.png"], 2, "'foo' is not one of peak, retention_time_s"),
        (["peaks.csv", "--table", "none", "-o", "a.png"], 2, "--table is not for a peak table."),
        (["peaks.csv", "--axis-unit", "s", "-o", "a.png"], 2, "--axis-unit is not for a peak table."),
        ([SYSTEM, "--zoom", "1-2", "-o", "a.png"], 2, "--zoom is not for a system file."),
        ([SYSTEM, "--quantity", "area", "-o", "a.png"], 2, "--quantity is not for a system file."),
        (["run1.csv", "--times", "20", "-o", "a.png"], 2, "--times is not for a chromatogram."),
        (["run1.csv", "--same-scale", "-o", "a.png"], 2, "--same-scale is not for a chromatogram."),
        (
            ["run1.csv", "--table", "peaks.csv", "--model", "emg", "-o", "a.png"],
            2,
            "--model is not for a chromatogram whose peaks a table gives.",
        ),
        (["run1.csv", "run2.csv", "--model", "emg", "-o", "a.png"], 2, "--model is not for several chromatograms."),
        (["run1.csv", "run2.csv", "--start", "500", "-o", "a.png"], 1, "only 0 points between start and end; the run"),
        (["-", "--table", "-", "-o", "a.png"], 2, "FILES and --table cannot both be -, there is one stdin."),
        (["run1.csv", "--times", "a", "-o", "a.png"], 2, "'a' is not none or a list of times above 0 such as 50,100."),
        (["run1.csv", "--zoom", "500-600", "--table", "peaks.csv", "-o", "a.png"], 1, "holds no data"),
        (["run1.csv", "--size", "7x1", "--table", "peaks.csv", "-o", "a.png"], 1, "has no room for its panels"),
        (["run1.csv", "peaks.csv", "-o", "a.png"], 1, "several files, and not all are chromatograms"),
        (["peaks.csv", "--component", "x", "-o", "a.png"], 1, "component 'x' is not in the table; there are peak 1"),
        (["run1.csv", "--table", "run2.csv", "-o", "a.png"], 1, "run2.csv: column file is missing"),
        (["run1.csv", "--model", "gaussian", "-o", "none/a.png"], 1, "none/a.png: cannot be written"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(
    folder: Path, tmp_path: Path, arguments: list[str | Path], code: int, message: str
) -> None:
    for name in ("run1.csv", "run2.csv", "peaks.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    run = inside("plot", *arguments, cwd=tmp_path)
    assert run.returncode == code
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""
    assert not (tmp_path / "a.png").exists()


def test_an_unknown_format_is_refused_before_the_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gcfit.cli.pictures

    monkeypatch.setattr(gcfit.cli.pictures, "picture", None)
    assert inside("plot", folder / "run1.csv", "-o", folder / "a.bmp").returncode == 2


def test_help_begins_with_examples_and_loads_no_matplotlib() -> None:
    run = gcfit("plot", "--help")
    assert run.stdout.split("\n")[2].strip() == "gcfit plot run.csv --system column.toml -o run.png"
    assert run.returncode == 0


def test_tables_are_known_by_their_columns(folder: Path, tmp_path: Path) -> None:
    assert is_peak_table(str(folder / "peaks.csv"))
    assert is_peak_table(str(folder / "batch"))
    assert not is_peak_table(str(folder / "run1.csv"))
    assert not is_peak_table(str(tmp_path))


def test_a_european_table_is_read_like_an_english_one(folder: Path, tmp_path: Path) -> None:
    english = read_peak_table(str(folder / "peaks.csv"))
    run = inside("fit", folder / "run1.csv", folder / "run2.csv", "--model", "gaussian", "--decimal-comma", "--bom")
    (tmp_path / "european.csv").write_text(run.stdout, encoding="utf-8")
    assert read_peak_table(str(tmp_path / "european.csv")) == english
    assert [row["peak"] for row in english] == [1, 1]
    assert isinstance(english[0]["area"], float)
    assert english[0]["k_a_per_s"] is None


def test_table_and_store_hold_the_same_rows(folder: Path) -> None:
    stored, written = read_peak_table(str(folder / "batch")), read_peak_table(str(folder / "peaks.csv"))
    for one, other in zip(stored, written, strict=True):
        kept = {name: value for name, value in one.items() if value not in (None, "")}
        assert kept == {name: value for name, value in other.items() if value not in (None, "")}


def test_a_quoted_formula_is_read_as_the_text_that_it_was(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,trace,peak,name,status,area\n'=a.csv,,1,'+b,ok,1.5\n\n'c,,2,,ok,\n")
    rows = read_peak_table(str(path))
    assert [(row["file"], row["name"], row["area"]) for row in rows] == [("=a.csv", "+b", 1.5), ("'c", "", None)]


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,trace,peak,name,status,area\na,,1,,ok,1.5\na,,2,,ok,many\n")
    with pytest.raises(InputError, match=r"t\.csv: line 3, column area: 'many' is not a number"):
        read_peak_table(str(path))


BAD_CELLS = [
    ("peak", "inf", "is inf; it must be from -1e+100 to 1e+100"),
    ("fwhm_s", "0", "is 0; it must be from 0.001 to 1e+07"),
    ("tail_s", "-4", "is -4; it must be from 0 to 10000"),
    ("retention_time_s", "inf", "is inf; it must be from -1e+07 to 1e+07"),
    ("k_d_per_s", "1e300", "is 1e+300; it must be from -1e+100 to 1e+100"),
    ("site_k_d_per_s", "-1", "is -1; it must be from 0 to 1e+09"),
    ("area", "nan", "'nan' is not a number"),
]


@pytest.mark.parametrize(("column", "cell", "found"), BAD_CELLS)
def test_a_cell_out_of_scale_is_named(folder: Path, column: str, cell: str, found: str) -> None:
    head, *rows = (folder / "peaks.csv").read_text().splitlines()
    cells = dict(zip(head.split(","), rows[1].split(","), strict=True)) | {column: cell}
    (folder / "bad.csv").write_text("\n".join([head, rows[0], ",".join(cells.values())]) + "\n")
    for arguments in (["bad.csv"], ["run2.csv", "--table", "bad.csv"]):
        run = inside("plot", *arguments, "-o", "bad.png", cwd=folder)
        assert (run.returncode, run.stderr) == (1, f"gcfit: bad.csv: line 3, column {column}: {found}\n")


def test_a_cell_that_is_too_long_is_one_line(folder: Path) -> None:
    (folder / "long.csv").write_text(f"{HEAD}\n{'x' * 140_000}\n")
    (folder / "list.csv").write_text(f"name,retention_time_s\na,5\n{'x' * 140_000},7\n")
    line = "is no row of a table: field larger than field limit (131072)"
    run = inside("plot", "long.csv", "-o", "bad.png", cwd=folder)
    assert (run.returncode, run.stderr) == (1, f"gcfit: long.csv: line 2: {line}\n")
    run = inside("fit", "run1.csv", "--peaks", "list.csv", cwd=folder)
    assert (run.returncode, run.stderr) == (1, f"gcfit: list.csv: line 3: {line}\n")


def test_a_curve_that_takes_too_long_is_told_like_one_that_is_not_found(folder: Path) -> None:
    head, row = inside("fit", folder / "run1.csv", "--model", "laplace+tail").stdout.splitlines()[:2]
    cells = dict(zip(head.split(","), row.split(","), strict=True)) | {"tail_s": "1e4", "fwhm_s": "1e-3"}
    (folder / "wide.csv").write_text("\n".join([head, ",".join(cells.values())]) + "\n")
    run = inside("plot", "run1.csv", "--table", "wide.csv", "-o", "bad.png", cwd=folder)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1


def test_rows_belong_to_a_run_by_path_name_or_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["/x/a.csv,,1,,ok", "/y/a.csv,,1,,ok", "/y/b.csv,FID,1,,ok", "/y/b.csv,TCD,1,,ok"]
    path.write_text("file,trace,peak,name,status\n" + "\n".join(lines) + "\n")

    def found(source: str, trace: str = "") -> list[tuple[object, object]]:
        run = Chromatogram(np.arange(5.0), np.arange(5.0), source=source, trace=trace)
        return [(row["file"], row["trace"]) for row in rows_of(run, str(path))]

    assert found("/y/a.csv") == [("/y/a.csv", "")]
    assert found("elsewhere/b.csv", "TCD") == [("/y/b.csv", "TCD")]
    with pytest.raises(InputError, match=r"has no peaks of c\.csv; give the table of this chromatogram"):
        found("c.csv")
    path.write_text("file,trace,peak,name,status\n-,,1,,ok\n")
    assert found("c.csv") == [("-", "")]


def test_a_damaged_store_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    path.write_bytes(b"no database at all" * 100)
    run = inside("plot", path, "-o", tmp_path / "a.png")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert str(path) in run.stderr
    empty = tmp_path / "other.sqlite"
    sqlite3.connect(empty).close()
    assert inside("plot", empty, "-o", tmp_path / "a.png").returncode == 1
