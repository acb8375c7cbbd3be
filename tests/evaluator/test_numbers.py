"""Options that are numbers or name one thing: what cannot be meant is refused before any start."""

import json
from pathlib import Path

import pytest
from made_models import PAINTER

from evaluator.__main__ import main
from protocol.counts import counted
from protocol.errors import RecordError
from protocol.jsonable import from_json, to_json
from protocol.records import Cost
from protocol.rules import Mode

EVALUATE = ("evaluate", "--images", ".", "--out", "o", "--codec", "jpeg:10")
WORK = ("work", "--images", ".")
TRAIN = (
    *("indicators", "train", "topiq_fr", "--labels", "l", "--pictures", ".", "--references", "."),
    *("--out", "o", "--from-scratch"),
)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 pictures"), (1, "1 picture"), (1200, "1,200 pictures")]
)
def test_one_picture_is_not_called_pictures(count: int, said: str) -> None:
    assert counted(count, "picture") == said


@pytest.mark.parametrize(
    ("command", "option", "values"),
    [
        (WORK, "--poll", ("-5", "0", "nan", "inf", "1e30", "soon")),
        (EVALUATE, "--price-per-hour", ("nan", "-1", "inf", "1e300")),
        (EVALUATE, "--batch-size", ("0", "-1", "\uff11", "\u00b2", "1_0", "9" * 5000)),
        (EVALUATE, "--lanes", ("0", "-1", "1.5")),
        (TRAIN, "--epochs", ("0", "-1")),
        (TRAIN, "--batch-size", ("0", "-1")),
        (TRAIN, "--learning-rate", ("0", "nan", "-1")),
        (TRAIN, "--crop", ("-1",)),
        (TRAIN, "--seed", ("-1",)),
        (("statistics", "board"), "--seed", ("-1",)),
        (("statistics", "board"), "--resamples", ("0", "-1", "19", "1" * 17)),
        (("rates", "bd", "a", "b"), "--resamples", ("0", "19")),
        (("rates", "equal", "--images", ".", "--out", "o"), "--target-bpp", ("0", "nan", "inf")),
        (("encode", "a.png", "-o", "o"), "--target-bpp", ("0", "nan", "inf")),
        (("monitor", "http://x"), "--max-age-hours", ("nan", "-1", "inf")),
        (("monitor", "http://x"), "--timeout", ("0", "nan", "1e30")),
        (("reproduce", "a", "--images", "."), "--subset", ("0", "-1")),
        (("serve",), "--port", ("-1", "65536")),
        (("rate", "--ratings", "r"), "--port", ("-1", "65536")),
        (("demo",), "--port", ("-1", "65536")),
        (("submit", "--images", "."), "--gpu", ("foo",)),
        (("submit", "--images", ".", "--json"), "--gpu", ("foo",)),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(
    command: tuple[str, ...],
    option: str,
    values: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for value in values:
        with pytest.raises(SystemExit) as ended:
            main([*command, f"{option}={value}"])
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert f"argument {option}" in said.err
        assert ("wanted a" in said.err) == (option != "--gpu")


def test_a_system_that_is_named_twice_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--codec", "--i2t", "--t2i"):
        with pytest.raises(SystemExit) as ended:
            main(["evaluate", "--images", ".", "--out", "o", option, "jpeg:10", option, "avc:20"])
        assert ended.value.code == 2
        assert f"argument {option}: given twice" in capsys.readouterr().err


def test_a_number_in_range_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    missing = ("--store", "no-store-here")
    assert main([*WORK, *missing, "--poll", "0.5", "--price-per-hour", "0"]) == 1
    assert "no-store-here is no store" in capsys.readouterr().err


def test_json_holds_no_number_that_others_cannot_read() -> None:
    cost = Cost(mode=Mode.FULL, encode_seconds=1.0, decode_seconds=float("nan"))
    with pytest.raises(RecordError, match="a Cost holds a number that is not finite"):
        to_json(cost)
    text = to_json(cost, only_finite=False)
    assert str(from_json(Cost, text).decode_seconds) == "nan"


def test_an_estimate_is_made_for_each_gpu_that_is_offered(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, held in PAINTER.items():
        path = tmp_path / "painter" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(held)
    options = ["--t2i", f"diffusers:{tmp_path / 'painter'}", "--modes", "image", "--check"]
    command = ["submit", *options, "--images", str(images), "--store", str(tmp_path / "s")]
    assert main([*command, "--json", "--gpu", "h200"]) == 0
    assert json.loads(capsys.readouterr().out)["cost"]["gpu"] == "h200"
