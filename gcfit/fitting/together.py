"""Additions that overlapping peaks take at once: none gains alone what all gain together."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.certainty import VAGUE, errors_of
from gcfit.fitting.loading import to_core
from gcfit.fitting.registry import MODELS, PARTS, PeakModel
from gcfit.fitting.states import DECISIVE, Peak, State, WindowData, heights_of, solved, supports
from gcfit.fitting.terms import COARSE

STRONG = 4.0  # σ; neighbours nearer than this stay free while a peak's model is chosen
TOUCHING = 6.0  # σ; neighbours nearer than this take additions at once
SLIGHT = 0.05  # of the height of a peak; a lower neighbour stands still meanwhile
FAINT = {"site": (np.log(0.1), np.log(2.0)), "tail": (np.log(0.3),), "load": (0.0,)}  # as START_VALUES, all but nothing
UNSURE = 3.0  # standard errors; an addition of all peaks that is smaller is taken off a peak


def together(data: WindowData, state: State, parts: int) -> State:
    """Let the peaks of a window that overlap take the same additions at once, so many, as far as the data support.

    Overlapping peaks hide each other's shape: none gains by an addition of its own what all gain together, and the
    column, inlet and detector that shape them are the same. Each addition starts from where it changes next to
    nothing. An addition that a peak does not need is taken off it again.
    """
    best, members = state, _comparable(state)
    left = [part for part in PARTS if members and (part != "tail" or data.known.tail is None)]
    known = len(left)
    while left and known - len(left) < parts:
        tried = {part: _with_part(data, best, part, members) for part in left}
        found = {part: one for part, one in tried.items() if one is not None}
        if not found:
            break
        part = min(found, key=lambda name: found[name].criterion)
        if not supports(data, best, found[part], DECISIVE):
            break
        best = found[part]
        left.remove(part)
    return best if best is state else _pruned(data, best)


def _comparable(state: State) -> set[int]:
    """Places of the peaks that touch one of about their own size: their misfits add up between them."""
    heights, peaks = heights_of(state), state.peaks
    groups = [set(overlapping(peaks, heights, place, TOUCHING)) for place in range(len(peaks))]
    return {place for place, group in enumerate(groups) if any(place in groups[k] for k in group - {place})}


def _with_part(data: WindowData, state: State, part: str, members: AbstractSet[int]) -> State | None:
    """The window solved again with one addition to the members that can have it."""
    peaks = [_grown(peak, part) if place in members else peak for place, peak in enumerate(state.peaks)]
    return solved(data, peaks, state.base_order, COARSE)


def _grown(peak: Peak, part: str) -> Peak:
    """A peak with an addition that changes next to nothing yet; as it is where its core knows no such addition."""
    model = MODELS[peak.model]
    name = next((name for name, one in MODELS.items() if one == PeakModel(model.core, _ordered(model, part))), None)
    if name is None:
        return peak
    held = dict(zip(model.parameters, peak.coordinates.tolist(), strict=True))
    offset = 0.0 if part == "load" else np.log(peak.sigma)
    held.update(zip(PARTS[part], (value + offset for value in FAINT[part]), strict=True))
    if part != "load":
        held["retention"] -= float(np.exp(held[PARTS[part][0]]))
    return replace(peak, model=name, coordinates=np.array([held[key] for key in MODELS[name].parameters]))


def _ordered(model: PeakModel, part: str) -> tuple[str, ...]:
    return tuple(name for name in PARTS if name == part or name in model.parts)


def _pruned(data: WindowData, state: State) -> State:
    """Take off the additions that are not sure of themselves, all at once, unless the data say they are needed."""
    peaks = [_without_unsure(data, state, place) for place in range(len(state.peaks))]
    if all(new is old for new, old in zip(peaks, state.peaks, strict=True)):
        return state
    simpler = solved(data, peaks, state.base_order)
    return state if simpler is None or supports(data, simpler, state, DECISIVE) else simpler


def _without_unsure(data: WindowData, state: State, place: int) -> Peak:
    """A peak without the additions whose size is within `UNSURE` standard errors of nothing."""
    peak, errors = state.peaks[place], errors_of(data, state, place)
    model = MODELS[peak.model]
    held = dict(zip(model.parameters, peak.coordinates.tolist(), strict=True))
    parts = tuple(part for part in model.parts if _certain(part, held, errors))
    if parts == model.parts and errors.get("area", 0.0) > VAGUE:
        # what is slow may stand for a sagging baseline
        parts = tuple(part for part in parts if part != ("site" if "site" in parts else parts[0]))
    if parts == model.parts:
        return peak
    return lessened(peak, parts)


def lessened(peak: Peak, parts: tuple[str, ...]) -> Peak:
    """A peak with some of its additions only; without its loading, on the linear law that was loaded."""
    model = MODELS[peak.model]
    held = dict(zip(model.parameters, peak.coordinates.tolist(), strict=True))
    name = next(name for name, one in MODELS.items() if one == PeakModel(model.core, parts))
    if "load" in model.parts and "load" not in parts:
        held["retention"], held["log_sigma"] = to_core(held["retention"], held["log_sigma"], held["loading"])
    return replace(peak, model=name, coordinates=np.array([held[key] for key in MODELS[name].parameters]))


def _certain(part: str, held: Mapping[str, float], errors: Mapping[str, float]) -> bool:
    name = PARTS[part][0]
    # the first coordinate of site and tail is a logarithm: its error is the relative error of the size
    size = abs(held[name]) if part == "load" else 1.0
    return size > UNSURE * errors.get(name, 0.0)


def _width(peak: Peak) -> float:
    """σ [s] of a peak as it was found or as it is, whichever is wider: neighbours make it look narrow."""
    return max(peak.sigma, float(np.exp(peak.coordinates[1])))


def overlapping(peaks: Sequence[Peak], heights: Array, place: int, reach: float = STRONG) -> list[int]:
    """Places of a peak and of the nearest ones within so many mean σ that matter beside it, at most one a side."""
    own = peaks[place]
    return [
        k
        for k in (place - 1, place, place + 1)
        if 0 <= k < len(peaks)
        and heights[k] >= SLIGHT * heights[place]
        and abs(peaks[k].coordinates[0] - own.coordinates[0]) <= reach * (_width(peaks[k]) + _width(own)) / 2
    ]
