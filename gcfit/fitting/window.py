"""The fit of windows: for each, peaks to start from in, a solved state out. A pure function of frozen tasks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.fitting.certainty import errors_of, without_phantoms
from gcfit.fitting.detect import Candidate
from gcfit.fitting.hidden import left_over, taken_up
from gcfit.fitting.local_base import bend_base, bending, unbent
from gcfit.fitting.misfit import explained, leaves
from gcfit.fitting.models import Known
from gcfit.fitting.overload import strong
from gcfit.fitting.refine import MISSED, refined
from gcfit.fitting.registry import LAPLACE_MODELS, MODELS, PARTS
from gcfit.fitting.searches import Searching, in_step
from gcfit.fitting.select import bend_score, calls_for_more, choose, forced
from gcfit.fitting.sense import sensible
from gcfit.fitting.shoulders import without_shoulders
from gcfit.fitting.states import DECISIVE, Search, State, WindowData, penalty, solved, supports
from gcfit.fitting.task import GAUSSIAN_MODELS, Task, starting_peak
from gcfit.fitting.terms import AS_IT_IS, CLOSE
from gcfit.fitting.together import together
from gcfit.fitting.widths import freed

MOST = 0.1  # of the misfit of the simplest models that is left once what they missed is found
HIDDEN_ROUNDS = 6  # of a search for peaks in the residual
FEW = 4  # one peak in so many is a few
REACHED = 8.0  # times as much as noise; what leaves more is not described by other tails
FIRM = 0.1  # relative error of an area, up to which a tail that reaches far is told from the baseline
SEEN = 1.5  # times what the score of a peak sees, which additions bring at the most
CLEAR = 50.0  # of the criterion; by so much a shoulder must beat one addition a peak to need no further trial


def fit_windows(tasks: Sequence[Task]) -> list[State | None]:
    """Fit some windows, each for itself; None where no start describes a window's peaks."""
    return in_step([_fit(task) for task in tasks])


def _fit(task: Task) -> Searching:
    """Fit one window."""
    data = task.data
    state = yield from _settled(data, task)
    auto = task.model == "auto"
    if auto and state is not None:
        state = sensible(data, state)
    if state is None or not task.crowded:
        return state
    state = None if state is None else solved(data, state.peaks, state.base_order, CLOSE)
    if auto and state is not None:
        state = _seen_again(data, task, without_phantoms(data, state))
        if state is not None and not task.start:
            again = refined(data, state, allowed(state, known=task.known))
            state = state if again is state else without_phantoms(data, again)
    return state if state is None or data is task.whole else _at_all_points(task, state)


def _seen_again(data: WindowData, task: Task, state: State | None) -> State | None:
    """A crowded window whose baseline showed once peaks were left out: then it may hold others."""
    straight = None if state is None else _straightened(data, task, state)
    if straight is None or straight is state:
        return state
    again = _with_hidden(data, task, straight)
    return None if again is None else sensible(data, again)


def _at_all_points(task: Task, state: State) -> State | None:
    """A state that was found on means of points, at the points."""
    whole = solved(task.whole, state.peaks, state.base_order, AS_IT_IS)
    if whole is None:
        return None
    found = state.solution
    return replace(whole, solution=replace(whole.solution, iterations=found.iterations, converged=found.converged))


def _settled(data: WindowData, task: Task) -> Searching:
    """The window once its peaks, their models and its baseline are decided."""
    if task.start:
        state = yield Search(data, task.start, task.base_order)
        if state is None or task.model != "auto":
            return state
        bent = without_phantoms(data, (yield from bending(data, state)))
        return _better(_from_straight(data, task, bent), bent) if bent is not None and task.anew else bent
    state = yield from _first(data, task)
    if state is None or task.model != "auto":
        return state
    if task.crowded:
        return _with_hidden(data, task, state)
    return _with_company(data, task, _straightened(data, task, _with_lost(data, task, state)))


def _first(data: WindowData, task: Task) -> Searching:
    """The window with the peaks that were found in the trace; shoulders stay where the data demand them."""
    sure = [candidate for candidate in task.candidates if not candidate.shoulder] or list(task.candidates)
    if len(sure) == len(task.candidates):
        return (yield from _searched(data, task, sure))
    if task.crowded:
        return (yield from _searched(data, task, task.candidates))
    with_shoulders = yield from _searched(data, task, task.candidates)
    # one addition a peak tells most shoulders from tails; only the doubtful cases pay for the whole search
    without = yield from _searched(data, task, sure, parts=1)
    overloaded = without is not None and strong(without)
    if _clearly(with_shoulders, without) and _simple(with_shoulders) and not overloaded:
        return with_shoulders
    return _better(with_shoulders, (yield from _searched(data, task, sure)))


