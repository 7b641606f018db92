"""The data that the authors released, which the project may not contain.

They are looked for beside the repository, or where ITUNE_SHARED_DATA says.
"""

import os
from pathlib import Path

import pytest

RELEASED = Path(
    os.environ.get("ITUNE_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data")
)


def needs_released(*names):
    """Return a mark that skips a test where one of these folders is missing."""
    missing = [name for name in names if not (RELEASED / name).is_dir()]
    reason = f"{', '.join(missing)} as released may not be part of the project, and is not here"
    return pytest.mark.skipif(bool(missing), reason=reason)
