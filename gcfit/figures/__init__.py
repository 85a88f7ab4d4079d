"""Results to pictures; `save` writes any of them. Nothing is computed here, pyplot is not used.

Importing this package loads matplotlib; commands import it only when a figure is asked for.
"""

from gcfit.figures.multiples import multiples
from gcfit.figures.overlay import overlay
from gcfit.figures.saving import FORMATS, render, save
from gcfit.figures.system import GasProfile, Outlet, system_figure
from gcfit.figures.trends import trends

__all__ = ["FORMATS", "GasProfile", "Outlet", "multiples", "overlay", "render", "save", "system_figure", "trends"]
