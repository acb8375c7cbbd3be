"""`cmc rescore`: the rows' own pictures, by other indicators, kept beside the results."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluator.__main__ import main
from protocol.evidence import current_evidence
from protocol.records import IndicatorUse, Score
from protocol.rules import Content, Dimension, Mode
from protocol.secondary import RowScores, SecondaryScores, merge_scores
from submission.evidence import read_evidence
from submission.store import FolderStore

Rescore = Callable[..., int]


@pytest.fixture
def store(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """Two codecs' rows on three pictures, as a worker leaves them."""
    monkeypatch.chdir(tmp_path)
    common = ["--images", str(images), "--protocol", "demo-0"]
    for quality in (50, 30):
        assert main(["submit", "--codec", f"avc:{quality}", *common]) == 0
    assert main(["work", "--images", str(images), "--cache", str(tmp_path / "cache")]) == 0
    return FolderStore(tmp_path / "cmc-store")


@pytest.fixture
def rescore(images: Path, tmp_path: Path) -> Rescore:
    def run(*more: str, cache: str = "cache") -> int:
        where = ["--images", str(images), "--cache", str(tmp_path / cache)]
        return main(["rescore", *where, *more])

    return run


def kept(store: FolderStore) -> dict[str, SecondaryScores]:
    return {one.indicator.name: one for one in read_evidence(store.beside).secondary}


def test_rows_are_scored_by_content_and_kept_beside_the_results(
    store: FolderStore, rescore: Rescore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rescore("--indicator", "ssim", "--indicator", "psnr") == 0
    found = kept(store)
    assert set(found) == {"ssim", "psnr"}
    ids = {result.request.request_id for result in store.results()}
    assert {row.request_id for row in found["ssim"].rows} == ids
    for row in found["ssim"].rows:
        assert [score.content for score in row.scores] == [None, *Content]
        assert all(0 < (score.mean or 0) <= 1 for score in row.scores)
    assert all(1 < (score.mean or 0) < 100 for row in found["psnr"].rows for score in row.scores)
    assert "AVC QP 50  ssim" in capsys.readouterr().out


def test_one_content_s_scores_make_no_mean_over_all(store: FolderStore, rescore: Rescore) -> None:
    assert rescore("--indicator", "ssim", "--content", "SCI") == 0
    for row in kept(store)["ssim"].rows:
        assert [(score.content, score.images) for score in row.scores] == [(Content.SCI, 1)]


def test_a_content_that_is_scored_again_takes_no_other_content_s_means_away(
    store: FolderStore, rescore: Rescore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rescore("--indicator", "ssim") == 0
    first, second = (result.request.request_id for result in store.results())
    capsys.readouterr()
    asked = ("--indicator", "ssim", "--indicator", "psnr", "--content", "NSI", "--json")
    assert rescore(first, *asked) == 0
    told, other = json.loads(capsys.readouterr().out)
    assert [one["indicator"]["name"] for one in (told, other)] == ["ssim", "psnr"]
    assert [row["request_id"] for row in told["rows"]] == [first]
    assert [score["content"] for score in told["rows"][0]["scores"]] == ["NSI"]
    rows = {row.request_id: [s.content for s in row.scores] for row in kept(store)["ssim"].rows}
    assert rows == {first: [None, *Content], second: [None, *Content]}


def test_ranking_indicators_unknown_ones_and_unknown_rows_are_refused(
    store: FolderStore, rescore: Rescore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rescore("--indicator", "ms_ssim") == 1
    assert "rows of demo-0 are ranked by ms_ssim" in capsys.readouterr().err
    assert rescore("--indicator", "simm") == 1
    assert rescore("0" * 20, "--indicator", "ssim") == 1
    assert "holds no result of 0000" in capsys.readouterr().err
    assert kept(store) == {}


def test_pictures_that_are_not_the_row_s_are_refused(
    store: FolderStore,
    rescore: Rescore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from evaluator.codecs import avc

    # What another build of the decoder may do.
    decode = avc.decode
    monkeypatch.setattr(avc, "decode", lambda *given: decode(*given).point(lambda v: v ^ 1))
    assert rescore("--indicator", "ssim", cache="elsewhere") == 1
    assert "run this where the row was run" in capsys.readouterr().err
    assert kept(store) == {}


def made(request_id: str, mean: float, version: str = "1") -> SecondaryScores:
    score = Score(
        mode=Mode.FULL,
        dimension=Dimension.FR,
        content=None,
        images=1,
        not_scored=0,
        mean=mean,
    )
    return SecondaryScores(
        protocol="demo-0",
        dataset_sha256="1" * 64,
        indicator=IndicatorUse(
            dimension=Dimension.FR,
            name="ssim",
            implementation=version,
            weights_sha256="",
            weights_origin="",
        ),
        rows=(RowScores(request_id=request_id, per_image_sha256="a", scores=(score,)),),
    )


def test_another_version_of_an_indicator_takes_the_older_one_s_rows_away() -> None:
    both = merge_scores(made("one", 0.1), made("two", 0.2))
    assert [row.request_id for row in both.rows] == ["one", "two"]
    again = merge_scores(both, made("one", 0.3))
    assert [row.scores[0].mean for row in again.rows] == [0.2, 0.3]
    assert merge_scores(both, made("one", 0.3, version="2")).rows == made("one", 0.3).rows


def test_means_of_an_earlier_result_of_the_row_are_not_kept_beside_the_new_ones() -> None:
    old = made("one", 0.1)
    row = replace(old.rows[0], per_image_sha256="b", scores=())
    assert merge_scores(old, replace(old, rows=(row,))).rows == (row,)


def test_scores_of_another_result_of_the_row_are_as_good_as_absent(
    store: FolderStore, rescore: Rescore
) -> None:
    assert rescore("--indicator", "ssim") == 0
    evidence, results = read_evidence(store.beside), store.results()
    assert current_evidence(evidence, results) == evidence
    changed = [replace(result, per_image_sha256="0" * 64) for result in results]
    (left,) = current_evidence(evidence, changed).secondary
    assert left.rows == ()


def test_a_row_is_exported_with_the_curve_that_it_is_a_point_of(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    results = store.results()
    capsys.readouterr()
    for result in results:
        assert main(["export", result.request.request_id, "--format", "compressai"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["name"] == "AVC"
        assert told["results"]["bpp"] == sorted(
            rate.bits_per_pixel for one in results for rate in one.rates if rate.content is None
        )
    assert main(["export", "0" * 20, "--format", "compressai"]) == 1
