"""What `gcfit fit` maps over its files."""

from gcfit.batch.work import FileTask, Fitted, fit_file

__all__ = ["FileTask", "Fitted", "fit_file"]
