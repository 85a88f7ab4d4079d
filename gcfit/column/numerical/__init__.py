"""The full governing equations of DESIGN section 2 in space and time; independent of every other solution."""

from gcfit.column.numerical.solve import Profile, Solution, solve

__all__ = ["Profile", "Solution", "solve"]
