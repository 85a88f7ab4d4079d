"""How far the evidence in a window decides for the model that made it, from fits that start at the truth.

A case is decisive where the criterion of the true model lies by more than `DECISIVE` below that of every model that
does not contain it, in the same window, with the line that it was made with and the noise as it fell. Models that
contain the true one describe the data as well and more dearly: that they are not taken is asked everywhere.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from gcfit.fitting.loading import to_core
from gcfit.fitting.registry import LAPLACE_MODELS, MODELS, PARTS
from gcfit.fitting.states import DECISIVE, Peak, State, solved
from gcfit.fitting.task import Task, starting_peak
from tests.fitting.population import Case

# of the coordinates that the true model lacks; times in units of σ
GUESSES: dict[str, tuple[tuple[float, ...], ...]] = {
    "site": ((np.log(0.5), np.log(1.0)), (np.log(0.1), np.log(4.0))),
    "tail": ((np.log(0.2),), (np.log(0.7),)),
    "load": ((-8.0,), (-2.0,), (3.0,), (8.0,)),
}


def is_decisive(case: Case, task: Task) -> bool:
    """Whether the evidence decides for the true model; always for the pair, which all models contain."""
    true = best_fit(case, task, case.model)
    parts = set(MODELS[case.model].parts)
    rivals = [best_fit(case, task, name) for name, one in LAPLACE_MODELS.items() if not parts <= set(one.parts)]
    if true is None:
        return False
    return all(rival is None or rival.criterion > true.criterion + DECISIVE for rival in rivals)


def best_fit(case: Case, task: Task, name: str) -> State | None:
    """The best fit of a model on a line from starts that know the truth; None where none of them leads anywhere."""
    found = [solved(task.data, [start], 2) for start in _starts(case, task, name)]
    return min((one for one in found if one is not None), key=lambda one: one.criterion, default=None)


def _starts(case: Case, task: Task, name: str) -> Iterator[Peak]:
    """What the true model and this one share stands as it is, or the core as it was found; the rest is guessed."""
    candidate = min(task.candidates, key=lambda one: abs(one.apex_time - case.truth[0]))
    found = starting_peak(candidate, task.candidates, task)
    held = dict(zip(MODELS[case.model].parameters, case.coordinates.tolist(), strict=True))
    if "loading" in held and "load" not in MODELS[name].parts:
        held["retention"], held["log_sigma"] = to_core(held["retention"], held["log_sigma"], held["loading"])
    new = [part for part in MODELS[name].parts if part not in MODELS[case.model].parts]
    for guess in product(*(GUESSES[part] for part in new)):
        values = dict(held)
        for part, start in zip(new, guess, strict=True):
            offset = 0.0 if part == "load" else np.log(found.sigma)
            values.update(zip(PARTS[part], (value + offset for value in start), strict=True))
        as_found = {"retention": found.anchor, "log_sigma": float(np.log(found.sigma))}
        for core in ({}, as_found) if new or name != case.model else ({},):
            at = values | core
            coordinates = np.array([at[key] for key in MODELS[name].parameters])
            yield Peak(name, coordinates, found.anchor, found.sigma)
