"""Commands that run a module of this copy of the package in a process of its own."""

import sys
from pathlib import Path

PYTHON_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "HOME")
"""Where Python finds what is installed; a process without them may lack our libraries."""
_ROOT = str(Path(__file__).resolve().parent.parent)


def own_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules as `__main__`.

    `python -m` would look for it in the current folder first, where another project's `app.py` or
    another copy of this one may lie.
    """
    code = (
        f"import runpy, sys; {_ROOT!r} in sys.path or sys.path.insert(0, {_ROOT!r}); "
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    return [sys.executable, "-P", "-c", code, *arguments]
