"""The site as a folder of files that any web server shows: `python -m space.export STORE DIR`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from protocol.errors import CMCError, InputError
from protocol.files import write_whole
from space.rows import Rows
from space.site import build_site
from space.snapshot import Source, read_snapshot
from space.sources import open_source

MARK = ".cmc-site"
"""Lies in every folder that was written here: what it lists may be replaced, and nothing else."""


def export_site(store: str, folder: Path, say: Callable[[str], object] = lambda _: None) -> int:
    """Write the site into a folder and return how many files it has.

    A file of an older export that is no longer part of the site is taken away.

    Args:
        store: a folder or `hub:ORG/NAME`; empty gives the published rows alone.
        folder: where the site goes.
        say: told how far it is.

    Raises:
        InputError: the folder holds files that are no export.
        CMCError: the store cannot be read, or is none.
    """
    return export_source(open_source(store), folder, say)


def export_source(
    source: Source, folder: Path, say: Callable[[str], object] = lambda _: None
) -> int:
    """Write the site of a source, as `export_site` does."""
    mark = folder / MARK
    old = mark.read_text(encoding="utf-8").splitlines() if mark.is_file() else []
    if not old and folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty and no earlier export; name another folder")
    snapshot = read_snapshot(source, source.revision())
    for fault in snapshot.damaged.values():
        say(f"left out: {fault}")
    rows = Rows.of(snapshot)
    site = build_site(snapshot, rows, source)
    paths = sorted(site)
    # First the list: an export that was interrupted may then be taken up again.
    write_whole(mark, "\n".join(dict.fromkeys([*paths, *old])).encode())
    for number, path in enumerate(paths, start=1):
        write_whole(folder / path, site.read(path))
        if number % 100 == 0:
            say(f"{number} of {len(paths)} files")
    for path in set(old) - set(paths):
        # The list may have come with a stranger's folder.
        if ".." not in Path(path).parts and not Path(path).is_absolute():
            (folder / path).unlink(missing_ok=True)
    write_whole(mark, "\n".join(paths).encode())
    return len(paths)


def main(arguments: Sequence[str]) -> int:
    """Export a store; an empty name gives the published rows alone."""
    store, folder = arguments
    try:
        count = export_site(store, Path(folder), _say)
    except (CMCError, OSError) as error:
        _say(f"cmc export-site: {error}")
        return 1
    except KeyboardInterrupt:
        _say(f"stopped; {folder} is not whole until it is exported again")
        return 130
    sys.stdout.write(f"{count} files in {folder}; any web server shows them\n")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
