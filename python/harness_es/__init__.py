"""Labels, features and training batches of one-second futures bars.

>>> import harness_es as hx
>>> len(hx.FEATURES)
43
"""

from ._archive import Archive, File, Session
from ._bars import Bars
from ._batches import Batches, State, Windows, batches
from ._compute import FEATURES, Profile, addresses, features, labels, sessions
from ._errors import ArchiveError, ArgumentError, HarnessError, InputError
from ._native import Table, __version__
from ._splits import Selection, splits
from ._stream import Stream

__all__ = [
    "FEATURES",
    "Archive",
    "ArchiveError",
    "ArgumentError",
    "Bars",
    "Batches",
    "File",
    "HarnessError",
    "InputError",
    "Profile",
    "Selection",
    "Session",
    "State",
    "Stream",
    "Table",
    "Windows",
    "__version__",
    "addresses",
    "batches",
    "features",
    "labels",
    "sessions",
    "splits",
]
