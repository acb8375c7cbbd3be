"""The pictures that runs left behind, as files of the site.

A run's gallery is a folder with `gallery.json` (`protocol.gallery.Gallery`) and the pictures it
names; the evaluator wrote and computed all of it.
"""

import re
from collections.abc import Callable
from functools import partial

from protocol.errors import RecordError
from protocol.gallery import Gallery
from protocol.jsonable import from_json, to_plain
from protocol.records import Result
from space.plain import plain_json
from space.snapshot import Snapshot, Source

Make = Callable[[], bytes]

_ID = re.compile(r"[0-9a-f]{20}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}\.(webp|png)")


def gallery_makers(snapshot: Snapshot, source: Source) -> dict[str, Make]:
    """Return the files of all galleries, and `data/gallery.json`, which lists them."""
    found = []
    for result in snapshot.results:
        folder = source.gallery_folder(result.request.request_id)
        gallery = read_gallery(source, result.request.request_id)
        if folder is not None and gallery is not None:
            found.append((result, folder, gallery))
    makers: dict[str, Make] = {
        "data/gallery.json": lambda: plain_json([_system(r, g) for r, _, g in found])
    }
    for result, folder, gallery in found:
        stem = f"data/gallery/{result.request.request_id}"
        makers[f"{stem}.json"] = partial(plain_json, gallery)
        for name in {*gallery.files()}:
            makers[f"{stem}/{name}"] = (folder / name).read_bytes
    return makers


def _system(result: Result, gallery: Gallery) -> dict[str, object]:
    """Return what the choice of systems needs to know."""
    request = result.request
    return {
        "request_id": request.request_id,
        "model": request.label,
        "partner": request.partner,
        "role": request.role,
        "dataset": f"{request.dataset} ({request.dataset_sha256[:8]})",
        "protocol": request.protocol,
        "indicators": to_plain({u.dimension: u.name for u in result.provenance.indicators}),
        "pictures": len(gallery.pictures),
    }


def read_gallery(source: Source, request_id: str) -> Gallery | None:
    """Return a run's gallery; None where it is absent or of another version's form."""
    folder = source.gallery_folder(request_id) if _ID.fullmatch(request_id) else None
    if folder is None:
        return None
    try:
        gallery = from_json(Gallery, (folder / "gallery.json").read_bytes())
    except (OSError, RecordError):
        return None
    # The names become paths: a gallery that names a file elsewhere is none.
    return gallery if all(_FILE.fullmatch(name) for name in gallery.files()) else None
