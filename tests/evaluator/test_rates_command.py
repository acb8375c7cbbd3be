"""`cmc rates`: curves and equal rates of real codecs, and what their CSVs answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import paint

from evaluator.__main__ import main
from evaluator.rate_answers import bjontegaard, curve_points, equal_rate
from evaluator.rate_points import RatePoint, read_points, write_points
from protocol.errors import RecordError, StatisticsError

Tell = Callable[..., str]


@pytest.fixture
def tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tell:
    """Return a function that runs a command in this process and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CMC_CACHE", str(tmp_path / "cache"))

    def run(*arguments: object) -> str:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        assert status == 0, told.err
        return told.out

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures, two of each content, so that there are intervals."""
    path = tmp_path / "six"
    path.mkdir()
    for seed, content in enumerate(("NSI", "NSI", "SCI", "SCI", "AIGI", "AIGI")):
        paint(192, 176, seed=seed).save(path / f"{content}_made_{seed:03d}.png")
    return path


def made(codec: str, factor: float = 1.0, bonus: float = 0.0) -> list[RatePoint]:
    """Return five settings of a codec on six pictures; `factor` scales all its rates."""
    return [
        RatePoint(
            codec=codec,
            setting=str(setting),
            name=f"{content}_made_{number:03d}.png",
            bits_per_pixel=factor * 0.02 * 2**setting * (1 + number / 10),
            indicator="psnr",
            score=20.0 + 3 * setting - number + bonus,
        )
        for setting in range(5)
        for content in ("NSI", "SCI", "AIGI")
        for number in range(2)
    ]


def test_real_curves_rise_with_the_rate_and_give_a_bd_rate(tell: Tell, folder: Path) -> None:
    curve = ("rates", "curve", "--images", folder, "--indicator", "psnr", "--json")
    tell(*curve, "--codec", "avc", "--qualities", "48,42,36,30", "--out", "avc.csv")
    jpeg = tell(*curve, "--codec", "jpeg", "--qualities", "5,15,30,60", "--out", "jpeg.csv")
    points = json.loads(jpeg)
    assert [point["setting"] for point in points] == ["5", "15", "30", "60"]
    assert [p["score"] for p in points] == sorted(p["score"] for p in points)
    text = tell("rates", "bd", "jpeg.csv", "avc.csv", "--indicator", "psnr")
    assert "avc against jpeg, psnr" in text
    assert "6 pictures" in text
    front = tell("rates", "front", "jpeg.csv", "avc.csv", "--indicator", "psnr")
    assert "on the front" in front


def test_two_real_codecs_meet_at_a_target_rate(tell: Tell, folder: Path, tmp_path: Path) -> None:
    told = tell(
        *("rates", "equal", "--images", folder, "--codec", "jpeg", "--codec", "webp"),
        *("--target-bpp", "1.0", "--indicator", "psnr", "--out", "equal.csv", "--json"),
    )
    answer = json.loads(told)
    assert answer["result"]["images"] == 6
    assert answer["largest_rate_gap"] < 0.2
    points = read_points(tmp_path / "equal.csv")
    assert {point.codec for point in points} == {"jpeg", "webp"}
    assert len(points) == 12


def test_too_few_pictures_for_equal_rates_are_found_before_any_is_coded(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, out = tmp_path / "cache", tmp_path / "equal.csv"
    asked = ["rates", "equal", "--images", str(images), "--codec", "jpeg", "--codec", "webp"]
    asked += ["--target-bpp", "1", "--indicator", "psnr", "--cache", str(cache)]
    assert main([*asked, "--out", str(out)]) == 1
    assert "one image of" in capsys.readouterr().err
    assert not cache.exists()
    assert not out.exists()


def test_a_codec_is_compared_with_a_system_at_its_own_rate_a_picture(
    tell: Tell, folder: Path
) -> None:
    run = ("evaluate", "--codec", "avc:40", "--images", folder, "--protocol", "demo-0")
    tell(*run, "--out", "run")
    told = tell(
        *("rates", "equal", "--images", folder, "--codec", "webp"),
        *("--like", "run/per_image.parquet", "--indicator", "ms_ssim", "--out", "e.csv", "--json"),
    )
    answer = json.loads(told)
    assert (answer["first"], answer["second"]) == ("run", "webp")
    assert answer["result"]["images"] == 6


def test_a_tenth_fewer_bits_is_minus_ten_percent_with_an_interval_of_no_width() -> None:
    found = bjontegaard(made("a"), made("b", 0.9), "psnr", resamples=200, seed=0).rate_percent
    assert found is not None
    assert found.value.value == pytest.approx(-10)
    assert (found.interval_low, found.interval_high) == pytest.approx((-10, -10), abs=1e-6)


def test_interval_widens_when_pictures_disagree() -> None:
    test = [
        replace(point, bits_per_pixel=point.bits_per_pixel * (0.7 if "000" in point.name else 1.2))
        for point in made("b")
    ]
    found = bjontegaard(made("a"), test, "psnr", resamples=200, seed=0).rate_percent
    assert found is not None
    assert found.interval_low is not None
    assert found.interval_high is not None
    assert found.interval_high - found.interval_low > 5
    assert found.interval_low < found.value.value < found.interval_high


def test_one_picture_of_a_content_is_the_reason_for_no_interval() -> None:
    few = [[p for p in made(codec) if "000" in p.name] for codec in ("a", "b")]
    found = bjontegaard(few[0], few[1], "psnr", resamples=50, seed=0).rate_percent
    assert found is not None
    assert (found.interval_low, found.undefined) == (None, 0)
    assert "an interval needs at least two images of each content" in found.interval_reason


def test_a_falling_score_has_a_reason_instead_of_a_bd_rate() -> None:
    falling = [replace(p, score=-(p.score or 0.0)) for p in made("b")]
    found = bjontegaard(made("a"), falling, "psnr", resamples=50, seed=0)
    assert found.rate_percent is None
    assert "does not rise" in found.rate_reason
    assert found.score is not None


def test_a_picture_without_a_score_is_never_left_out_of_a_curve() -> None:
    points = made("a")
    points[3] = replace(points[3], score=None)
    with pytest.raises(StatisticsError, match="1 pictures of a 0 have no psnr score"):
        curve_points(points, "psnr")
    with pytest.raises(StatisticsError, match="lacks 1 of 30"):
        bjontegaard(points, made("b"), "psnr", resamples=50, seed=0)
    with pytest.raises(StatisticsError, match="not the same"):
        bjontegaard(
            made("a"), [p for p in made("b") if "NSI" not in p.name], "psnr", resamples=50, seed=0
        )


def test_the_front_is_over_all_codecs() -> None:
    found = curve_points(made("a") + made("b", 0.9), "psnr")
    assert {point.codec for point in found if point.is_on_front} == {"b"}


def test_a_front_is_over_the_same_pictures_each_once() -> None:
    fewer = [point for point in made("b") if "NSI" not in point.name]
    with pytest.raises(StatisticsError, match="b 0 has 4 of the 6 pictures"):
        curve_points(made("a") + fewer, "psnr")
    with pytest.raises(StatisticsError, match="a 0 has 2 points of NSI_made_000"):
        curve_points(made("a") + made("a", 0.9), "psnr")
    with pytest.raises(StatisticsError, match="a 0 has 2 points of NSI_made_000"):
        bjontegaard(made("a") + made("a", 0.9), made("b"), "psnr", resamples=50, seed=0)


def test_equal_rates_want_one_point_a_picture() -> None:
    one = [point for point in made("a") if point.setting == "2"]
    two = [point for point in made("b", bonus=0.5) if point.setting == "2"]
    found = equal_rate(one, two, "psnr", resamples=100, seed=0)
    assert found.result.difference.value == pytest.approx(-0.5)
    assert found.largest_rate_gap == 0
    with pytest.raises(StatisticsError, match="several points"):
        equal_rate(made("a"), two, "psnr", resamples=100, seed=0)


def test_points_survive_their_csv(tmp_path: Path) -> None:
    points = [*made("a"), replace(made("a")[0], name="NSI_made_009.png", score=None)]
    write_points(tmp_path / "a.csv", points)
    assert read_points(tmp_path / "a.csv") == points


def test_another_csv_is_refused_with_the_columns_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,text\nx,y\n")
    with pytest.raises(RecordError, match="columns codec, setting"):
        read_points(tmp_path / "a.csv")
    with pytest.raises(RecordError, match="is missing"):
        read_points(tmp_path / "b.csv")


@pytest.mark.parametrize(("rate", "score"), [("0.2", "nan"), ("inf", "0.3"), ("0", "0.3")])
def test_rates_and_scores_that_are_no_numbers_are_refused_by_their_row(
    rate: str, score: str, tmp_path: Path
) -> None:
    head = "codec,setting,name,bits_per_pixel,indicator,score\n"
    (tmp_path / "a.csv").write_text(f"{head}vvc,52,foo.png,{rate},ssim,{score}\n")
    with pytest.raises(RecordError, match=r"foo\.png at 52: rate .*, score "):
        read_points(tmp_path / "a.csv")
