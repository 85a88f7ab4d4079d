"""Peak detection: what must be found, what must not, and how well place, width and height are told."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from gcfit.fitting.detect import Candidate, find_peaks
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.records import Polarity
from tests.fitting.shapes import SIX, TIME, autoregressive, emg, filtered, forest, gaussian, pairs, six, white
from tests.realdata import real_data_folder

FIVE_TAILS = ((66.0, 2.0, 2.0), (90.0, 2.5, 3.0), (130.0, 3.0, 4.0), (200.0, 4.0, 2.0), (320.0, 5.0, 3.0))


def detect(
    time: np.ndarray, signal: np.ndarray, polarity: Polarity = "positive", min_snr: float = 5
) -> tuple[Candidate, ...]:
    noise = estimate_noise(time, signal)
    return find_peaks(time, signal, noise, polarity=polarity, min_snr=min_snr)


def assert_found(candidates: Sequence[Candidate], apexes: Sequence[float], sigmas: Sequence[float]) -> None:
    """All peaks, within half a width, and no others."""
    found = [round(candidate.apex_time, 2) for candidate in candidates]
    assert len(found) == len(apexes), found
    assert found == sorted(found)
    assert np.all(np.abs(np.array(found) - apexes) < 0.5 * np.array(sigmas))


@pytest.mark.parametrize("seed", range(10))
def test_six_peaks_on_a_drift(seed: int) -> None:
    candidates = detect(TIME, six() + 0.08 * white(seed))
    assert_found(candidates, [apex for apex, _, _ in SIX], [sigma for _, sigma, _ in SIX])
    for candidate, (apex, sigma, height) in zip(candidates, SIX, strict=True):
        assert candidate.apex_time == pytest.approx(apex, abs=0.1)  # one sample
        assert candidate.sigma == pytest.approx(sigma, rel=0.06)
        assert candidate.height == pytest.approx(height, rel=0.05)
        assert candidate.snr == pytest.approx(candidate.height / 0.08, rel=0.05)
        # half width at half height of a Gaussian
        assert candidate.left_half_width == pytest.approx(np.sqrt(2 * np.log(2)) * sigma, rel=0.06)
        assert candidate.right_half_width == pytest.approx(np.sqrt(2 * np.log(2)) * sigma, rel=0.06)
        assert not candidate.shoulder
        assert not candidate.saturated
        assert candidate.sign == 1
        assert candidate.significance > 50


@pytest.mark.parametrize("seed", range(10))
def test_pairs_closer_than_the_eye_can_part(seed: int) -> None:
    time, signal, apexes = pairs()
    candidates = detect(time, signal + 0.01 * white(seed, time.size))
    assert_found(candidates, apexes, [apex / np.sqrt(2e4) for apex in apexes])
    assert candidates[5].shoulder  # resolution 0.6, a third of the height: no maximum of its own
    assert not any(candidates[i].shoulder for i in (0, 1, 4, 6, 7, 9))


@pytest.mark.parametrize("seed", range(3))
def test_a_forest_of_a_hundred(seed: int) -> None:
    time, signal, apexes = forest(seed)
    candidates = detect(time, signal + 0.01 * white(seed, time.size))
    assert_found(candidates, apexes, [apex / np.sqrt(5e4) for apex in apexes])


@pytest.mark.parametrize("seed", range(5))
def test_tails_are_not_split(seed: int) -> None:
    signal = 1.0 + sum(emg(TIME, mean, sigma, tail, 500.0) for mean, sigma, tail in FIVE_TAILS)
    candidates = detect(TIME, signal + 0.05 * white(seed))
    assert len(candidates) == 5
    for candidate, (mean, sigma, tail) in zip(candidates, FIVE_TAILS, strict=True):
        near = TIME[np.abs(TIME - mean) < 20]
        apex = near[np.argmax(emg(near, mean, sigma, tail, 1.0))]
        assert candidate.apex_time == pytest.approx(apex, abs=0.15 * sigma)


@pytest.mark.parametrize("tail", [1.0, 4.0, 10.0])
def test_half_widths_tell_the_asymmetry(tail: float) -> None:
    signal = emg(TIME, 200.0, 2.0, tail, 1000.0)
    (candidate,) = detect(TIME, signal + 0.001 * signal.max() * white(1))
    fine = np.arange(150.0, 300.0, 0.001)
    shape = emg(fine, 200.0, 2.0, tail, 1000.0)
    above = fine[shape >= shape.max() / 2]
    apex = fine[np.argmax(shape)]
    assert candidate.left_half_width == pytest.approx(apex - above[0], rel=0.05)
    assert candidate.right_half_width == pytest.approx(above[-1] - apex, rel=0.05)


@pytest.mark.parametrize("noise", ["white", "0.7", "boxcar", "counts"])
@pytest.mark.parametrize("points", [5000, 40_000])
def test_no_peaks_in_noise(noise: str, points: int) -> None:
    false = 0
    for seed in range(20 if points == 5000 else 4):
        signal = {
            "white": lambda s=seed: white(s, points),
            "0.7": lambda s=seed: autoregressive(s, 0.7, points),
            "boxcar": lambda s=seed: filtered(s, np.ones(5), points),
            "counts": lambda s=seed: np.rint(white(s, points)),
        }[noise]()
        false += len(detect(np.arange(points) * 0.1, signal, "both"))
    assert false == 0


@pytest.mark.slow
def test_false_peaks_in_white_noise_are_below_one_in_a_hundred_runs() -> None:
    assert sum(bool(detect(TIME, white(1000 + seed), "both")) for seed in range(400)) <= 4


def test_weak_peaks_are_found_down_to_the_asked_height() -> None:
    hits = {4.0: 0, 8.0: 0}
    for height in hits:
        for seed in range(20):
            candidates = detect(TIME, gaussian(TIME, 250, 2.0, height) + white(seed), min_snr=6)
            hits[height] += any(abs(candidate.apex_time - 250) < 2 for candidate in candidates)
    assert hits[8.0] == 20
    assert hits[4.0] <= 4
    assert detect(TIME, gaussian(TIME, 250, 2.0, 4.0) + white(3), min_snr=2)


def test_a_rider_on_a_solvent_tail_is_found() -> None:
    signal = 1e4 * np.exp(-TIME / 20) + gaussian(TIME, 80, 1.0, 50.0) + gaussian(TIME, 200, 2.0, 20.0) + white(1)
    assert_found(detect(TIME, signal), [80.0, 200.0], [1.0, 2.0])


NOT_PEAKS = {
    "step": 100.0 * (TIME > 200),
    "step down": -100.0 * (TIME > 200),
    "ramp": 3.0 * TIME,
    "parabola": TIME**2 / 100,
    "hyperbola": np.hypot(TIME - 250, 30.0),
    "spike": 60.0 * (np.arange(TIME.size) == 3300),
    "double spike": 60.0 * np.isin(np.arange(TIME.size), (3300, 3301)),
    "negative spike": -60.0 * (np.arange(TIME.size) == 3300),
    "dip": -gaussian(TIME, 250, 3, 100.0),
    "two dips": -gaussian(TIME, 150, 3, 100.0) - gaussian(TIME, 170, 3, 50.0),
    "bleed": 50 / (1 + np.exp(-(TIME - 350) / 40)),
    "tail of a peak before the start": 500 * np.exp(-TIME / 15),
    "apex after the end": gaussian(TIME, 505, 3, 100.0),
}


@pytest.mark.parametrize("kind", NOT_PEAKS)
@pytest.mark.parametrize("seed", range(5))
def test_what_is_not_a_peak(kind: str, seed: int) -> None:
    assert detect(TIME, NOT_PEAKS[kind] + white(seed)) == ()


def test_peaks_beside_steps_dips_and_spikes_are_found() -> None:
    signal = sum(NOT_PEAKS[kind] for kind in ("step", "spike", "bleed")) - gaussian(TIME, 380, 3, 80.0) + white(2)
    signal = signal + gaussian(TIME, 120, 2, 60.0) + gaussian(TIME, 260, 2, 60.0) + gaussian(TIME, 450, 2, 60.0)
    assert_found(detect(TIME, signal), [120.0, 260.0, 450.0], [2.0] * 3)
    (dip,) = detect(TIME, signal, "negative")
    assert dip.apex_time == pytest.approx(380, abs=0.5)
    assert dip.sign == -1
    assert dip.height == pytest.approx(80, rel=0.1)
    both = detect(TIME, signal, "both")
    assert [candidate.sign for candidate in both] == [1, 1, -1, 1]


def test_valleys_between_positive_peaks_are_not_negative_peaks() -> None:
    time, signal, apexes = pairs()
    candidates = detect(time, signal + 0.01 * white(1, time.size), "both")
    assert_found(candidates, apexes, [apex / np.sqrt(2e4) for apex in apexes])


def test_small_peaks_in_the_valleys_of_crowds_are_found() -> None:
    time, seen, lost = np.arange(0.0, 1500.0, 0.1), 0, []
    for seed in range(8):
        random = np.random.default_rng(seed)
        peaks = zip(300 + np.cumsum(random.uniform(5, 9, 40)), 10 ** random.uniform(0.5, 2.3, 40), strict=True)
        signal = sum(gaussian(time, apex, 2.0, height) for apex, height in peaks)
        maxima, _ = scipy.signal.find_peaks(signal, prominence=1.0)
        found = np.array([candidate.apex_time for candidate in detect(time, signal + 0.05 * white(seed, time.size))])
        seen += maxima.size
        lost += [(seed, apex) for apex in time[maxima] if np.abs(found - apex).min() > 1]
    assert seen > 200
    # where the signal comes back to the level of a peak beyond a valley, by chance, that is a rim of a dip
    assert len(lost) <= 1


def test_the_first_of_some_peaks_that_stand_on_its_tail_is_as_wide_as_it_is_itself() -> None:
    time = np.arange(0.0, 500.0, 0.5)
    riders = gaussian(time, 107.5, 1.0, 20.0) + gaussian(time, 111, 2.0, 40.0) + gaussian(time, 119, 3.0, 80.0)
    signal = emg(time, 100, 1.2, 12.0, 1920.0) + riders + 0.05 * white(1, time.size)
    first, *others = detect(time, signal)
    assert [round(candidate.apex_time) for candidate in others] == [108, 110, 119]
    assert first.sigma < 2


@pytest.mark.parametrize("seed", range(3))
def test_the_mirrored_trace_has_the_mirrored_peaks(seed: int) -> None:
    signal = six() + 0.08 * white(seed)
    up, down = detect(TIME, signal), detect(TIME, -signal, "negative")
    assert [candidate.apex_time for candidate in down] == pytest.approx([candidate.apex_time for candidate in up])
    assert [candidate.height for candidate in down] == pytest.approx([candidate.height for candidate in up])
    assert {candidate.sign for candidate in down} == {-1}
    assert detect(TIME, -signal) == ()


@pytest.mark.parametrize("cut", [30.0, 60.0, 90.0])
def test_a_saturated_peak_is_one_peak_and_flagged(cut: float) -> None:
    signal = np.minimum(gaussian(TIME, 250, 5, 100.0) + 0.1 * white(1), cut)
    (candidate,) = detect(TIME, signal)
    assert candidate.saturated
    assert candidate.apex_time == pytest.approx(250, abs=1.0)


def test_a_quantised_round_top_is_not_saturated() -> None:
    signal = np.rint(gaussian(TIME, 250, 8, 200.0) + 0.2 * white(1))
    (candidate,) = detect(TIME, signal)
    assert not candidate.saturated


@pytest.mark.parametrize("apex", [4.0, 496.0])
def test_a_peak_cut_by_an_end_of_the_run(apex: float) -> None:
    candidates = detect(TIME, gaussian(TIME, apex, 3.0, 100.0) + white(1))
    assert len(candidates) == 1
    assert candidates[0].apex_time == pytest.approx(apex, abs=0.5)


@settings(max_examples=15, deadline=None)
@given(
    stretch=st.sampled_from([1e-3, 1 / 60, 1.0, 60.0]),
    shift=st.floats(-1e4, 1e4),
    scale=st.sampled_from([1e-30, 1e-3, 1.0, 1e30]),
    offset=st.floats(-50, 50),
)
def test_units_and_origins_do_not_matter(stretch: float, shift: float, scale: float, offset: float) -> None:
    signal = six() + 0.08 * white(7)
    plain = detect(TIME, signal)
    moved = detect(stretch * TIME + stretch * shift, scale * (signal + offset))
    assert len(moved) == len(plain)
    for a, b in zip(plain, moved, strict=True):
        assert b.apex_time == pytest.approx(stretch * (a.apex_time + shift), abs=1e-3 * stretch)
        assert b.sigma == pytest.approx(stretch * a.sigma, rel=1e-3)
        assert b.height == pytest.approx(scale * a.height, rel=1e-3)
        assert (b.shoulder, b.sign) == (a.shoulder, a.sign)


def test_uneven_times() -> None:
    random = np.random.default_rng(3)
    scattered = np.sort(random.uniform(0, 500, 5000))
    two_rates = np.concatenate([np.arange(0, 100, 1.0), np.arange(100, 500, 0.1)])
    gap = np.concatenate([TIME[TIME < 200], TIME[TIME > 300]])
    for time in (scattered, two_rates, gap):
        signal = gaussian(time, 50, 3, 100.0) + gaussian(time, 350, 3, 100.0) + white(1, time.size)
        assert_found(detect(time, signal), [50.0, 350.0], [3.0, 3.0])


@pytest.mark.parametrize("points", [3, 4, 5, 6, 8, 12, 20])
@pytest.mark.parametrize("kind", ["noise", "ramp", "constant", "peak"])
def test_a_handful_of_points(points: int, kind: str) -> None:
    time = np.arange(points, dtype=float)
    signal = {
        "noise": white(1, points),
        "ramp": 0.1 * time,
        "constant": np.full(points, 3.3),
        "peak": gaussian(time, points / 2, 1.0, 100.0),
    }[kind]
    candidates = detect(time, signal, "both")
    assert all(np.isfinite([candidate.apex_time, candidate.height, candidate.sigma]).all() for candidate in candidates)
    if kind != "peak":
        assert candidates == ()


def test_a_trace_without_noise() -> None:
    candidates = detect(TIME, 3935.4 + sum(gaussian(TIME, *peak) for peak in SIX))
    assert_found(candidates, [apex for apex, _, _ in SIX], [sigma for _, sigma, _ in SIX])


def test_the_arrays_are_not_written_to() -> None:
    time, signal = TIME.copy(), six() + 0.08 * white(1)
    signal[300] += 50
    time.flags.writeable = signal.flags.writeable = False
    assert len(detect(time, signal)) == 6


def columns(name: str) -> tuple[np.ndarray, np.ndarray]:
    table = np.loadtxt(real_data_folder() / "derived" / name, delimiter=",", skiprows=1)
    return table[:, 0], table[:, 1]


@pytest.mark.real_data
def test_the_thirteen_solvents_at_their_highest_points() -> None:
    time, signal = columns("openchrom__SOLV001.CDF.csv")
    candidates = detect(time, signal)
    # vendor retention times, openchrom__SOLV001.CDF.peaks.csv; they lie 0.3 to 0.7 s after the highest points
    vendor = [23.84, 68.53, 172.07, 216.72, 250.84, 262.36, 271.71, 298.35, 308.62, 343.91, 447.89, 514.51, 547.30]
    assert len(candidates) == 13
    for candidate, retention in zip(candidates, vendor, strict=True):
        near = np.abs(time - retention) < 2
        highest = time[near][np.argmax(signal[near])]
        assert candidate.apex_time == pytest.approx(highest, abs=0.5)  # one sampling step


@pytest.mark.real_data
def test_a_blank_run_has_no_peaks() -> None:
    path = real_data_folder() / "chromstream" / "format_3.txt"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8-sig").splitlines()]
    pairs_ = [(row[0], row[2]) for row in rows if len(row) == 3 and row[0][:1].isdigit()]
    table = np.array([[float(cell.replace(",", ".")) for cell in row] for row in pairs_])
    assert table.shape == (42000, 2)
    assert detect(60 * table[:, 0], table[:, 1]) == ()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "minutes", "vendor"),
    [
        # vendor retention times [s] of the peaks above 1 % of the area, from the *.peaks.csv beside each file
        ("netcdf-gcms__agilent-hplc.cdf.csv", False, "netcdf-gcms__agilent-hplc.cdf.peaks.csv"),
        ("openchrom__VARIAN1.CDF.csv", False, "openchrom__VARIAN1.CDF.peaks.csv"),
        ("openchrom__SHIMADZU.CDF.csv", False, "openchrom__SHIMADZU.CDF.peaks.csv"),
        ("openchrom__CLASSVP.CDF.csv", True, "openchrom__CLASSVP.CDF.peaks.csv"),
    ],
)
def test_every_vendor_peak_above_one_percent_is_found(name: str, minutes: bool, vendor: str) -> None:
    time, signal = columns(name)
    table = np.genfromtxt(real_data_folder() / "derived" / vendor, delimiter=",", names=True, usecols=None)
    large = table["peak_area"] > 0.01 * table["peak_area"].sum()
    found = np.array([candidate.apex_time for candidate in detect(time, signal)]) * 1.0
    scale = 60.0 if minutes and table["peak_retention_time"].max() > time[-1] else 1.0
    for retention in table["peak_retention_time"][large] / scale:
        assert np.abs(found - retention).min() <= 1.01 * np.median(np.diff(time))
