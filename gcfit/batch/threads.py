"""One thread for the numerical libraries: the parallelism is over files, and sums come out the same bit for bit."""

import os

BLAS_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def one_blas_thread() -> None:
    """Tell numerical libraries that load after this to use one thread."""
    os.environ.update(dict.fromkeys(BLAS_VARIABLES, "1"))
