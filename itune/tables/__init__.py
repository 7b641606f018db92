"""Tables of texts, labels and confounds: files, objects and tasks read into one shape."""

from itune.tables.config import TableConfig
from itune.tables.describe import describe_tables
from itune.tables.description import Description, SplitDescription
from itune.tables.splits import SPLITS
from itune.tables.table import Table, Tables, make_tables, read_tables
from itune.tables.tasks import task_tables

__all__ = [
    "SPLITS",
    "Description",
    "SplitDescription",
    "Table",
    "TableConfig",
    "Tables",
    "describe_tables",
    "make_tables",
    "read_tables",
    "task_tables",
]
