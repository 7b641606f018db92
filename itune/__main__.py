"""``python -m itune`` runs the command ``itune``."""

import sys

from itune.commands import main

if __name__ == "__main__":
    sys.exit(main())
