"""`python -m jitmagic`: the command line."""

from jitmagic.cli import main

# Guarded: a process that is started by spawn imports this file again.
if __name__ == "__main__":
    raise SystemExit(main())
