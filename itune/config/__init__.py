"""Typed configurations: nested frozen dataclasses, filled by presets and a command line.

A configuration is a frozen dataclass whose fields are values or further such dataclasses, its
sections. ``train.steps`` names the field ``steps`` of the section ``train``: in a preset it stands
under ``[train]``, on the command line it is ``--train.steps``. ``--help`` explains a field by its
entry under "Attributes:" in the docstring of its class.
The types a value can have are listed in :mod:`itune.config.kinds`.
"""

from itune.config.command_line import parse
from itune.config.mappings import flattened, from_dict, narrowed, replaced, to_dict

__all__ = ["flattened", "from_dict", "narrowed", "parse", "replaced", "to_dict"]
