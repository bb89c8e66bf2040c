"""Labels, features and training batches of one-second futures bars.

>>> import harness_es as hx
>>> len(hx.FEATURES)
43
"""

from ._bars import Bars
from ._compute import FEATURES, Profile, addresses, features, labels, sessions
from ._errors import ArchiveError, ArgumentError, HarnessError, InputError
from ._native import Table, __version__
from ._stream import Stream

__all__ = [
    "FEATURES",
    "ArchiveError",
    "ArgumentError",
    "Bars",
    "HarnessError",
    "InputError",
    "Profile",
    "Stream",
    "Table",
    "__version__",
    "addresses",
    "features",
    "labels",
    "sessions",
]
