"""A store with pictures and frozen boards, for what a reader does on the page."""

from pathlib import Path

from list_source import ListSource
from make_results import make_codec, make_result
from picture_files import write_pictures

from protocol.records import Result
from protocol.rules import Mode, Role
from space.snapshot import Snapshot

FIRST, SECOND = "acme/first", "acme/second"


def id_of(result: Result) -> str:
    return result.request.request_id


def reader_source(folder: Path) -> ListSource:
    """Return two decoders, one of them on two benches, a captioner and a codec."""
    first, second, writer, codec, _ = results = [
        make_result(FIRST, consistency=0.6),
        make_result(SECOND),
        make_result("writer", role=Role.I2T),
        make_codec("vvc", 53, bpp=0.02, consistency=0.5, perception=0.2),
        make_result(SECOND, protocol="demo-1"),
    ]
    for result, shift in ((first, 0.0), (second, -0.15), (writer, -0.2)):
        write_pictures(folder / id_of(result), result, shift)
    write_pictures(folder / id_of(codec), codec, 0.0, modes=(Mode.IMAGE,))
    source = ListSource(results, folder)
    for label, count in (("v1", 3), ("v2", 4)):
        source.boards[label] = Snapshot(
            revision=label,
            results=tuple(results[:count]),
            statistics=(),
            read_at="2026-10-01T00:00:00.000Z",
        )
    return source
