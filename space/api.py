"""What programs ask: rows, records and pictures, by `gradio_client` and curl."""

from typing import TYPE_CHECKING, Any

from protocol.errors import InputError
from protocol.jsonable import to_plain
from protocol.rules import Track
from space.formats import board_lines
from space.gallery import read_gallery
from space.plain import public_record
from space.table import CONTENTS, TRACKS_SHOWN, board

if TYPE_CHECKING:
    from space.shop import Shop


def add_api(shop: "Shop") -> None:
    """Add the endpoints to the Blocks around the call."""

    def rows(track: str = "t2i-ulb", content: str = "all") -> list[dict[str, Any]]:
        """Return a board's rows, best first.

        Args:
            track: one of t2i-ulb, t2i-elb, t2i, i2t, codec.
            content: one of all, NSI, SCI, AIGI.

        Returns:
            One object a row; equal `bench` means that two rows may be compared.
        """
        return find_rows(shop, track, content)

    def record(request_id: str) -> dict[str, Any]:
        """Return the whole record of a finished request.

        Args:
            request_id: 20 hex digits, as in the rows.

        Returns:
            The request, all scores by mode and content, rates, costs and provenance.
        """
        return find_record(shop, request_id)

    def pictures(request_id: str) -> list[dict[str, Any]]:
        """Return what a run's gallery holds: captions, bits, scores, and paths of the pictures.

        Args:
            request_id: 20 hex digits, as in the rows.

        Returns:
            One object for each image and mode; picture paths are relative to the server's address.
        """
        return find_pictures(shop, request_id)

    from gradio.events import api

    for function in (rows, record, pictures):
        api(function, api_name=function.__name__, queue=False)


def find_rows(shop: "Shop", track: str, content: str) -> list[dict[str, Any]]:
    """Return a board's rows.

    Raises:
        InputError: there is no such track or content.
    """
    if track not in list(TRACKS_SHOWN):
        raise InputError(f"no board {track!r}; there are {', '.join(TRACKS_SHOWN)}")
    if content not in CONTENTS:
        raise InputError(f"no content {content!r}; there are {', '.join(CONTENTS)}")
    return board_lines(board(Track(track), content, shop.rows))


def find_record(shop: "Shop", request_id: str) -> dict[str, Any]:
    """Return a result as plain values.

    Raises:
        InputError: there is none of this id.
    """
    for result in shop.keeper.snapshot.results:
        if result.request.request_id == request_id:
            return public_record(result)
    raise InputError(f"no result {request_id[:40]!r}; the rows' `request` names those there are")


def find_pictures(shop: "Shop", request_id: str) -> list[dict[str, Any]]:
    """Return a gallery's pictures with paths that the server answers.

    Raises:
        InputError: the run left no pictures, or there is no such run.
    """
    gallery = read_gallery(shop.keeper.source, request_id)
    if gallery is None:
        raise InputError(f"no pictures of {request_id[:40]!r}")
    stem = f"data/gallery/{request_id}"
    pictures = []
    for picture in gallery.pictures:
        plain = to_plain(picture)
        for name in ("original", "sent", "decoded", "error_map"):
            plain[name] = plain[name] and f"{stem}/{plain[name]}"
        pictures.append(plain)
    return pictures
