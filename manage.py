#!/usr/bin/env python3
"""The one command line of the exchange.

Run it with any supported Python: it makes its own environment in .venv and continues there.
"""

# Nothing here or in the import below may need a newer Python than the one it refuses.
import sys

SUPPORTED = ((3, 13), (3, 12), (3, 11))

if __name__ == "__main__":
    if sys.version_info[:2] not in SUPPORTED:
        names = ", ".join("python%d.%d" % version for version in SUPPORTED)  # noqa: UP031
        seen = (sys.version_info[0], sys.version_info[1], names)
        sys.exit("This is Python %d.%d; the exchange needs one of %s." % seen)  # noqa: UP031

    from config import bootstrap

    bootstrap.enter(sys.argv)

    from config import command_line

    sys.exit(command_line.run(sys.argv))
