"""What builders of functions share."""

import pytest

from itune.utils.compiling import SHARED, shared


def test_shared():
    build = shared(lambda *args: [args])
    first = build(0)
    assert build(0) is first and build(1) is not first
    for number in range(SHARED):
        build(1 + number)
    assert build(0) is not first
    assert build([1]) == [([1],)] and build([1]) is not build([1])


def test_errors_in_a_shared_builder():
    with pytest.raises(TypeError, match="its own"):
        shared(lambda: (_ for _ in ()).throw(TypeError("its own")))()
