"""Data sets of the Hugging Face hub, and what is said when they cannot be had."""

import contextlib
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.utils.formats import first_line

_TIMEOUT = 10.0  # seconds, for the one request that tells whether the hub can be reached


def load_hub(
    name: str, subset: str | None = None, revision: str | None = None, *, otherwise: str
) -> dict[str, Any]:
    """Loads a data set by its name on the hub, or from a folder of files that `datasets` knows.

    Args:
      name: on the hub, or of a folder.
      subset: which of several configurations.
      revision: the commit, tag or branch to load; the newest when None.
      otherwise: the end of the message when it cannot be had: what else to try.

    Returns:
      Its splits by name, each a ``datasets.Dataset``.

    Raises:
      UserError: the data set cannot be loaded: no such name, no
        network.
    """
    import datasets

    try:
        if not Path(name).exists():
            _require_reachable(name)
        loaded = datasets.load_dataset(name, subset, revision=revision)
        return {str(split): data for split, data in loaded.items()}
    except Exception as error:  # the client lets many libraries' network errors through
        raise UserError(
            f"cannot load {name} from the hub ({first_line(error)}); check the name and the "
            f"network, set HF_HUB_OFFLINE=1 to use what was loaded before, or {otherwise}"
        ) from error


def _require_reachable(name: str) -> None:
    """One request that is not repeated: `datasets` alone tries for half a minute."""
    import huggingface_hub

    with contextlib.suppress(huggingface_hub.errors.OfflineModeIsEnabled):  # but the cache is there
        huggingface_hub.HfApi().dataset_info(name, timeout=_TIMEOUT)
