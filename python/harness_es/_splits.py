"""Purged splits: what is trained on never looks into what is tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ._archive import Archive, Session
from ._errors import ArgumentError

HORIZON = 900
"""Rows that a label looks ahead, unless the labels of the archive have another horizon."""


@dataclass(frozen=True)
class Selection:
    """Sessions of an archive to train or test on."""

    archive: Archive
    sessions: tuple[Session, ...]

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self.sessions)

    @property
    def dates(self) -> list[str]:
        """Trading dates, in order."""
        return list(dict.fromkeys(session.date for session in self.sessions))

    @property
    def rows(self) -> int:
        """Rows whose labels may be used."""
        return sum(session.keep for session in self.sessions)


def splits(
    archive: Archive, months: str | None = None, *, folds: int = 5, embargo_sessions: int = 1
) -> Iterator[tuple[Selection, Selection]]:
    """Train and test by turns: each fold of consecutive sessions is the test once.

    Purged: no row is trained on whose label looks at a row of the test. In profile `session` no label looks beyond its
    session, so whole sessions part the two; in profile `rolling` the last rows before the test go, as many as the labels
    look ahead. Embargoed: the sessions right after the test are not trained on either, since their features remember it.

    >>> import tempfile, harness_es as hx
    >>> next(hx.splits(hx.Archive(tempfile.mkdtemp()), folds=5))
    Traceback (most recent call last):
    harness_es._errors.ArgumentError: folds = 5: expected 2 to the number of sessions, which is 0
    """
    sessions = archive.sessions(months)
    if not 2 <= folds <= len(sessions):
        raise ArgumentError(f"folds = {folds}: expected 2 to the number of sessions, which is {len(sessions)}")
    if embargo_sessions < 0:
        raise ArgumentError(f"embargo_sessions = {embargo_sessions}: expected 0 or more")
    rolling = [file.settings for file in archive.files(months) if file.settings.get("profile") != "session"]
    horizon = max((int(settings.get("labels", {}).get("horizon", HORIZON)) for settings in rolling), default=0)
    for fold in range(folds):
        first, end = (len(sessions) * at // folds for at in (fold, fold + 1))
        train = purged(sessions, first, end, embargo_sessions, horizon)
        yield Selection(archive, tuple(train)), Selection(archive, tuple(sessions[first:end]))


def purged(sessions: list[Session], first: int, end: int, embargo: int, horizon: int) -> list[Session]:
    """The sessions that may be trained on when `first` to `end` are the test and labels look `horizon` rows ahead.

    A horizon of 0 says that no label looks beyond its session.
    """
    before: list[Session] = []
    reach = horizon
    for session in reversed(sessions[:first]):
        keep = max(0, min(session.keep, session.rows - reach))
        reach = max(0, reach - session.rows)
        if keep:
            before.append(session if keep == session.keep else replace(session, keep=keep))
    return before[::-1] + sessions[end + embargo :]
