"""Data sets of the Hugging Face hub, and an error message for when they cannot be loaded."""

import contextlib
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.utils.formats import first_line

_TIMEOUT = 10.0  # seconds, for the one request that tells whether the hub can be reached


def load_hub(
    name: str, subset: str | None = None, revision: str | None = None, *, otherwise: str
) -> dict[str, Any]:
    """Return the splits of a data set on the hub, or in a folder of files that `datasets` knows.

    ``otherwise`` says what else to try, at the end of the UserError if it cannot be loaded.
    """
    import datasets

    try:
        if not Path(name).exists():
            _require_reachable(name)
        loaded: Any = datasets.load_dataset(name, subset, revision=revision)
        return loaded
    except Exception as error:  # the client lets many libraries' network errors through
        raise UserError(
            f"cannot load {name} from the hub ({first_line(error)}); check the name and the "
            f"network, set HF_HUB_OFFLINE=1 to use what was loaded before, or {otherwise}"
        ) from error


def _require_reachable(name: str) -> None:
    """Send one request, which is not repeated: `datasets` alone tries for half a minute."""
    import huggingface_hub

    with contextlib.suppress(huggingface_hub.errors.OfflineModeIsEnabled):  # but the cache is there
        huggingface_hub.HfApi().dataset_info(name, timeout=_TIMEOUT)
