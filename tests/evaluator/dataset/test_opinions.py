"""The labels of a release: from what viewers gave in the browser to the tables mos and ratings."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from conftest import paint
from make_release import archives_of, made_captions, pack, png

from dataset_cards.cmc_bench.features import CMC_BENCH, MOS, MOS_REFERENCES, RATINGS
from dataset_cards.layout import list_shards
from dataset_cards.parquet import read_rows, write_rows
from dataset_cards.schema import Config
from evaluator.__main__ import main
from evaluator.dataset.folder import finish
from evaluator.dataset.labels import PICTURE_COLUMNS, SCORE_COLUMNS
from protocol.rating_log import RatingLog
from protocol.ratings import COLUMNS, Rated, Rating

PICTURES = 12
"""Of one session; fewer than 10 would be too few for its mean."""
VIEWERS = ("Ada Lovelace", "Bob", "Chen")
TIME = "2026-01-01T10:{0:02d}:00+00:00"
RESCORED = TIME.format(59)


def rating(viewer: str, picture: int, dimension: Rated, value: float, time: str = "") -> Rating:
    return Rating(
        viewer=viewer,
        image=f"RealVis/d{picture:02d}.png",
        dimension=dimension,
        rating=value,
        time=time or TIME.format(picture),
        session="g0",
    )


def rate(folder: Path) -> Path:
    """Have viewers rate as `cmc rate` has them: one flags a picture, one changes an answer."""
    log, rng = RatingLog(folder), np.random.default_rng(0)
    truth = np.linspace(1, 4, PICTURES)
    for name in VIEWERS:
        viewer = log.pseudonym(name)
        for picture in range(PICTURES):
            for dimension in (Rated.CONSISTENCY, Rated.PERCEPTION):
                value = float(np.clip(truth[picture] + rng.normal(0, 0.2), 0, 5).round(2))
                log.append(rating(viewer, picture, dimension, value))
        if name == "Bob":
            log.append(rating(viewer, 1, Rated.NSFW, 1))
            log.append(rating(viewer, 0, Rated.PERCEPTION, 0.25, RESCORED))
    return folder


def mos_csv(**scores: object) -> str:
    """Return mos.csv; without scores they are for `cmc mos` to compute."""
    lines = [",".join([*PICTURE_COLUMNS, "image", *scores])]
    lines += [
        ",".join(map(str, (f"{i}.png", "r0.png", "RealVis", "full", 0.5, f"RealVis/d{i:02d}.png")))
        + "".join(f",{value}" for value in scores.values())
        for i in range(PICTURES)
    ]
    return "\n".join(lines)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release with one ground truth, and twelve rated pictures."""
    name = "NSI_pgc_000.png"
    expected = {"mos": PICTURES, "mos_references": 1, "viewers": len(VIEWERS)}
    folder = tmp_path / "release"
    pack(folder, archives_of({name: png(paint(64, 64))}), made_captions([name]), **expected)
    for archive, names in (
        ("iqa-original.zip", ["r0.png"]),
        ("iqa-distort.zip", [f"{i}.png" for i in range(PICTURES)]),
    ):
        with zipfile.ZipFile(folder / archive, "w") as file:
            for seed, path in enumerate(names):
                file.writestr(path, png(paint(64, 64, seed=seed)))
    (folder / "mos.csv").write_text(mos_csv())
    log = rate(tmp_path / "log")
    exported = ["rate", "--ratings", str(log), "--export", str(folder / "ratings.csv")]
    assert main(exported) == 0
    return folder


def import_it(release: Path) -> int:
    out, expect = release.parent / "out", release / "expect.json"
    arguments = ["import", str(release), "--out", str(out), "--expect", str(expect)]
    return main(["dataset", *arguments])


def rows_of(folder: Path, config: Config) -> list[dict[str, Any]]:
    return [row for shard in list_shards(folder, config) for row in read_rows(folder / shard.path)]


