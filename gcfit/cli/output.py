"""Where a command's results go: tables to stdout or a file, remarks to stderr."""
