"""Ranges are read as harness reads them."""

import pytest

from harness_ray.months import months


def test_both_ends_are_included() -> None:
    """Across the turn of a year."""
    assert months("2013-11..2014-02") == ["2013-11", "2013-12", "2014-01", "2014-02"]
    assert months("2013-11") == ["2013-11"]


@pytest.mark.parametrize("text", ["", "2013", "2013-13", "2013-1", "2013-01..", "2014-01..2013-12", "2013-01..02"])
def test_other_text_is_refused(text: str) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match="expected|before"):
        months(text)
