"""``python -m claimscan`` is the ``claimscan`` command."""

import sys

from claimscan.cli import main

sys.exit(main())
