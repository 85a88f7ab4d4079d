"""`python -m gcfit` is the command `gcfit`."""

from typing import NoReturn


def run() -> NoReturn:
    """Run the command line; Ctrl-C while it loads ends it as quietly as later."""
    try:
        from gcfit.cli.main import main

        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    run()
