"""`python -m gcfit` is the command `gcfit`."""

from gcfit.cli.main import main

main()
