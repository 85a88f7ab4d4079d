"""What no file of chromatograms holds is refused, each bound at its edge; the bounds are lowered for the samples."""

from pathlib import Path

import pytest

from gcfit.errors import InputError
from gcfit.formats import clean, jcamp, pieces, read_file, reports, xmltree
from tests.formats.samples import REPORTS, SAMPLES, write
from tests.formats.test_reports import traces_of

COLUMNS = b"t_s,a,b\n" + b"".join(b"%d,1,2\n" % i for i in range(30))
BLOCKS = b"".join(b"h%d\n" % k + b"".join(b"%d,1\n" % i for i in range(30)) for k in (1, 2))
MORE = {"columns": COLUMNS, "blocks": BLOCKS}

# module, name of the bound, sample, how many of the thing the sample holds, what is said where one less is allowed
BOUNDS = [
    (pieces, "_MOST_SECTIONS", "shimadzu", 6, "more than 5 lines such as '[LC Status Trace(Oven Temp.)]'"),
    (pieces, "MOST_PEAKS", "shimadzu", 2, "a peak table of more than 1 rows"),
    (pieces, "MOST_PEAKS", "fusion", 1, "a peak table of more than 0 rows"),
    (pieces, "MOST_PEAKS", "gaml", 2, "a peak table of more than 1 rows"),
    (pieces, "MOST_PEAKS", "andi", 2, "a peak table of more than 1 rows"),
    (clean, "MOST_TRACES", "shimadzu", 2, "holds 2 traces, more than the 1"),
    (clean, "MOST_TRACES", "masshunter", 4, "holds 4 traces, more than the 3"),
    (clean, "MOST_TRACES", "wavelengths", 2, "holds 2 traces, more than the 1"),
    (clean, "MOST_TRACES", "columns", 2, "holds 2 traces, more than the 1"),
    (clean, "MOST_TRACES", "blocks", 2, "holds 2 traces, more than the 1"),
    (jcamp, "_MOST_RECORDS", "jcamp pairs", 12, "more than 11 labels"),
    (xmltree, "_MOST", "gaml", 17, "more than 16 elements"),
]


@pytest.mark.parametrize(
    ("module", "bound", "sample", "count", "said"), BOUNDS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_bounds(
    module: object, bound: str, sample: str, count: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "run", MORE.get(sample) or SAMPLES[sample][1])
    monkeypatch.setattr(module, bound, count)
    assert read_file(path).chromatograms
    monkeypatch.setattr(module, bound, count - 1)
    with pytest.raises(InputError) as caught:
        read_file(path)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_of_too_many_rows_costs_no_trace(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, name, REPORTS[name])
    traces = traces_of("FID1A", "TCD2B", "TIC")
    assert reports.peaks_beside(tmp_path, traces)[2] == ()
    monkeypatch.setattr(pieces, "MOST_PEAKS", 0)
    peaks, notes, (warning,) = reports.peaks_beside(tmp_path, traces)
    assert (peaks, notes) == ((), ())
    assert f"{name}: a peak table of more than 0 rows" in warning
