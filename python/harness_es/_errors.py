"""The exceptions of this package. Each is a `ValueError`."""

from __future__ import annotations


class HarnessError(ValueError):
    """What all exceptions of this package are.

    >>> issubclass(HarnessError, ValueError)
    True
    """

    row: int | None
    """Row of the input, counted from 0, where one is wrong."""
    column: str | None
    """Column of the input, where one is wrong."""

    def __init__(self, message: str, row: int | None = None, column: str | None = None) -> None:
        """Keep where the input is wrong beside the sentence that says it."""
        super().__init__(message)
        self.row = row
        self.column = column


class InputError(HarnessError):
    """Bars that cannot be computed; `row` and `column` say where.

    >>> import numpy as np, harness_es as hx
    >>> try:
    ...     hx.features({"timestamp": np.zeros(1, "M8[s]")}, tick=0.25)
    ... except hx.InputError as error:
    ...     print(error.column)
    open
    """


class ArgumentError(HarnessError):
    """A tick, a profile, labels or another argument that is none.

    >>> import harness_es as hx
    >>> hx.Stream("weekly", tick=0.25)
    Traceback (most recent call last):
    harness_es._errors.ArgumentError: profile = weekly: expected session or rolling
    """


class ArchiveError(HarnessError):
    """A store that cannot be read, or published objects that are not what their manifest says.

    >>> import harness_es as hx
    >>> hx.Archive("ftp://somewhere")
    Traceback (most recent call last):
    harness_es._errors.ArchiveError: store ftp://somewhere: expected s3://bucket, s3://bucket/prefix or a local directory
    """
