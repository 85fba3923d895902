"""Settings of every test.

Hypothesis draws the same examples each time, so that a run that passed passes again. To look for new ones:
``HYPOTHESIS_PROFILE=search python -m pytest``.
"""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
