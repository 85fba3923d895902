"""Makes the results of this study again, in another place, and compares them with those of the archive, byte for byte.

Needs claimscan in the versions of environment.txt: python -m pip install -r environment.txt
"""

import os
import sys

from claimscan.cli import main

sys.exit(main(["study", "rerun", os.path.dirname(os.path.abspath(__file__))]))