def _lost(task: Task, state: State) -> list[Candidate]:
    """Candidates with a maximum of their own that a solved window holds no more."""
    kept = {peak.anchor for peak in state.peaks}
    return [one for one in task.candidates if not one.shoulder and one.apex_time not in kept]


def _straightened(data: WindowData, task: Task, state: State) -> State:
    """A window whose baseline bends less where it is better seen so, its peaks with the models that it leaves them."""
    straight = unbent(data, state)
    return state if straight is state else choose(data, straight, allowed(straight, known=task.known))


def _with_lost(data: WindowData, task: Task, state: State) -> State:
    """Try peaks with a maximum of their own again that were lost beside others whose shape was not yet described."""
    lost = _lost(task, state)
    plain = solved(data, state.peaks, task.base_order) if lost else None
    if plain is None:
        return state
    peaks = taken_up(data, plain, [(starting_peak(one, task.candidates, task), one.height) for one in lost])
    grown = solved(data, peaks, plain.base_order) if len(peaks) > len(plain.peaks) else None
    if grown is None:
        return state
    found = without_phantoms(data, bend_base(data, grown))
    return found if found is not None and supports(data, state, found, DECISIVE) else state


def _with_company(data: WindowData, task: Task, state: State) -> State | None:
    """A small window whose peaks are described badly, with others that show only in what these leave."""
    if task.rigid or not any(leaves(data, state, place, MISSED) for place in range(len(state.peaks))):
        return state
    known = _with_hidden(data, task, state)
    if known is None:
        return None
    again = refined(data, known, allowed(known, known=task.known))
    if again is known:
        return known
    found = without_phantoms(data, bend_base(data, again))
    return None if found is None else _straightened(data, task, found)


def _with_hidden(data: WindowData, task: Task, state: State) -> State | None:
    """Add peaks that show in the residual only, as long as the data demand them."""
    for _ in range(HIDDEN_ROUNDS):
        state = _straightened(data, task, state)
        grown = _grown(data, task, state)
        if grown is None:
            break
        state = choose(data, bend_base(data, grown), allowed(grown, 2, task.known), _beside(state, grown))
    return without_phantoms(data, state)


def _grown(data: WindowData, task: Task, state: State) -> State | None:
    """A solved window with peaks that it lost or that show in its residual only; None where the data demand none."""
    found = [*_lost(task, state), *left_over(data, state)]
    peaks = taken_up(data, state, [(starting_peak(one, task.candidates, task), one.height) for one in found])
    if len(peaks) == len(state.peaks):
        return None
    grown = solved(data, peaks, state.base_order)
    # each was demanded where it stands: what others leave elsewhere says nothing against it
    return grown if grown is not None and grown.criterion < state.criterion - DECISIVE else None


def _beside(state: State, grown: State) -> set[int]:
    """Places of the peaks that a window has more than it had, and of their neighbours."""
    known = {peak.anchor for peak in state.peaks}
    new = [place for place, peak in enumerate(grown.peaks) if peak.anchor not in known]
    return {place + away for place in new for away in (-1, 0, 1)}


def _clearly(one: State | None, other: State | None) -> bool:
    return one is not None and (other is None or one.criterion < other.criterion - CLEAR)


def _simple(state: State | None) -> bool:
    """Whether no peak has more than one addition: a shoulder that is one leaves nothing to describe for more."""
    return state is not None and all(len(MODELS[peak.model].parts) < 2 for peak in state.peaks)


def _better(one: State | None, other: State | None) -> State | None:
    return one if other is None or (one is not None and one.criterion < other.criterion) else other


