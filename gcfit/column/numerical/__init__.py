"""The full governing equations of DESIGN section 2 in space and time; independent of every other solution."""

from gcfit.column.numerical.solve import RESOLUTION, Profile, Solution, solve

__all__ = ["RESOLUTION", "Profile", "Solution", "solve"]
