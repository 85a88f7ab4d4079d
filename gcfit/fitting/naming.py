"""Names for fitted peaks: each expected component takes the nearest peak within its tolerance."""

from collections.abc import Mapping, Sequence

import numpy as np

from gcfit.column import laplace
from gcfit.column.simulate import law_of
from gcfit.column.system import System
from gcfit.fitting.records import Expected, PeakFit

HALF_WIDTHS = float(np.sqrt(8 * np.log(2)))  # full width at half height of a Gaussian, in σ


def expected_components(system: System) -> tuple[Expected, ...]:
    """Components of a system whose retention is given, or follows from their rates (mean of the law)."""
    expected = []
    for component in system.components:
        if component.retention_time is not None:
            expected.append(Expected(component.name, component.retention_time))
        elif component.adsorption_rate is not None and component.desorption_rate is not None:
            moments = laplace.moments(law_of(system, component))
            expected.append(Expected(component.name, moments.mean, fwhm=float(HALF_WIDTHS * np.sqrt(moments.variance))))
    return tuple(expected)


def named(peaks: Sequence[PeakFit], expected: Sequence[Expected]) -> tuple[PeakFit, ...]:
    """Give each expected component the nearest peak that no nearer component has taken.

    Where a component could have meant another peak as well, the message of its peak says so.
    """
    owners = assigned(peaks, expected)
    names = {place: expected[number] for number, place in owners.items()}
    return tuple(
        peak.but(name=names[place].name, message=_remark(place, names[place], peaks)) if place in names else peak
        for place, peak in enumerate(peaks)
    )


def assigned(peaks: Sequence[PeakFit], expected: Sequence[Expected]) -> dict[int, int]:
    """Return the place of the peak that each component takes, by the number of the component."""
    distances = sorted(
        (abs(peak.retention_time_s - component.retention_time), number, place)
        for number, component in enumerate(expected)
        for place, peak in enumerate(peaks)
        if peak.retention_time_s is not None and within(peak, component)
    )
    owners: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, place in distances:
        if number not in owners and place not in taken:
            owners[number] = place
            taken.add(place)
    return owners


def within(peak: PeakFit, component: Expected) -> bool:
    """Whether the apex of a peak lies where a component is looked for."""
    return (
        peak.retention_time_s is not None and abs(peak.retention_time_s - component.retention_time) <= component.reach
    )


def rivals(component: Expected, owners: Mapping[int, int], peaks: Sequence[PeakFit]) -> list[int]:
    """Return the places of the peaks within a component's reach that nearer components have taken."""
    return [place for place in owners.values() if within(peaks[place], component)]


def _remark(place: int, component: Expected, peaks: Sequence[PeakFit]) -> str:
    """The message of a peak that takes a name, with the other peaks that the name could have meant."""
    peak = peaks[place]
    others = [other for other in peaks if other is not peak and within(other, component)]
    if not others:
        return peak.message
    times = ", ".join(f"{other.retention_time_s:.6g}" for other in others)
    several = f"{component.name} is expected at {component.retention_time:.6g} s: the nearest peak, others at {times} s"
    return "; ".join(part for part in (peak.message, several) if part)