def scores_of(ratings: Path, out: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return what `cmc mos` writes, by picture and dimension."""
    assert main(["mos", str(ratings), "-o", str(out)]) == 0
    with out.open(newline="") as file:
        return {(row["image"], row["dimension"]): row for row in csv.DictReader(file)}


def test_exported_ratings_are_the_table_that_mos_reads_and_that_mos_holds(
    release: Path, tmp_path: Path
) -> None:
    assert import_it(release) == 0
    out = tmp_path / "out"
    expect = str(release / "expect.json")
    assert main(["dataset", "validate", str(out), "--expect", expect]) == 0
    loaded = datasets.load_dataset(str(out), "ratings", cache_dir=str(tmp_path / "hf"))["test"]
    assert tuple(loaded.column_names) == COLUMNS
    assert len(loaded) == len(VIEWERS) * PICTURES * 2 + 2
    assert set(loaded["viewer"]) == {"viewer-01", "viewer-02", "viewer-03"}
    assert set(loaded["image"]) == {f"{i}.png" for i in range(PICTURES)}
    given = loaded.filter(lambda row: row["time"] == RESCORED)[0]
    assert (given["image"], given["rating"]) == ("0.png", 0.25), "a changed answer is kept"

    exported = scores_of(release / "ratings.csv", tmp_path / "exported.csv")
    loaded.to_csv(tmp_path / "loaded.csv")
    (shard,) = list_shards(out, RATINGS)
    for source in (out / shard.path, tmp_path / "loaded.csv"):
        scores = scores_of(source, tmp_path / "again.csv")
        assert len(scores) == 2 * PICTURES
        for (image, dimension), score in scores.items():
            name = f"RealVis/d{int(Path(image).stem):02d}.png"
            assert {**score, "image": name} == exported[name, dimension]
    for row in rows_of(out, MOS):
        for dimension in ("consistency", "perception"):
            score = scores[row["distorted"], dimension]
            assert f"{row[f'{dimension}_mos']:.6f}" == score["mos"]
            error = row[f"{dimension}_sd"] / row["viewers"] ** 0.5
            assert f"{error:.6f}" == score["standard_error"]
            assert str(row["viewers"]) == score["ratings"]
        assert str(row["nsfw_reports"]) == score["nsfw_reports"]
    assert sum(row["nsfw_reports"] for row in rows_of(out, MOS)) == 1
    assert [row["name"] for row in rows_of(out, MOS_REFERENCES)] == ["r0.png"]


def test_the_names_of_viewers_are_in_no_file(release: Path, tmp_path: Path) -> None:
    path = release / "ratings.csv"
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    names = dict(zip(sorted({line["viewer"] for line in lines}), VIEWERS, strict=True))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({**line, "viewer": names[line["viewer"]]} for line in lines)
    assert import_it(release) == 0
    made = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"Lovelace" not in made


def test_released_scores_are_kept_as_released(release: Path, tmp_path: Path) -> None:
    scores = dict(zip(SCORE_COLUMNS, (2.5, 0.1, 3.5, 0.2, 3, 0), strict=True))
    (release / "mos.csv").write_text(mos_csv(**scores).replace("3,0\n1.png", "2,0\n1.png"))
    lines = (release / "ratings.csv").read_text().splitlines()
    kept = [line for line in lines if ",nsfw," not in line]
    (release / "ratings.csv").write_text("\n".join(kept))
    assert import_it(release) == 0
    found = rows_of(tmp_path / "out", MOS)
    assert [row["viewers"] for row in found] == [2, *[3] * (PICTURES - 1)]
    assert {row["perception_mos"] for row in found} == {3.5}


def test_broken_labels_are_named(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expect = release / "expect.json"
    stated = json.loads(expect.read_text())
    expect.write_text(json.dumps({**stated, "mos": 13, "viewers": 20}))
    scores = dict(zip(SCORE_COLUMNS, (2.5, 0.1, 3.5, 0.2, 7, 2), strict=True))
    table = mos_csv(**scores).replace("0.png,r0.png", "0.png,r9.png", 1)
    (release / "mos.csv").write_text(table)
    with (release / "ratings.csv").open("a") as file:
        file.write(f"Bob,d99.png,consistency,3,{TIME.format(1)},g0\n")
        file.write(f"Eve,RealVis/d00.png,perception,7,{TIME.format(1)},g0\n")
        file.write(f"Eve,RealVis/d00.png,beauty,3,{TIME.format(1)},g0\n")
    assert import_it(release) == 1
    said = capsys.readouterr().err
    for fault in (
        "rates a picture that mos.csv has not: d99.png",
        "range: 'perception' '7' of 0.png",
        "dimension: 'beauty' '3' of 0.png",
        "mos.csv, 1.png: 2 reports as offensive; ratings.csv has 1",
        "mos.csv, 2.png: 7 viewers, 3 rated it",
        "mos.csv, 0.png: its reference r9.png is missing",
        "mos.csv: 12 pictures; wanted 13",
        "ratings.csv: 4 viewers; wanted 20",
    ):
        assert fault in said
    assert "Bob" not in said, "names of viewers are in no message"


def test_scores_in_part_and_ratings_of_too_few_are_named(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (release / "mos.csv").write_text(mos_csv(viewers=3))
    assert import_it(release) == 1
    assert "give all scores or none" in capsys.readouterr().err
    (release / "mos.csv").write_text(mos_csv())
    lines = (release / "ratings.csv").read_text().splitlines()
    (release / "ratings.csv").write_text("\n".join(lines[:20]))
    assert import_it(release) == 1
    assert "ratings.csv: none of 3 viewers is left in consistency: viewer-01 short-session" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("names", [("SD 1.5", "SD-1.5"), ("模型一", "模型二")])
def test_models_whose_folders_have_one_name_keep_all_their_pictures(
    release: Path, tmp_path: Path, names: tuple[str, str]
) -> None:
    lines = mos_csv().split("\n")
    lines = [line.replace("RealVis,", f"{names[i % 2]},") for i, line in enumerate(lines)]
    (release / "mos.csv").write_text("\n".join(lines))
    assert import_it(release) == 0
    found = [row["t2i"] for row in rows_of(tmp_path / "out", MOS)]
    assert sorted(found) == sorted([*names] * (PICTURES // 2))


SCORES = dict(zip(SCORE_COLUMNS, (2.5, 0.1, 3.5, 0.2, 3, 0), strict=True))


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (mos_csv() + "\n0.png,r0.png,SDXL,full,0.9,x.png", "14: distorted 0.png is that of line 2"),
        (mos_csv().replace("d01.png", "d00.png"), "3: image RealVis/d00.png is that of line 2 too"),
        (mos_csv().replace(",0.5,", ",nan,", 1), "2: strength cannot be read: nan is not finite"),
        (mos_csv().replace(",0.5,", ",7.5,", 1), "2: strength cannot be read: 7.5; wanted 0 to 1"),
        (mos_csv().replace("RealVis,", ",", 1), "2: t2i cannot be read: empty"),
        (mos_csv(**SCORES | {"perception_mos": "inf"}), "2: perception_mos cannot be read: inf is"),
        (mos_csv(**SCORES | {"perception_sd": -1}), "2: perception_sd cannot be read: -1; wanted"),
        (mos_csv(**SCORES | {"viewers": 0}), "2: viewers cannot be read: 0; wanted 1 or more"),
        (mos_csv() + ",more", "13: has more fields than there are columns"),
        (mos_csv() + '\n"', "is no CSV in UTF-8: unexpected end of data"),
    ],
)
def test_a_line_of_labels_that_cannot_be_meant_is_named(
    release: Path, capsys: pytest.CaptureFixture[str], table: str, fault: str
) -> None:
    (release / "mos.csv").write_text(table)
    assert import_it(release) == 1
    said = capsys.readouterr().err
    assert f"mos.csv, line {fault}" in said or f"mos.csv: {fault}" in said
    assert "rates a picture that mos.csv has not" not in said


@pytest.mark.parametrize("name", ["mos.csv", "ratings.csv"])
def test_labels_in_another_encoding_are_refused(
    release: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = release / name
    path.write_bytes(path.read_bytes().replace(b"0.5,", b"\xe9,").replace(b",g0", b",\xe9"))
    assert import_it(release) == 1
    assert f"{name}: is no CSV in UTF-8" in capsys.readouterr().err


def test_a_released_score_of_one_viewer_has_no_spread(release: Path, tmp_path: Path) -> None:
    lines = (release / "ratings.csv").read_text().splitlines()
    (release / "ratings.csv").write_text("\n".join(x for x in lines if ",nsfw," not in x))
    scores = SCORES | {"viewers": 1, "consistency_sd": "", "perception_sd": ""}
    (release / "mos.csv").write_text(mos_csv(**scores))
    assert import_it(release) == 0
    assert {row["perception_sd"] for row in rows_of(tmp_path / "out", MOS)} == {None}


def test_a_picture_with_two_scores_is_named(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_it(release) == 0
    out = tmp_path / "out"
    for config in (MOS, MOS_REFERENCES):
        (shard,) = list_shards(out, config)
        rows = rows_of(out, config)
        write_rows(out / shard.path, config, [*rows, rows[0]], "changed")
    finish(out, CMC_BENCH)
    assert main(["dataset", "validate", str(out), "--expect", str(release / "expect.json")]) == 1
    said = capsys.readouterr().err
    assert "mos, 0.png: comes twice" in said
    assert "mos_references, r0.png: comes twice" in said
