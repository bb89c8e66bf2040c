"""`python -m harness_es`: the command line that came with the wheel."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path


def command() -> Path:
    """The `harness` beside the interpreter that this package was installed for, else the one on the path."""
    name = "harness" + (sysconfig.get_config_var("EXE") or "")
    for scripts in (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")):
        if (found := Path(scripts) / name).is_file():
            return found
    on_path = shutil.which(name)
    if on_path is None:
        raise SystemExit(f"{name} is not installed: this wheel was built without the command line")
    return Path(on_path)


def main() -> None:
    """Become the command line."""
    arguments = [str(command()), *sys.argv[1:]]
    if os.name == "nt":
        raise SystemExit(subprocess.call(arguments))
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
