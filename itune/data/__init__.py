"""Tokenised data as arrays: data sets, confound access, and samples of them."""

from itune.data.access import AccessConfig
from itune.data.dataset import Dataset, chunks_by_length, collate, tokenize_table
from itune.data.padding import choose_lengths
from itune.data.sampling import draw_partners, draw_pools

__all__ = [
    "AccessConfig",
    "Dataset",
    "chunks_by_length",
    "choose_lengths",
    "collate",
    "draw_partners",
    "draw_pools",
    "tokenize_table",
]
