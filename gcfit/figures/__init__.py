"""Results to pictures: `overlay` of a fit; `save` writes any of them. Nothing is computed here, pyplot is not used.

Importing this package loads matplotlib; commands import it only when a figure is asked for.
"""

from gcfit.figures.overlay import overlay
from gcfit.figures.saving import FORMATS, render, save

__all__ = ["FORMATS", "overlay", "render", "save"]
