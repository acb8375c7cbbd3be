"""Who is who in a study's folder, and what its files hold, without a desk."""

import csv
from pathlib import Path

import pytest

from protocol.errors import RatingError
from protocol.rating_log import RatingLog, ratings_csv
from protocol.ratings import Rated


def test_another_study_gives_the_same_name_another_pseudonym(tmp_path: Path) -> None:
    one, two = RatingLog(tmp_path / "a"), RatingLog(tmp_path / "b")
    assert one.pseudonym("Ada") == one.pseudonym("ada") != two.pseudonym("Ada")


def test_a_name_is_the_same_however_its_accents_are_typed(tmp_path: Path) -> None:
    log = RatingLog(tmp_path)
    with pytest.raises(RatingError, match="the name is empty"):
        log.pseudonym(" \n")
    assert log.pseudonym("Jos\u00e9") == log.pseudonym("JOSE\u0301") != log.pseudonym("Jose")


def test_a_changed_text_asks_for_consent_again(tmp_path: Path) -> None:
    log = RatingLog(tmp_path)
    viewer = log.pseudonym("Ada")
    log.consent(viewer, "one", "2026-01-01T00:00:00Z")
    log.consent(viewer, "one", "2026-01-02T00:00:00Z")
    assert log.has_consented(viewer, "one")
    assert not log.has_consented(viewer, "two")
    assert (tmp_path / "consents.csv").read_text().count(viewer) == 1


def test_a_forged_viewer_reaches_no_other_file(tmp_path: Path) -> None:
    with pytest.raises(RatingError, match="no viewer's pseudonym"):
        RatingLog(tmp_path).answers("../../etc/passwd")


def test_nobody_can_be_forgotten_in_a_folder_without_ratings(tmp_path: Path) -> None:
    with pytest.raises(RatingError, match="is no folder of `cmc rate`"):
        RatingLog(tmp_path / "mistyped").forget("Ada")
    assert not (tmp_path / "mistyped").exists()


def test_names_with_commas_and_quotes_survive(tmp_path: Path) -> None:
    rows = [
        {
            "viewer": "0" * 16,
            "image": 'a,"b"/x.png',
            "dimension": str(Rated.NSFW),
            "rating": "1",
            "time": "2026-01-01T00:00:00Z",
            "session": "g0",
        }
    ]
    (tmp_path / "r.csv").write_bytes(ratings_csv(rows))
    with (tmp_path / "r.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == rows
