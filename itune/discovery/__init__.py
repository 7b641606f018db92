"""What a classifier leans on when nobody has named it: candidates, screened and confirmed.

1. Each training row's unit gradient is sketched, in one pass (:mod:`~itune.discovery.sketching`).
2. Generators find features of texts and columns (:mod:`~itune.discovery.features`).
3. Sums of sketches give the CID of every feature, in half of the rows
   (:mod:`~itune.discovery.screening`).
4. The strongest are tested on the other half by sketches, those that are used by exact influences
   too; errors and deletions show what they do (:mod:`~itune.discovery.confirmation`).
"""

from itune.discovery.association import Association, associate
from itune.discovery.candidates import Candidates, Merged, find_candidates, merge
from itune.discovery.config import DiscoverConfig
from itune.discovery.features.base import Feature, Rows
from itune.discovery.findings import Discovery, Finding
from itune.discovery.pairs import with_pairs
from itune.discovery.screening import Screening, screen
from itune.discovery.sketching import Sketches, sketch_rows

__all__ = [
    "Association",
    "Candidates",
    "DiscoverConfig",
    "Discovery",
    "Feature",
    "Finding",
    "Merged",
    "Rows",
    "Screening",
    "Sketches",
    "associate",
    "find_candidates",
    "merge",
    "screen",
    "sketch_rows",
    "with_pairs",
]
