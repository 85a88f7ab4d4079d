"""Where the measured chromatograms are: beside the checkout, or where GCFIT_REAL_DATA points."""

import os
from pathlib import Path

import numpy as np
import pytest

from gcfit.fitting.records import Fit

FOLDER = Path(os.environ.get("GCFIT_REAL_DATA", Path(__file__).parents[2] / "shared" / "data" / "real"))
needs_real_data = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"measured chromatograms not found in {FOLDER}")


def real_data_folder() -> Path:
    """Return the folder of the measured chromatograms; skip the calling test where it is missing."""
    if not FOLDER.is_dir():
        pytest.skip(f"measured chromatograms not found in {FOLDER}")
    return FOLDER


def assert_sound(fit: Fit) -> None:
    """What holds for the fit of any measured trace that holds peaks."""
    assert fit.peaks
    for peak in fit.peaks:
        numbers = [value for value in vars(peak).values() if isinstance(value, float)]
        assert np.isfinite(numbers).all(), peak
        # a peak that points down has an area below zero
        assert peak.area is None or peak.height is None or peak.area * peak.height > 0, peak
    # regression: the worst file is above 0.99
    assert fit.r_squared is not None
    assert fit.r_squared > 0.99
