"""Finding a folder's adapters by file name: adding one is adding a file."""

from importlib import import_module, util
from pkgutil import iter_modules
from types import ModuleType

from protocol.errors import ModelError


def adapter_names(package: str) -> list[str]:
    """Return the names of a package's public modules."""
    spec = util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return sorted(m.name for m in iter_modules(folders) if not m.name.startswith("_"))


def find_adapter(package: str, name: str, what: str) -> ModuleType:
    """Return the module `package.name`.

    Raises:
        ModelError: there is none; the message calls it a `what` and lists those there are.
    """
    names = adapter_names(package)
    if name not in names:
        raise ModelError(f"no {what} {name!r}; there are {', '.join(names)}")
    return import_module(f"{package}.{name}")
