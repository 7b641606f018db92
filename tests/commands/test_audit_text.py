"""What itune audit prints, of results that nobody found."""

from dataclasses import replace

from itune.commands.audit_text import to_text
from tests.helpers.report_cases import make_audit


def test_verdict_first_and_last():
    """What was assumed is read with it; then come the numbers."""
    found = make_audit(notes=("the first", "the second"))
    blocks = to_text(found).split("\n\n")
    assert blocks[0] == blocks[-1] == found.verdict.headline
    assert blocks[1].startswith("- CID is +0.400") and blocks[2] == "the first\nthe second"
    assert blocks[3].startswith("CID of ")
    assert "the first" not in "".join(blocks[3:])


def test_rows_without_partners_are_not_counted():
    found = make_audit()
    assert "all 900 rows " in to_text(found)
    influence = replace(found.audit.influence, probes=880)
    few = replace(found, audit=replace(found.audit, influence=influence))
    assert "the 880 of 900 rows that have partners " in to_text(few)
