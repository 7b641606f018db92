"""What has no subject of its own: files, JSON, tables as text, progress, compilation."""

from itune.utils.compiling import jit, use_compilation_cache
from itune.utils.files import write_atomically
from itune.utils.json import to_jsonable, write_json
from itune.utils.progress import OnProgress, ProgressDisplay, no_progress
from itune.utils.table_files import Row, align, cell_text, to_markdown, to_text, write_table

__all__ = [
    "OnProgress",
    "ProgressDisplay",
    "Row",
    "align",
    "cell_text",
    "jit",
    "no_progress",
    "to_jsonable",
    "to_markdown",
    "to_text",
    "use_compilation_cache",
    "write_atomically",
    "write_json",
    "write_table",
]
