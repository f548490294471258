"""How much hypothesis tries: the same examples each time where a machine watches."""

import os

from hypothesis import settings

settings.register_profile("pointsman", deadline=None)
settings.register_profile(
    "pointsman-ci", parent=settings.get_profile("pointsman"), derandomize=True
)
settings.load_profile("pointsman-ci" if os.environ.get("CI") else "pointsman")
