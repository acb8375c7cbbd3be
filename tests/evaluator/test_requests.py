"""What cannot be run is refused before anything is computed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluator.bench import Bench
from evaluator.run import evaluate
from protocol.errors import InputError, ModelError, PictureError, WeightsError
from protocol.records import Request
from protocol.rules import Mode


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"t2i": None}, InputError, "name a T2I model"),
        ({"codec": "vvc:53"}, InputError, "leave out --i2t and --t2i"),
        ({"t2i": "magic:x"}, ModelError, "no T2I adapter 'magic'"),
        ({"i2t": "magic:x"}, ModelError, "no I2T adapter 'magic'"),
        ({"t2i": "start-image?strength_match=snr"}, ModelError, "has no setting strength_match"),
        ({"i2t": None, "t2i": None, "codec": "vvc:99"}, ModelError, "wanted a QP from 0 to 63"),
        ({"i2t": None, "t2i": None, "codec": "jpeg:\uff11\uff10"}, ModelError, "names no quality"),
        ({"i2t": None, "t2i": None, "codec": "jpeg:\u00b2"}, ModelError, "names no quality"),
        ({"i2t": None, "t2i": None, "codec": "jpeg:" + "1" * 5000}, ModelError, "no quality"),
        (
            {"i2t": None, "t2i": None, "codec": "jpeg:10", "modes": (Mode.TEXT, Mode.FULL)},
            InputError,
            "cannot do text, full; ask for image mode, or for none",
        ),
        ({"t2i": "diffusers"}, ModelError, "diffusers names no model"),
        ({"i2t": "file:"}, ModelError, r"wanted file:CAPTIONS\.csv"),
        ({"protocol": "cmc-0"}, InputError, "no protocol 'cmc-0'"),
        ({"images": Path("nowhere")}, PictureError, "nowhere is not a folder"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    changes: dict[str, Any], kind: type[Exception], message: str, ask: Callable[..., Request]
) -> None:
    with pytest.raises(kind, match=message):
        ask(**changes)


def test_what_cannot_be_run_is_refused_before_anything_is_computed(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], images: Path, tmp_path: Path
) -> None:
    bench = make_bench()
    with pytest.raises(InputError, match="start-image cannot do text"):
        evaluate(ask(modes=(Mode.TEXT,)), bench)
    codec = ask(i2t=None, t2i=None, codec="jpeg:010")
    assert codec.request_id == ask(i2t=None, t2i=None, codec="jpeg:10").request_id
    with pytest.raises(InputError, match="a codec sends a picture and cannot do text"):
        evaluate(replace(codec, modes=(Mode.TEXT,)), bench)
    with pytest.raises(InputError, match="names no I2T model"):
        evaluate(ask(i2t=None, modes=(Mode.FULL,)), bench)
    with pytest.raises(WeightsError, match=r"topiq-fr\.pth"):
        evaluate(ask(protocol="cmc-1"), replace(bench, weights=tmp_path))
    request = ask()
    (images / "SCI_screen_001.png").write_bytes((images / "NSI_pgc_000.png").read_bytes())
    with pytest.raises(InputError, match="does not hold the pictures of the request"):
        evaluate(request, bench)
    assert not bench.cache.folder.exists()


def test_a_damaged_ground_truth_picture_is_named(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], images: Path
) -> None:
    path = images / "SCI_screen_001.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(PictureError, match=r"SCI_screen_001\.png is no whole picture"):
        evaluate(ask(), make_bench())
