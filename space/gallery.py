"""The pictures that runs left behind, as files of the site.

A run's gallery is a folder with `gallery.json` (`protocol.gallery.Gallery`) and the pictures it
names; the evaluator wrote and computed all of it.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from protocol.errors import RecordError, StoreError
from protocol.gallery import Gallery
from protocol.jsonable import from_json, to_plain
from protocol.records import Result
from space.flags import Flags, row_flags
from space.formats import lines_to_parquet
from space.plain import plain_json, request_names
from space.snapshot import Snapshot, Source

Make = Callable[[], bytes]

READERS = 8
"""A store on the Hub answers several at a time."""

_ID = re.compile(r"[0-9a-f]{20}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}\.(webp|png)")


def gallery_makers(snapshot: Snapshot, source: Source) -> dict[str, Make]:
    """Return the files of all galleries, and `data/gallery.json`, which lists them."""
    there = source.galleries()
    possible = [result for result in snapshot.results if result.request.request_id in there]
    with ThreadPoolExecutor(READERS) as pool:
        galleries = pool.map(lambda r: read_gallery(source, r.request.request_id), possible)
        read = zip(possible, galleries, strict=True)
        found = [(result, gallery) for result, gallery in read if gallery is not None]
    flags = row_flags(snapshot.results, snapshot.statistics, snapshot.evidence)
    makers: dict[str, Make] = {
        "data/gallery.json": lambda: plain_json([_system(r, g, flags) for r, g in found])
    }
    for result, gallery in found:
        request_id = result.request.request_id
        makers[f"data/gallery/{request_id}.json"] = partial(plain_json, gallery)
        makers[f"data/gallery/{request_id}.parquet"] = partial(_parquet, gallery)
        for name in {*gallery.files()}:
            path = f"data/gallery/{request_id}/{name}"
            makers[path] = partial(_picture, source, request_id, name)
    return makers


def _parquet(gallery: Gallery) -> bytes:
    """Return a gallery's captions, bits and scores, a line a picture."""
    return lines_to_parquet([to_plain(picture) for picture in gallery.pictures])


def _picture(source: Source, request_id: str, name: str) -> bytes:
    content = source.gallery_file(request_id, name)
    if content is None:
        raise StoreError(f"the pictures of {request_id} have lost {name}")
    return content


def _system(result: Result, gallery: Gallery, flags: Flags) -> dict[str, object]:
    """Return what the choice of systems needs to know."""
    request = result.request
    return {
        **request_names(request),
        "dataset": f"{request.dataset} ({request.dataset_sha256[:8]})",
        "protocol": request.protocol,
        "indicators": to_plain({u.dimension: u.name for u in result.provenance.indicators}),
        "pictures": len(gallery.pictures),
        "cautions": "\n".join(flag.text for flag in flags.get(request.request_id, ())),
    }


def read_gallery(source: Source, request_id: str) -> Gallery | None:
    """Return a run's gallery; None where it is absent or of another version's form."""
    if not _ID.fullmatch(request_id):
        return None
    content = source.gallery_file(request_id, "gallery.json")
    if content is None:
        return None
    try:
        gallery = from_json(Gallery, content)
    except RecordError:
        return None
    # The names become paths: a gallery that names a file elsewhere is none.
    return gallery if all(_FILE.fullmatch(name) for name in gallery.files()) else None
