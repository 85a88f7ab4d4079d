"""Names for fitted peaks: each expected component takes the nearest peak within its tolerance."""

from collections.abc import Sequence
from dataclasses import replace

from gcfit.column import laplace
from gcfit.column.simulate import law_of
from gcfit.column.system import System
from gcfit.fitting.records import Expected, PeakFit

TOLERANCE = 0.03  # of the retention time, where none is given


def expected_components(system: System) -> tuple[Expected, ...]:
    """Components of a system whose retention is given, or follows from their rates (mean of the law)."""
    expected = []
    for component in system.components:
        if component.retention_time is not None:
            expected.append(Expected(component.name, component.retention_time))
        elif component.adsorption_rate is not None and component.desorption_rate is not None:
            expected.append(Expected(component.name, laplace.moments(law_of(system, component)).mean))
    return tuple(expected)


def named(peaks: Sequence[PeakFit], expected: Sequence[Expected]) -> tuple[PeakFit, ...]:
    """Give each expected component the nearest peak that no nearer component has taken."""
    distances = sorted(
        (abs(peak.retention_time_s - component.retention_time), number, place)
        for number, component in enumerate(expected)
        for place, peak in enumerate(peaks)
        if peak.retention_time_s is not None
        and abs(peak.retention_time_s - component.retention_time) <= _tolerance(component)
    )
    names: dict[int, str] = {}
    taken: set[int] = set()
    for _, number, place in distances:
        if place not in names and number not in taken:
            names[place] = expected[number].name
            taken.add(number)
    return tuple(replace(peak, name=names.get(place, peak.name)) for place, peak in enumerate(peaks))


def _tolerance(component: Expected) -> float:
    return TOLERANCE * component.retention_time if component.tolerance is None else component.tolerance
