"""The noise of a trace: its size, and how far neighbouring points share it.

The trace is cut into blocks, a low polynomial is taken out of each, and the blocks whose scatter belongs to the
quietest population are kept: they hold no peak. Their autocovariances, freed of what the polynomial took, feed an
autoregressive model whose order the Bayesian information criterion chooses (white noise is order 0).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.quantiles import amid, between
from gcfit.fitting.quantised import padding, quantisation_step
from gcfit.fitting.records import Noise

Mask = NDArray[np.bool_]

SHORT_FORM = (16, 4)  # length of a block and degree of the polynomial taken out of it
LONG_FORMS = ((32, 4), (64, 4), (128, 2))
CALM = 10.0  # times the median variance of the calm short blocks
CALM_PART = 0.75  # of a long block
ROUNDS = 20
ENOUGH_POINTS = 20_000
NEXT_DEGREES = 3
CHI2_3_QUANTILE_30 = 0.4746  # of the mean of three squares of normal numbers
CHI2_3_QUANTILE_99_MEAN = 3.782
CHI2_3_QUANTILE_99 = 11.34  # of their sum
PENALTY = 0.3  # on far lags, which the polynomial leaves ill determined
RIDGE = 1e-3  # white part of the variance that keeps the recursion for very smooth noise stable
MAX_ORDER = 12  # of the autoregressive model
LOW_ORDER = 1  # above it the noise is smoothed rather than autoregressive: the measured function serves better
MIN_BLOCKS = 4
QUIET_QUANTILE = 0.1  # the quietest tenth of the blocks is taken to be free of peaks
CLUSTER_WIDTH = 3.5  # in standard deviations of a block's variance


def estimate_noise(time: Array, signal: Array) -> Noise:
    """Return the noise of a trace, whatever peaks, drift, steps, spikes and padding it holds.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Times [s]. The noise belongs to the points, so only their order counts.
    signal : ndarray, shape (n,)
        Detector signal.

    Returns
    -------
    Noise
        `deviation` of one point [signal unit], `acf` from lag 0, `step` of the quantisation; deviation 0 for a
        constant signal.
    """
    step = quantisation_step(signal)
    live = signal[~padding(signal, step)] if signal.size > SHORT_FORM[0] else signal
    y = live - amid(live) if live.size else live
    scale = float(np.abs(y).max(initial=0.0))
    if scale == 0.0:
        return Noise(0.0)
    y = y / scale
    chosen = _quietest(y, step / scale)
    if chosen is None:
        return Noise(max(_from_differences(y) * scale, step / np.sqrt(12)), step=step)
    variance, acf = _acf(chosen)
    deviation = max(float(np.sqrt(variance)) * scale, step / np.sqrt(12))
    possible = _with_positive_spectrum(acf)
    return Noise(deviation, float(acf[1]), acf=tuple(float(r) for r in possible), step=step)


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of one length after a polynomial of the given degree was taken out of each.

    `covariance`, shape (blocks, lags + 1), are the autocovariances within a block, `slow`, shape (blocks,), the mean
    square of the next `NEXT_DEGREES` polynomial coefficients: where the flank of a peak shows first.
    """

    length: int
    degree: int
    covariance: Array
    slow: Array

    @property
    def points(self) -> int:
        """Points in all blocks."""
        return len(self.covariance) * self.length

    def only(self, keep: Mask | NDArray[np.intp]) -> "Blocks":
        """Return some of the blocks."""
        return Blocks(self.length, self.degree, self.covariance[keep], self.slow[keep])


