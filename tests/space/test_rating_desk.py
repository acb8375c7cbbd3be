"""What the rating page's desk says and keeps, without a browser."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from conftest import paint

from protocol import rating_log
from protocol.errors import RatingError
from protocol.rating_log import RatingLog
from protocol.ratings import parse_ratings
from space.rating.desk import Desk
from space.rating.page import answer as ask
from space.rating.study import find_pairs

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two systems' pictures of two references."""
    distorted, references = tmp_path / "distorted", tmp_path / "references"
    references.mkdir()
    for number in range(2):
        name = f"NSI_pgc_{number:03d}.png"
        paint(40, 30, seed=number).save(references / name)
        for system in ("one", "two"):
            (distorted / system).mkdir(parents=True, exist_ok=True)
            paint(40, 30, seed=number + 7).save(distorted / system / name)
    return distorted, references


@pytest.fixture
def open_desk(tmp_path: Path, folders: tuple[Path, Path]) -> Callable[..., Desk]:
    def make(clock: Callable[[], datetime] | None = None) -> Desk:
        log = RatingLog(tmp_path / "ratings")
        return Desk(log, find_pairs(*folders), "the text", clock or Clock())

    return make


def test_every_picture_is_shown_once_by_one_look_at_the_log_and_then_it_is_finished(
    open_desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk()
    told = desk.enter("Ada", agrees=True)
    monkeypatch.setattr(rating_log, "_rows", rows_of := Mock(side_effect=rating_log._rows))
    for done in range(4):
        assert (told["state"], told["done"], told["total"]) == ("rate", done, 4)
        for dimension in ("consistency", "perception"):
            desk.save(told["viewer"], told["picture"], dimension, done + 0.5)
        told = desk.show(told["viewer"])
    assert told["state"] == "finished"
    assert [c.args[0].stem for c in rows_of.call_args_list].count(told["viewer"]) == 4
    parsed = parse_ratings(RatingLog(tmp_path / "ratings").rows())
    assert len(parsed.ratings) == 8
    assert len({rating.image for rating in parsed.ratings}) == 4
    assert parsed.refused == ()


def test_a_new_desk_goes_on_where_the_old_one_died(open_desk: Callable[..., Desk]) -> None:
    told = open_desk().enter("Ada", agrees=True)
    open_desk().save(told["viewer"], told["picture"], "consistency", 3)
    again = open_desk().enter(" ada ", agrees=False)
    assert (again["viewer"], again["picture"]) == (told["viewer"], told["picture"])
    assert again["given"] == {"consistency": 3}


def test_no_name_is_written_anywhere(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    told = open_desk().enter("Ada Lovelace", agrees=True)
    open_desk().save(told["viewer"], told["picture"], "consistency", 3)
    files = [path for path in (tmp_path / "ratings").rglob("*") if path.is_file()]
    assert len(files) == 3
    for path in files:
        assert b"lovelace" not in path.read_bytes().lower()
        assert "lovelace" not in path.name.lower()
    assert (tmp_path / "ratings" / "salt").stat().st_mode & 0o077 == 0


def test_the_browser_never_learns_which_system_made_a_picture(
    open_desk: Callable[..., Desk],
) -> None:
    told = open_desk().enter("Ada", agrees=True)
    texts = [str(value) for key, value in told.items() if key not in ("distorted", "reference")]
    assert not any("one" in text or "two" in text or "png" in text for text in texts)
    assert told["distorted"].startswith("data:image/png;base64,")


def test_nobody_rates_without_consent(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_desk()
    with pytest.raises(RatingError, match="agree to it"):
        desk.enter("Ada", agrees=False)
    viewer = RatingLog(tmp_path / "ratings").pseudonym("Ada")
    with pytest.raises(RatingError, match="agree to the text"):
        desk.show(viewer)
    with pytest.raises(RatingError, match="agree to the text"):
        desk.save(viewer, "0" * 16, "consistency", 3)
    with pytest.raises(RatingError, match="name is empty"):
        desk.enter("  ", agrees=True)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (("beauty", 3), "asked for 'beauty'"),
        (("consistency", 5.1), "off the scale"),
        (("consistency", float("nan")), "off the scale"),
        (("nsfw", 0.5), "off the scale"),
    ],
)
def test_what_is_no_answer_is_refused_and_not_written(
    open_desk: Callable[..., Desk],
    tmp_path: Path,
    answer: tuple[str, float],
    message: str,
) -> None:
    desk = open_desk()
    told = desk.enter("Ada", agrees=True)
    with pytest.raises(RatingError, match=message):
        desk.save(told["viewer"], told["picture"], *answer)
    assert RatingLog(tmp_path / "ratings").rows() == []


def test_an_answer_is_of_the_picture_that_was_shown_where_the_study_has_changed_since(
    open_desk: Callable[..., Desk], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    told = open_desk().enter("Ada", agrees=True)
    open_desk().save(told["viewer"], told["picture"], "consistency", 2)
    distorted = folders[0]
    for system in ("a", "three", "zero"):
        shutil.copytree(distorted / "one", distorted / system)
    open_desk().save(told["viewer"], told["picture"], "perception", 3)
    first, second = RatingLog(tmp_path / "ratings").rows()
    assert first["image"] == second["image"]

    (distorted / first["image"]).unlink()
    with pytest.raises(RatingError, match="not in the study any more; reload"):
        open_desk().save(told["viewer"], told["picture"], "perception", 4)
    assert RatingLog(tmp_path / "ratings").rows() == [first, second]


def test_of_two_answers_the_later_counts_and_both_are_kept(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_desk()
    told = desk.enter("Ada", agrees=True)
    for value in (2, 4.5):
        desk.save(told["viewer"], told["picture"], "perception", value)
    assert desk.show(told["viewer"])["given"] == {"perception": 4.5}
    assert len(RatingLog(tmp_path / "ratings").rows()) == 2


def test_a_line_that_a_crash_cut_short_is_replaced_by_the_next(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_desk()
    told = desk.enter("Ada", agrees=True)
    viewer = told["viewer"]
    desk.save(viewer, told["picture"], "consistency", 2)
    (path,) = (tmp_path / "ratings" / "ratings").glob("*.csv")
    whole = path.read_bytes()
    for cut in range(1, 60, 7):
        path.write_bytes(whole + whole.splitlines(keepends=True)[-1][:cut])
        log = RatingLog(tmp_path / "ratings")
        assert len(log.rows()) == 1
        desk.save(viewer, told["picture"], "perception", 3)
        assert [row["dimension"] for row in log.rows()] == ["consistency", "perception"]
        path.write_bytes(whole)


def test_two_windows_of_one_viewer_lose_nothing(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_desk(lambda: datetime.now(UTC))
    told = desk.enter("Ada", agrees=True)

    def answer(number: int) -> None:
        desk.save(told["viewer"], told["picture"], "consistency", number / 40)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(answer, range(200)))
    rows = RatingLog(tmp_path / "ratings").rows()
    assert sorted(float(row["rating"]) for row in rows) == [n / 40 for n in range(200)]


def test_a_full_disk_acknowledges_nothing(
    open_desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk()
    told = desk.enter("Ada", agrees=True)
    desk.save(told["viewer"], told["picture"], "consistency", 2)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    with pytest.raises(OSError, match="disk is full"):
        desk.save(told["viewer"], told["picture"], "perception", 3)
    monkeypatch.undo()
    assert len(RatingLog(tmp_path / "ratings").rows()) == 1


def test_a_viewer_can_be_forgotten_and_the_others_stay(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_desk()
    for name in ("Ada", "Bea"):
        told = desk.enter(name, agrees=True)
        desk.save(told["viewer"], told["picture"], "consistency", 2)
    log = RatingLog(tmp_path / "ratings")
    assert log.forget("ADA") == 1
    assert [row["viewer"] for row in log.rows()] == [log.pseudonym("Bea")]
    assert log.has_consented(log.pseudonym("Bea"), "the text")
    assert not log.has_consented(log.pseudonym("Ada"), "the text")
    with pytest.raises(RatingError, match="nobody called 'Ada' rated in"):
        log.forget("Ada")


def test_a_group_that_is_begun_has_no_second_rest_before_it(
    open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("space.rating.study.GROUP_IMAGES", 1)
    clock = Clock()
    desk = open_desk(clock)
    told = desk.enter("Ada", agrees=True)
    viewer = told["viewer"]
    for dimension in ("consistency", "perception"):
        desk.save(viewer, told["picture"], dimension, 3)
    assert desk.show(viewer)["state"] == "rest"
    clock.time += timedelta(minutes=5)
    begun = desk.show(viewer)
    desk.save(viewer, begun["picture"], "consistency", 3)
    again = desk.show(viewer)
    assert (again["state"], again["picture"]) == ("rate", begun["picture"])


def test_the_desk_shows_the_rest_and_then_goes_on(open_desk: Callable[..., Desk]) -> None:
    clock = Clock()
    desk = open_desk(clock)
    told = desk.enter("Ada", agrees=True)
    for minute in range(61):
        clock.time = START + timedelta(minutes=minute)
        desk.save(told["viewer"], told["picture"], "consistency", 3)
    resting = desk.show(told["viewer"])
    assert resting["state"] == "rest"
    assert 290 < resting["seconds"] <= 300
    clock.time += timedelta(minutes=5)
    assert desk.show(told["viewer"])["state"] == "rate"


def test_an_answer_of_the_picture_that_is_shown_goes_through_no_others(
    open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    marks = RatingLog.marks

    def counted(log: RatingLog, viewer: str, images: Sequence[str]) -> list[str]:
        looked.append(len(images))
        return marks(log, viewer, images)

    monkeypatch.setattr(RatingLog, "marks", counted)
    desk = open_desk()
    told = desk.enter("Ada", agrees=True)
    for dimension in ("consistency", "perception"):
        desk.save(told["viewer"], told["picture"], dimension, 3)
    assert desk.show(told["viewer"])["done"] == 1
    assert set(looked) == {1}
    # Before a restart another picture was shown; it is found among all.
    open_desk().save(told["viewer"], told["picture"], "consistency", 4)
    assert looked[-1] == 4


def test_a_picture_that_is_gone_is_named_to_the_server_and_not_to_the_viewer(
    open_desk: Callable[..., Desk],
    folders: tuple[Path, Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = open_desk()
    viewer = desk.enter("Ada", agrees=True)["viewer"]
    shutil.rmtree(folders[0])
    assert ask(lambda: desk.show(viewer)) == {
        "problem": "a file of the study cannot be used (No such file or directory); "
        "tell whoever invited you"
    }
    assert str(folders[0]) in caplog.text
