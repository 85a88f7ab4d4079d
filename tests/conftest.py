"""What holds for every test."""

import signal

# a run in the background inherits an ignored SIGINT, and so would every process that the tests interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
