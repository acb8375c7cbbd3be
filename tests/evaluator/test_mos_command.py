"""`cmc mos` from a file of ratings to a file of scores."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator.__main__ import main
from evaluator.opinions import read_ratings
from protocol.errors import RatingError
from protocol.rating_log import RatingLog
from protocol.ratings import COLUMNS, Rated, Rating
from submission.beside import FolderBeside
from submission.evidence import read_evidence


def rows(*, clicker: bool = True) -> list[dict[str, str]]:
    """Return the ratings of five viewers, the last of whom clicks at random."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 4, 40)
    return [
        {
            "viewer": f"v{viewer}",
            "image": f"image_{at:02d}.png",
            "dimension": dimension,
            "rating": f"{rng.uniform(0, 5) if clicker and viewer == 4 else value:.2f}",
            "time": f"2026-01-01T10:{at:02d}:00Z",
            "session": "g0",
        }
        for dimension in ("consistency", "perception")
        for viewer in range(5)
        for at, value in enumerate(np.clip(truth + rng.normal(0, 0.2, 40), 0, 5))
    ]


def write(path: Path, lines: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return path


def parquet_of(columns: dict[str, list[str]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_scores_and_refused_ratings_are_written_with_their_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = {**rows()[0], "dimension": "nsfw", "rating": "1", "image": "image_03.png"}
    wrong = {**rows()[0], "rating": "6", "image": "image_99.png"}
    path = write(tmp_path / "ratings.csv", [*rows(), flag, wrong])
    assert main(["mos", str(path), "-o", str(tmp_path / "mos.csv")]) == 0
    told = capsys.readouterr().out
    assert "consistency: 40 images, 4 of 5 viewers" in told
    assert "removed v4: outlier" in told
    assert "refused 81 ratings: 80 outlier, 1 range" in told
    scores = read(tmp_path / "mos.csv")
    assert len(scores) == 80
    assert {row["ratings"] for row in scores} == {"4"}
    assert [row["nsfw_reports"] for row in scores[:5]] == ["0", "0", "0", "1", "0"]
    refused = read(tmp_path / "mos.refused.csv")
    assert refused[-1] == {
        "line": "403",
        "viewer": "v0",
        "image": "image_99.png",
        "dimension": "consistency",
        "rating": "6",
        "reason": "range",
    }


def test_a_store_keeps_how_the_viewers_used_the_scale_and_no_pseudonym(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.csv", rows())
    kept = ["--store", str(tmp_path / "store"), "--study", "mine"]
    assert main(["mos", str(path), "-o", str(tmp_path / "mos.csv"), *kept]) == 0
    (study,) = read_evidence(FolderBeside(tmp_path / "store")).studies
    assert study.name == "mine"
    assert [viewer.number for viewer in study.viewers if viewer.dimension == "consistency"] == [
        *(1, 2, 3, 4, 5)
    ]
    (file,) = (tmp_path / "store" / "evidence").glob("*/studies.json")
    assert '"v4"' not in file.read_text()


def test_parquet_and_csv_give_the_same_scores(tmp_path: Path) -> None:
    lines = rows(clicker=False)
    write(tmp_path / "a.csv", lines)
    typed = [{**line, "rating": float(line["rating"])} for line in lines]
    pq.write_table(pa.Table.from_pylist(typed), tmp_path / "b.parquet")
    for name in ("a.csv", "b.parquet"):
        assert main(["mos", str(tmp_path / name), "-o", str(tmp_path / f"{name}.mos")]) == 0
    assert (tmp_path / "a.csv.mos").read_bytes() == (tmp_path / "b.parquet.mos").read_bytes()


def test_a_file_that_cannot_be_used_leaves_earlier_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mos.csv").write_text("earlier")
    path = write(tmp_path / "ratings.csv", [{**rows()[0], "rating": "x"}])
    assert main(["mos", str(path), "-o", str(tmp_path / "mos.csv")]) == 1
    assert "no usable consistency rating; refused: 1 number" in capsys.readouterr().err
    assert (tmp_path / "mos.csv").read_text() == "earlier"


def test_scores_never_take_the_place_of_their_ratings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "ratings.csv", rows())
    before = path.read_bytes()
    (tmp_path / "link.csv").symlink_to(path)
    assert main(["mos", str(path), "-o", str(tmp_path / "link.csv")]) == 1
    assert "would take the ratings' place" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_columns_may_stand_in_any_order_and_a_short_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "session,note,viewer,image,dimension,rating,time\n"
        "g0,x,v1,a.png,consistency,3,2026-01-01T10:00:00Z\n"
        "\n"
        "g0,x,v1,b.png\n"
    )
    parsed = read_ratings(tmp_path / "a.csv")
    assert [(r.image, r.rating, r.session) for r in parsed.ratings] == [("a.png", 3, "g0")]
    assert [(item.line, item.reason) for item in parsed.refused] == [(4, "missing")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"name,text\n", "lacks the columns viewer"),
        ("a.csv", b"", "it has none"),
        ("a.csv", b"\xff\xfe\x00", "no CSV in UTF-8"),
        ("a.parquet", b"PAR1", "no Parquet"),
        ("a.parquet", parquet_of({"viewer": ["v0"]}), "lacks the columns image"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RatingError, match=message):
        read_ratings(tmp_path / name)
    with pytest.raises(RatingError, match="is missing"):
        read_ratings(tmp_path / "none.csv")


def test_what_the_page_kept_is_exported_and_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = RatingLog(tmp_path / "study")
    for line in rows(clicker=False):
        viewer = log.pseudonym(line["viewer"])
        log.append(
            Rating(
                viewer=viewer,
                image=line["image"],
                dimension=Rated(line["dimension"]),
                rating=float(line["rating"]),
                time=line["time"],
                session=line["session"],
            )
        )
    for name in ("ratings.csv", "ratings.parquet"):
        exported = tmp_path / name
        assert main(["rate", "--ratings", str(log.folder), "--export", str(exported)]) == 0
        assert "400 ratings of 5 viewers" in capsys.readouterr().out
        assert main(["mos", str(exported), "-o", str(tmp_path / f"{name}.mos")]) == 0
    first, second = (tmp_path / f"{name}.mos" for name in ("ratings.csv", "ratings.parquet"))
    assert first.read_bytes() == second.read_bytes()
    assert main(["rate", "--ratings", str(log.folder), "--forget", "V0"]) == 0
    assert "80 ratings removed" in capsys.readouterr().out.splitlines()[-1]


def test_an_empty_study_exports_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = tmp_path / "study", tmp_path / "a.csv"
    assert main(["rate", "--ratings", str(study), "--export", str(out)]) == 1
    assert "holds no rating" in capsys.readouterr().err
    assert not out.exists()
    assert main(["rate", "--ratings", str(study)]) == 1
    assert "--distorted and --references" in capsys.readouterr().err
