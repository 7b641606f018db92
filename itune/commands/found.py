"""The confound that an earlier search has found."""

import json
from pathlib import Path
from typing import Any

from itune.errors import UserError
from itune.report.write import NUMBERS


def first_found(folder: Path) -> tuple[str, dict[str, str]]:
    """Return the first finding that is confirmed to harm: its name, and settings of a table.

    ``folder`` is that of a report by itune discover.
    """
    path = folder / NUMBERS
    try:
        findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
        harmful = [one for one in findings if one["harmful"]]
        first: dict[str, Any] | None = next(iter(harmful), None)
        if first is not None:
            return first["feature"], dict(first["together"])
    except OSError as error:
        raise UserError(
            f"cannot read {path} ({error.strerror}); name the folder of a report by itune discover"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is of no search ({error!r}); run itune discover again") from None
    raise UserError(
        f"{path} has no finding that is confirmed to harm; name a confound, or a rule, yourself"
    )
