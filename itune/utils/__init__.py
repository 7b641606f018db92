"""What has no subject of its own: files, JSON, tables as text, progress, compilation."""

from itune.utils.compiling import jit, use_compilation_cache
from itune.utils.hardware import HardwareConfig, RunsHardwareConfig
from itune.utils.json import write_json
from itune.utils.progress import OnProgress, ProgressDisplay
from itune.utils.table_files import Row, align, to_markdown, to_text, write_table

__all__ = [
    "HardwareConfig",
    "OnProgress",
    "ProgressDisplay",
    "Row",
    "RunsHardwareConfig",
    "align",
    "jit",
    "to_markdown",
    "to_text",
    "use_compilation_cache",
    "write_json",
    "write_table",
]