def _searched(data: WindowData, task: Task, candidates: Sequence[Candidate], parts: int = len(PARTS)) -> Searching:
    """Solve with the simplest model, then let peaks and baseline take what the data support, up to so many parts."""
    peaks = tuple(starting_peak(c, candidates, task) for c in candidates)
    state = yield Search(data, peaks, task.base_order)
    if state is not None and task.crowded:
        peaks = freed(data, state)
        state = (yield Search(data, peaks, task.base_order)) if peaks != state.peaks else state
    if state is None:
        return None
    bent = without_phantoms(data, (yield from bending(data, state)))
    if bent is None:
        return None
    if task.crowded:
        shoulders = {candidate.apex_time for candidate in candidates if candidate.shoulder}
        bent = without_shoulders(data, bent, shoulders, allowed(bent, 1, task.known))
    auto = task.model == "auto"
    if auto and not _calls(data, bent) and not _bent_in_vain(data, task, state, bent):
        return bent
    if auto and task.crowded:
        # one peak that was not found spoils the shape of all around it
        grown = _grown(data, task, bent)
        if grown is not None and _only_missed(bent, grown):
            bent = bend_base(data, grown)
    if all(peak.model == task.model for peak in bent.peaks):
        return bent
    # what the baseline took up may be the peaks'
    kept = solved(data, bent.peaks, task.base_order)
    if kept is None:
        return bent
    if not auto:
        # a model that is too rich for a weak peak leaves it undetermined, but there
        rough = bend_base(data, forced(data, kept, task.model))
        return solved(data, rough.peaks, rough.base_order)
    if len(kept.peaks) > 1 and FEW * _calls(data, bent) >= len(kept.peaks):
        kept = together(data, kept, min(parts, len(PARTS) - 1))
    return _better(without_phantoms(data, _chosen(data, task, kept, parts)), bent)


def _chosen(data: WindowData, task: Task, kept: State, parts: int = len(PARTS)) -> State:
    """A window whose peaks take the models that the data support of at most so many parts, then its baseline bends.

    Tails that reach far are told from the baseline by all points together, where that leaves no more than noise.
    """
    names = allowed(kept, parts, task.known)
    near = choose(data, kept, names)
    best = _bent(data, task, near, names)
    straight = best.base_order == kept.base_order and explained(best, data.deviation)
    if straight or task.crowded or len(best.peaks) < 2 or not explained(best, REACHED * data.deviation):
        return best
    far = _bent(data, task, choose(data, near, names, wide=True), names)
    better = explained(far, data.deviation) and far.criterion < best.criterion
    return far if better and _firm(data, far) else best


def _firm(data: WindowData, state: State) -> bool:
    """Whether the data tell all areas of a window well: a tail that could as well be baseline leaves them vague."""
    return all(errors_of(data, state, place).get("area", np.inf) < FIRM for place in range(len(state.peaks)))


def _bent(data: WindowData, task: Task, straight: State, names: Sequence[str]) -> State:
    """A window whose baseline may bend, and whose peaks then take the models that it leaves them."""
    bent = bend_base(data, straight)
    return bent if task.crowded or bent.base_order == straight.base_order else choose(data, bent, names)


def _from_straight(data: WindowData, task: Task, bent: State) -> State | None:
    """A window chosen anew from a straight baseline, where that calls for it: a bend may be what tails are for."""
    bends = not task.crowded and bent.base_order > Task.base_order
    straight = solved(data, bent.peaks, Task.base_order) if bends else None
    if straight is None or not _calls(data, straight):
        return None
    found = without_phantoms(data, _chosen(data, task, straight))
    return found if found is not None and explained(found, data.deviation) and _firm(data, found) else None


def _only_missed(state: State, grown: State) -> bool:
    """Whether a few new peaks take up most of the misfit: new ones beside many peaks would be their shape."""
    few = FEW * (len(grown.peaks) - len(state.peaks)) <= len(state.peaks)
    return few and grown.solution.rss < MOST * state.solution.rss


def _bent_in_vain(data: WindowData, task: Task, straight: State, bent: State) -> bool:
    """Whether a baseline that bends describes the tail of a peak, which one addition describes better."""
    if task.crowded or bent.base_order <= task.base_order:
        return False
    same = len(straight.peaks) == len(bent.peaks)
    plain = straight if same else solved(data, bent.peaks, task.base_order)
    if plain is None or not _calls(data, plain):
        return False
    seen = sum(bend_score(data, plain, place) for place in range(len(plain.peaks)))
    if plain.criterion + penalty(data) - SEEN * seen >= bent.criterion:
        return False
    tailed = choose(data, plain, allowed(plain, 1, task.known))
    return tailed.criterion < bent.criterion and _firm(data, tailed)


def _calls(data: WindowData, state: State) -> int:
    """How many peaks of a solved window call for more than the pair."""
    return sum(calls_for_more(data, state, place) for place in range(len(state.peaks)))


def allowed(state: State, parts: int = len(PARTS), known: Known | None = None) -> tuple[str, ...]:
    """Models that `auto` may choose from: those of the cores that the peaks started with, of at most so many parts.

    Where all peaks share a tail, none has its own.
    """
    cores = {MODELS[peak.model].core for peak in state.peaks}
    return tuple(
        name
        for name in (*LAPLACE_MODELS, *GAUSSIAN_MODELS)
        if MODELS[name].core in cores
        and len(MODELS[name].parts) <= parts
        and not (known is not None and known.tail is not None and "tail" in MODELS[name].parts)
    )
