"""Tokenised data as arrays: data sets, confound access, and samples of them."""

from itune.data.access import AccessConfig, draw_visible, hide_confounds
from itune.data.dataset import (
    Dataset,
    chunks_by_length,
    collate,
    tokenize_table,
    tokenize_tables,
    tokenize_texts,
)
from itune.data.sampling import draw_partners, draw_pools

__all__ = [
    "AccessConfig",
    "Dataset",
    "chunks_by_length",
    "collate",
    "draw_partners",
    "draw_pools",
    "draw_visible",
    "hide_confounds",
    "tokenize_table",
    "tokenize_tables",
    "tokenize_texts",
]