def _quietest(y: Array, step: float) -> Blocks | None:
    """Return the quiet blocks of the length that leaves most to learn from: many points, in long blocks.

    A long block is looked at only when most of the short ones within it are calm, so that the flanks of wide peaks
    cannot pass for smooth noise.
    """
    y = _thinned(y)
    length, degree = SHORT_FORM
    if y.size < MIN_BLOCKS * length:
        return None
    short = autocovariances(y, length, degree)
    calm = short.covariance[:, 0] <= _population(np.sort(short.covariance[:, 0]), step**2 / 12, lambda count: CALM)
    best, most = None, 0.0
    for length, degree in (*reversed(LONG_FORMS), SHORT_FORM):
        whole = y[: y.size // length * length].reshape(-1, length)
        if length > short.length:
            inside = calm[: whole.size // short.length].reshape(len(whole), length // short.length)
            whole = whole[inside.mean(axis=1) >= CALM_PART]
        # not even if all of them were quiet
        if _worth(length, degree, len(whole)) < most:
            continue
        blocks = autocovariances(whole.ravel(), length, degree) if length > short.length else short
        quiet = blocks.only(quiet_mask(blocks, step))
        worth = _worth(length, degree, len(quiet.slow))
        if 0 < worth >= most:
            best, most = quiet, worth
    return best


def _worth(length: int, degree: int, count: int) -> float:
    """What so many blocks tell: their points, less those that the polynomials take, and more the longer they are."""
    return (length - degree) * count * float(np.sqrt(length)) if count >= MIN_BLOCKS else 0.0


def _thinned(y: Array) -> Array:
    """Return pieces of a long trace, evenly spread, that tell enough about its noise."""
    piece = LONG_FORMS[-1][0]
    return (
        y[: y.size // piece * piece].reshape(-1, piece)[:: y.size // ENOUGH_POINTS].ravel()
        if y.size >= 2 * ENOUGH_POINTS
        else y
    )


def autocovariances(y: Array, length: int, degree: int) -> Blocks:
    """Cut a trace into blocks, take a polynomial out of each and return their autocovariances."""
    residual, coefficients = _residuals(y, length, degree)
    lags = length // 4
    further = np.zeros((len(residual), length + lags))
    further[:, :length] = residual
    # [block, lag, point] is the point so many lags on in its block, zero behind its end
    later = np.ndarray((len(residual), lags + 1, length), strides=(further.strides[0], 8, 8), buffer=further)
    covariance = np.einsum("bkl,bl->bk", later, residual) / (length - np.arange(lags + 1))
    slow = coefficients[:, degree + 1 :]
    return Blocks(length, degree, covariance, np.einsum("bd,bd->b", slow, slow) / NEXT_DEGREES)


def block_variances(y: Array, length: int, degree: int) -> Array:
    """Return the mean squares within the blocks of a trace after a polynomial was taken out of each."""
    residual, _ = _residuals(y, length, degree)
    return np.asarray(np.einsum("bl,bl->b", residual, residual) / length)


def _residuals(y: Array, length: int, degree: int) -> tuple[Array, Array]:
    """Return what polynomials leave of the blocks, shape (blocks, length), and their coefficients."""
    blocks = y[: y.size // length * length].reshape(-1, length)
    basis = _basis(length, degree + NEXT_DEGREES)
    coefficients = blocks @ basis
    return blocks - coefficients[:, : degree + 1] @ basis[:, : degree + 1].T, coefficients


def quiet_mask(blocks: Blocks, step: float) -> Mask:
    """Return which blocks belong to the quietest population by their variance and by the slow part of it."""
    variance, slow, least = blocks.covariance[:, 0], blocks.slow, step**2 / 12
    order = np.argsort(variance)
    sums = np.cumsum(blocks.covariance[order], axis=0)

    def reach(count: int) -> float:
        return 1 + CLUSTER_WIDTH * _variance_spread(sums[count - 1] / count, blocks.length, step)

    alike = variance <= _population(variance[order], least, reach)
    ordered = np.sort(slow[alike])
    count, limit = ordered.size, np.inf
    for _ in range(ROUNDS):
        usual = between(ordered[:count], 0.3) / CHI2_3_QUANTILE_30 if count else 0.0
        limit = CHI2_3_QUANTILE_99_MEAN * max(usual, least)
        count, before = int(np.searchsorted(ordered, limit, "right")), count
        if count == before:
            break
    return np.asarray(alike & (slow <= limit))


def _population(ordered: Array, least: float, reach: Callable[[int], float]) -> float:
    """Return the limit of the values that reach down to the smallest: up to `reach` medians of their number.

    It is found by growing from the lowest of the ordered values, shape (n,).
    """
    if not ordered.size:
        return 0.0
    limit = middle = max(between(ordered, QUIET_QUANTILE), least)
    count = int(np.searchsorted(ordered, middle, "right"))
    for _ in range(ROUNDS):
        limit = middle * reach(count)
        count, before = int(np.searchsorted(ordered, limit, "right")), count
        middle = max(between(ordered[:count], 0.5), least)
        if count == before:
            break
    return limit


def _variance_spread(covariance: Array, length: int, step: float) -> float:
    """Return the relative standard deviation of a block's variance, the correlation of its points included."""
    if covariance[0] <= 0:
        return 0.0
    rho = covariance[1:] / covariance[0]
    sparse = step**2 / covariance[0]  # kurtosis of noise that seldom leaves its step
    return float(np.sqrt((max(2.0, sparse - 1) + 4 * np.sum(rho**2)) / length))


def _acf(blocks: Blocks) -> tuple[float, Array]:
    """Return variance and autocorrelation function of the noise; white where nothing speaks against it."""
    measured = blocks.covariance.mean(axis=0)
    through = mixing(blocks.length, blocks.degree)
    white = measured[0] / through[0, 0]
    if white <= 0:
        return 0.0, np.array([1.0, 0.0])
    lags = slice(1, 1 + min(3, measured.size - 1))
    excess = (measured - white * through[:, 0])[lags] * np.sqrt(blocks.points) / measured[0]
    if np.sum(excess**2) < CHI2_3_QUANTILE_99:
        return float(white), np.array([1.0, 0.0])
    penalty = np.diag(PENALTY * np.linspace(0, 1, measured.size) ** 2)
    free = np.linalg.solve(through.T @ through + penalty**2, through.T @ measured)
    return _autoregressive_acf(free if free[0] > np.max(np.abs(free[1:])) else measured, blocks.points)


@cache
def _basis(length: int, degree: int) -> Array:
    """Return orthonormal polynomials over a block, shape (length, degree + 1)."""
    return _fixed(np.linalg.qr(np.vander(np.linspace(-1, 1, length), degree + 1, increasing=True))[0])


@cache
def mixing(length: int, degree: int) -> Array:
    """Return the matrix from the autocovariances of noise to those left within blocks, shape (lags + 1, lags + 1).

    The residual is P y with P = I - Q Qᵀ; E[(P y)(P y)ᵀ] = P R P is linear in the autocovariances r of the Toeplitz
    matrix R, r taken as 0 beyond a quarter of the block.
    """
    lags = length // 4
    q = _basis(length, degree)
    later, sooner = _shifted(q, lags, 1), _shifted(q, lags, -1)  # (lags + 1, length, degree + 1)
    bands = later + sooner  # the bands of R times Q
    bands[0] /= 2
    inner = np.einsum("la,jlb->jab", q, bands)
    mixed = np.einsum("kla,jla->kj", later, bands) + np.einsum("kla,jla->kj", sooner, bands)
    both = np.einsum("kla,jab,lb->kj", sooner, inner, q, optimize=True)
    weights = (length - np.arange(lags + 1))[:, None]
    return _fixed(np.eye(lags + 1) + (both - mixed) / weights)


def _fixed(values: Array) -> Array:
    """Return an array that is kept for the next call, and that nobody may change."""
    values.flags.writeable = False
    return values


def _shifted(q: Array, lags: int, sign: int) -> Array:
    """Return the rows of `q` moved by 0 ... lags places, zeros moving in, shape (lags + 1, *q.shape)."""
    out = np.zeros((lags + 1, *q.shape))
    for lag in range(lags + 1):
        rows = slice(lag, None) if sign > 0 else slice(0, len(q) - lag)
        out[lag, rows] = q[: len(q) - lag] if sign > 0 else q[lag:]
    return out


def _autoregressive_acf(covariance: Array, points: int) -> tuple[float, Array]:
    """Return variance and autocorrelation function of the autoregressive model that the covariances ask for.

    Levinson-Durbin recursion, the order chosen by the Bayesian information criterion.
    """
    orders = min(MAX_ORDER, covariance.size - 1)
    weights: Array = np.zeros(0)
    error, best = covariance[0] * (1 + RIDGE), (0.0, weights)
    for order in range(1, orders + 1):
        reflection = (covariance[order] - weights @ covariance[order - 1 : 0 : -1]) / error
        if not abs(reflection) < 1:
            return float(covariance[0]), _cut_acf(covariance / covariance[0], points)
        weights = np.r_[weights - reflection * weights[::-1], reflection]
        error *= 1 - reflection**2
        criterion = points * np.log(error / covariance[0]) + order * np.log(points)
        if criterion < best[0]:
            best = (criterion, weights)
    weights = best[1]
    if weights.size > LOW_ORDER:
        return float(covariance[0]), _cut_acf(covariance / covariance[0], points)
    return float(covariance[0]), _continue_acf(covariance[: weights.size + 1] / covariance[0], weights)


def _cut_acf(acf: Array, points: int) -> Array:
    """Return an autocorrelation function up to where two lags running are lost in their errors (Bartlett's formula)."""
    error = np.sqrt((1 + 2 * np.cumsum(acf**2) - 2) / points)
    lost = np.abs(acf[1:]) < 2 * error[:-1]
    both = np.flatnonzero(lost[:-1] & lost[1:])
    return acf[: max(2, int(both[0]) + 1)] if both.size else acf


def _with_positive_spectrum(acf: Array, points: int = 512) -> Array:
    """Return the autocorrelation function nearest to this one whose spectrum is nowhere below `RIDGE`."""
    if 2 * np.abs(acf[1:]).sum() <= acf[0]:
        return acf
    spectrum = np.fft.rfft(np.r_[acf, np.zeros(points - 2 * acf.size + 1), acf[:0:-1]]).real
    if spectrum.min() >= 0:
        return acf
    nearest = np.fft.irfft(np.maximum(spectrum, RIDGE))[: points // 4]
    nearest = nearest / nearest[0]
    return np.asarray(nearest[: int(np.flatnonzero(np.abs(nearest) > 1e-3)[-1]) + 1])


def _continue_acf(start: Array, weights: Array, lags: int = 200) -> Array:
    """Continue an autocorrelation function by its autoregressive weights until it has decayed."""
    acf = np.r_[start, np.zeros(lags + 1 - start.size)] if start.size <= lags else start[: lags + 1]
    if not weights.size:
        return np.array([1.0, 0.0])
    for lag in range(start.size, lags + 1):
        acf[lag] = weights @ acf[lag - 1 : lag - weights.size - 1 : -1] if lag > weights.size else 0.0
    last = int(np.flatnonzero(np.abs(acf) > 1e-3)[-1])
    return acf[: max(last, 1) + 1]


def _from_differences(y: Array) -> float:
    """Return the noise of a trace too short for blocks: median absolute second difference (normal noise)."""
    second = y[2:] - 2 * y[1:-1] + y[:-2]
    return float(np.median(np.abs(second)) / (0.674489750196082 * np.sqrt(6)))
