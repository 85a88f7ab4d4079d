"""Where the measured chromatograms are: beside the checkout, or where GCFIT_REAL_DATA points."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("GCFIT_REAL_DATA", Path(__file__).parents[2] / "shared" / "data" / "real"))
needs_real_data = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"measured chromatograms not found in {FOLDER}")


def real_data_folder() -> Path:
    """Return the folder of the measured chromatograms; skip the calling test where it is missing."""
    if not FOLDER.is_dir():
        pytest.skip(f"measured chromatograms not found in {FOLDER}")
    return FOLDER
