"""The searches of many windows: what they ask for at one time is done at once."""

from collections.abc import Generator, Sequence

from gcfit.fitting.lone import ends
from gcfit.fitting.models import curve
from gcfit.fitting.pairs import PAIR
from gcfit.fitting.registry import MODELS
from gcfit.fitting.states import Search, State, settled, solved

# asks for searches, is sent their ends, and returns its own
Searching = Generator[Search, State | None, State | None]
LONGEST = 5000  # points of a window; in longer ones nothing is won


def in_step(runs: Sequence[Searching]) -> list[State | None]:
    """Run what asks for searches, one a window, such that those asked for at one time are done at once."""
    last: list[State | None] = [None] * len(runs)
    answers: dict[int, State | None] = dict.fromkeys(range(len(runs)))
    while answers:
        asked = {}
        for place, answer in answers.items():
            try:
                asked[place] = runs[place].send(answer)
            except StopIteration as end:
                last[place] = end.value
        answers = dict(zip(asked, solved_all(list(asked.values())), strict=True))
    return last


def solved_all(searches: Sequence[Search]) -> list[State | None]:
    """Do each of some searches as `solved` does, those of lone pairs at once."""
    states: dict[int, State | None] = {}
    lone = [place for place, search in enumerate(searches) if _is_lone(search)]
    for place, solution in zip(lone, ends([searches[place] for place in lone]), strict=True):
        if solution is not None:
            search = searches[place]
            states[place] = settled(search.data, search.peaks, search.base_order, solution)
    return [
        states[place] if place in states else solved(search.data, search.peaks, search.base_order)
        for place, search in enumerate(searches)
    ]


def _is_lone(search: Search) -> bool:
    data = search.data
    return (
        len(search.peaks) == 1
        and MODELS[search.peaks[0].model] == PAIR
        and data.weights is None
        and data.sampling.uniform
        and data.sampling.averaged == 1
        and data.signal.size <= LONGEST
        and data.curve is curve
    )
