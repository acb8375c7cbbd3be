"""What programs ask: rows, records and pictures, by `gradio_client` and curl."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from protocol.errors import CMCError, InputError
from protocol.rules import Track
from space.formats import board_lines
from space.plain import public_record
from space.snapshot import say_briefly
from space.table import CONTENTS, TRACKS_SHOWN, board
from submission.wording import shown

if TYPE_CHECKING:
    from space.shop import Shop

Found = TypeVar("Found")


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
        return told(lambda: find_rows(shop, track, content))

    def record(request_id: str) -> dict[str, Any]:
        """Return the whole record of a finished request.

        Args:
            request_id: 20 hex digits, as in the rows.

        Returns:
            The request, all scores by mode and content, rates, costs and provenance.
        """
        return told(lambda: find_record(shop, request_id))

    def pictures(request_id: str) -> list[dict[str, Any]]:
        """Return what a run's gallery holds: captions, bits, scores, and paths of the pictures.

        Args:
            request_id: 20 hex digits, as in the rows.

        Returns:
            One object for each image and mode; picture paths are relative to the server's address.
        """
        return told(lambda: find_pictures(shop, request_id))

    from gradio import Error
    from gradio.events import api

    def told(find: Callable[[], Found]) -> Found:
        try:
            return find()
        except InputError as error:
            # Whoever asks wrongly is told; it is no fault of the server's, for its log.
            raise Error(str(error), print_exception=False) from error

    for function in (rows, record, pictures):
        api(function, api_name=function.__name__, queue=False)


def find_rows(shop: "Shop", track: str, content: str) -> list[dict[str, Any]]:
    """Return a board's rows.

    Raises:
        InputError: there is no such track or content.
    """
    if track not in [*TRACKS_SHOWN]:
        raise InputError(f"no board {_asked(track)}; there are {', '.join(TRACKS_SHOWN)}")
    if content not in [*CONTENTS]:
        raise InputError(f"no content {_asked(content)}; there are {', '.join(CONTENTS)}")
    return board_lines(board(Track(track), content, shop.rows))


def find_record(shop: "Shop", request_id: str) -> dict[str, Any]:
    """Return a result as plain values.

    Raises:
        InputError: there is none of this id.
    """
    for result in shop.keeper.snapshot.results:
        if result.request.request_id == request_id:
            return public_record(result)
    raise InputError(f"no result {_asked(request_id)}; the rows' `request` names those there are")


def find_pictures(shop: "Shop", request_id: str) -> list[dict[str, Any]]:
    """Return a gallery's pictures with paths that the server answers.

    Raises:
        InputError: the run left no pictures, or there is no such run, or the store is away.
    """
    stem = f"data/gallery/{request_id}"
    try:
        found = shop.find(f"{stem}.json")
    except (CMCError, OSError) as error:
        raise InputError(say_briefly(error)) from error
    if found is None:
        raise InputError(f"no pictures of {_asked(request_id)}")
    pictures: list[dict[str, Any]] = json.loads(found[0])["pictures"]
    for picture in pictures:
        for name in ("original", "sent", "decoded", "error_map"):
            picture[name] = picture[name] and f"{stem}/{picture[name]}"
    return pictures


def _asked(value: object) -> str:
    # A client may send anything, whatever the signatures say.
    return repr(shown(str(value), 40))
