"""``python3 -m quicchat`` is the command ``quicchat``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
