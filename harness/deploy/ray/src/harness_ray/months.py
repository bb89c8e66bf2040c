"""Ranges of months, written as harness writes them."""

import re

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def months(text: str) -> list[str]:
    """Every month of `2013-01..2014-12`, both ends included, or the one month that is given."""
    first, separator, last = text.partition("..")
    numbers = [_number(end) for end in (first, last if separator else first)]
    if numbers[0] > numbers[1]:
        raise ValueError(f"{text}: the range ends before it begins")
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(numbers[0], numbers[1] + 1)]


def _number(month: str) -> int:
    found = _MONTH.fullmatch(month)
    if not found:
        raise ValueError(f"{month!r} is not a month: expected YYYY-MM or YYYY-MM..YYYY-MM")
    return 12 * int(found[1]) + int(found[2]) - 1
