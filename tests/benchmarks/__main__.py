"""`make bench`: the benchmarks that need nothing but this checkout, or those named on the command line."""

import sys
from importlib import import_module

BENCHMARKS = ("startup", "speed", "claim", "batch")

for name in sys.argv[1:] or BENCHMARKS:
    print(f"# {name}\n", flush=True)
    import_module(f"tests.benchmarks.{name}").main()
