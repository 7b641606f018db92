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
    """Load a data set by its name on the hub, or from a folder of files that `datasets` knows.

    Args:
      name: Name of the data set on the hub, or path of a folder.
      subset: Name of the configuration, if the data set has several.
      revision: Commit, tag or branch to load; None for the newest.
      otherwise: What else to try if the data set cannot be loaded; ends the error message.

    Returns:
      The splits by name, each a ``datasets.Dataset``.

    Raises:
      UserError: The data set cannot be loaded, for example because there is no data set of that
        name, or no network.
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
