"""Results to pictures: `overlay` of a fit; `save` writes any of them. Nothing is computed here, pyplot is not used.

Importing this package loads matplotlib; commands import it only when a figure is asked for.
"""

from gcfit.figures.overlay import overlay
from gcfit.figures.saving import FORMATS, render, save
from gcfit.figures.system import GasProfile, Outlet, Profiles, system_figure

__all__ = ["FORMATS", "GasProfile", "Outlet", "Profiles", "overlay", "render", "save", "system_figure"]
