"""`cmc statistics` on a store of results."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_store import NAMES, add_result, image_rows, write_parquet

from evaluator import image_scores
from evaluator.__main__ import main
from evaluator.image_scores import read_measured
from evaluator.statistics_answers import (
    compare_requests,
    fit_pairs,
    make_boards,
    separate_seeds,
)
from protocol.boards import result_rows
from protocol.errors import LedgerError, StatisticsError, StoreError
from protocol.rules import Mode, Track
from protocol.statistics.files import effects_are_current, is_current
from protocol.statistics.records import PUBLISHED_NOTE, BoardStatistics
from submission.evidence import read_evidence, read_statistics
from submission.store import FolderStore

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "cmc-store")


def only_board(store: FolderStore) -> BoardStatistics:
    (made,) = make_boards(
        read_measured(store), store.folder, [Track.T2I_ULB], [None], resamples=500, seed=0
    )
    assert isinstance(made, BoardStatistics)
    return made


def test_ranks_and_overalls_are_those_of_the_board(store: FolderStore) -> None:
    for model, level in (("a", 1.0), ("b", 1.4), ("c", 1.2)):
        add_result(store, model, level)
    rows = result_rows(store.results(), Track.T2I_ULB, None)
    made = only_board(store)
    assert [row.request_id for row in made.rows] == [row.request_id for row in rows]
    found = [row.overall.value for row in made.rows if row.overall]
    assert found == pytest.approx([row.overall for row in rows])
    assert [row.standing.rank_high for row in made.rows if row.standing] == [1, 2, 3]


def test_all_boards_and_effects_read_each_result_once(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model, i2t in (("a", "x.csv"), ("a", "y.csv"), ("b", "x.csv")):
        add_result(store, model, 1.0, i2t=i2t, modes=tuple(Mode))
    read: list[Path] = []
    read_rows = image_scores.read_rows

    def counted(path: Path) -> list[dict[str, object]]:
        read.append(path)
        return read_rows(path)

    monkeypatch.setattr(image_scores, "read_rows", counted)
    assert main(["statistics", "board", "--store", str(store.folder)]) == 0
    assert len(read) == len(set(read)) == 3


def test_the_page_finds_them_beside_the_results_and_sees_when_they_are_old(
    store: FolderStore,
) -> None:
    add_result(store, "a", 1.0)
    made = only_board(store)
    assert read_statistics(store.beside) == [made]
    assert is_current(made, store.results())
    add_result(store, "b", 1.2)
    assert not is_current(made, store.results())
    assert is_current(only_board(store), store.results())


def test_statistics_that_rank_what_an_audit_contradicts_are_old(store: FolderStore) -> None:
    results = [add_result(store, model, level) for model, level in (("a", 1.0), ("b", 1.2))]
    made = only_board(store)
    assert is_current(made, results)
    off = replace(results[1], source="self-reported", audit="two means are off")
    assert not is_current(made, [results[0], off])
    unranked = replace(made, rows=tuple(replace(row, overall=None) for row in made.rows))
    assert is_current(unranked, [results[0], off])


def test_other_pictures_are_another_board(store: FolderStore) -> None:
    add_result(store, "a", 1.0)
    add_result(store, "a", 1.0, dataset="other")
    made = make_boards(
        read_measured(store), store.folder, [Track.T2I_ULB], [None], resamples=500, seed=0
    )
    assert len(made) == 2


def test_a_row_without_a_score_is_shown_and_not_ranked(store: FolderStore, cmc: Run) -> None:
    add_result(store, "a", 1.0)
    add_result(store, "b", 2.0, missing={NAMES[0]: [Mode.FULL]})
    text = cmc("statistics", "board", "--track", "t2i-ulb", "--content", "all").stdout
    assert "b  not ranked; without score: 1 of full_fr, 1 of full_nr" in text
    assert PUBLISHED_NOTE in text


def test_rows_of_one_model_are_told_apart(store: FolderStore, cmc: Run) -> None:
    ids = [
        add_result(store, "a", level, i2t=i2t).request.request_id
        for i2t, level in (("short.csv", 1.0), ("long.csv", 1.2))
    ]
    text = cmc("statistics", "board", "--track", "t2i-ulb", "--content", "all").stdout
    assert f"a {ids[1][:8]} - a {ids[0][:8]}: " in text
    said = cmc("statistics", "compare", *ids, "--track", "t2i-ulb").stdout
    assert said.startswith("a with short.csv against a with long.csv, Overall of t2i-ulb")


def test_a_comparison_takes_the_common_images_and_counts_the_others(store: FolderStore) -> None:
    better = add_result(store, "b", 2.0, missing={NAMES[0]: [Mode.FULL]})
    worse = add_result(store, "a", 1.0)
    one, two = (result.request.request_id for result in (better, worse))
    found = compare_requests(store, one, two, Track.T2I_ULB, resamples=500, seed=0).result
    assert (found.images, found.left_out) == (23, 1)
    assert found.difference.value == pytest.approx(1.0, abs=0.05)
    with pytest.raises(StoreError, match="0 results"):
        compare_requests(store, "zz", one, Track.T2I_ULB, resamples=500, seed=0)


def test_rows_of_two_tables_are_not_compared(store: FolderStore) -> None:
    one, two = (add_result(store, "a", 1.0, dataset=n).request.request_id for n in ("1", "2"))
    with pytest.raises(StatisticsError, match="cannot be compared"):
        compare_requests(store, one, two, Track.T2I_ULB, resamples=500, seed=0)


def test_changed_per_image_scores_are_refused(store: FolderStore) -> None:
    result = add_result(store, "a", 1.0)
    path = store.per_image_path(result.request.request_id)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(LedgerError, match="changed outside the ledger"):
        only_board(store)
    path.unlink()
    with pytest.raises(LedgerError, match="cmc verify"):
        only_board(store)


def test_matrix_finds_encoders_and_decoders(store: FolderStore, cmc: Run) -> None:
    for i2t, up in (("gpt4v.csv", 0.2), ("qwen.csv", 0.0)):
        for model, level in (("a", 1.0), ("b", 1.5)):
            add_result(store, model, level + up, i2t=i2t)
    found = fit_pairs(store, Track.T2I_ULB, resamples=500, seed=0)
    assert {name: round(e.value, 1) for name, e in found.encoders.items()} == {
        "gpt4v.csv": 0.1,
        "qwen.csv": -0.1,
    }
    assert [round(e.value, 2) for e in found.decoders.values()] == pytest.approx(
        [-0.25, 0.25], abs=0.02
    )
    lines = cmc("statistics", "matrix").stdout.splitlines()
    assert any(line.endswith(" gpt4v.csv") for line in lines)


def test_two_revisions_of_one_model_are_two_decoders(store: FolderStore) -> None:
    for i2t in ("gpt4v.csv", "qwen.csv"):
        for revision in ("a" * 40, "b" * 40):
            add_result(store, "model", 1.0, i2t=i2t, revision=revision)
    found = fit_pairs(store, Track.T2I_ULB, resamples=200, seed=0)
    assert sorted(found.decoders) == ["model [aaaaaaaa]", "model [bbbbbbbb]"]


def test_one_model_in_two_adapters_is_two_decoders(store: FolderStore) -> None:
    for i2t in ("gpt4v.csv", "qwen.csv"):
        for adapter in ("diffusers", "instruct"):
            add_result(store, "model", 1.0, i2t=i2t, adapter=adapter)
    found = fit_pairs(store, Track.T2I_ULB, resamples=200, seed=0)
    assert sorted(found.decoders) == ["model [diffusers, aaaaaaaa]", "model [instruct, aaaaaaaa]"]


def test_board_keeps_the_pairs_effects_beside_the_results_until_another_pair_comes(
    store: FolderStore, cmc: Run
) -> None:
    for i2t in ("gpt4v.csv", "qwen.csv"):
        for model, level in (("a", 1.0), ("b", 1.5)):
            add_result(store, model, level, i2t=i2t)
    cmc("statistics", "board", "--resamples", "200")
    (effects,) = read_evidence(store.beside).effects
    assert effects.track is Track.T2I_ULB
    assert effects_are_current(effects, store.results())
    add_result(store, "c", 1.0)
    assert not effects_are_current(effects, store.results())


def test_statistics_count_the_pictures_that_the_decoders_family_made(store: FolderStore) -> None:
    add_result(store, "stabilityai/stable-diffusion-xl-base-1.0", 1.0)
    add_result(store, "b", 1.2)
    counts = {row.model: row.own_family for row in only_board(store).rows}
    assert counts == {"stabilityai/stable-diffusion-xl-base-1.0": 8, "b": 0}


def test_repeated_decodings_give_the_seed_s_variance(tmp_path: Path, cmc: Run) -> None:
    files = [
        write_parquet(tmp_path / f"{seed}.parquet", image_rows(1.0, [Mode.FULL], {}, seed))
        for seed in (1, 2, 3)
    ]
    found = separate_seeds(files, "ms_ssim", resamples=500, seed=0)
    assert [item.mode for item in found] == [Mode.FULL]
    assert found[0].result.seed_variance.value == pytest.approx(0.05**2, rel=0.5)
    assert found[0].result.image_variance > 10 * found[0].result.seed_variance.value
    text = cmc("statistics", "seeds", *files, "--indicator", "ms_ssim").stdout
    assert "3 seeds, 24 images" in text
    with pytest.raises(StatisticsError, match="no vsi scores"):
        separate_seeds(files, "vsi", resamples=500, seed=0)
    copied = tmp_path / "copy.parquet"
    copied.write_bytes(files[0].read_bytes())
    for twice in (files[0], copied):
        with pytest.raises(StatisticsError, match=r"1\.parquet and .* the same seeds"):
            separate_seeds([*files, twice], "ms_ssim", resamples=500, seed=0)


def test_published_leaders_by_weight_need_no_store(cmc: Run) -> None:
    answer = json.loads(cmc("statistics", "weights", "--track", "t2i-elb", "--json").stdout)
    ((bench, found),) = answer.items()
    assert bench.startswith("cmc-1")
    assert found[0]["weight_low"] == 0
    assert found[-1]["weight_high"] == 1


def test_weights_compare_systems_over_the_same_modes_only(cmc: Run) -> None:
    answer = json.loads(cmc("statistics", "weights", "--track", "t2i", "--json").stdout)
    ((_, found),) = answer.items()
    # DiffBIR is first on the public board, with two modes where the others have four.
    assert "DiffBIR" not in {lead["model"] for lead in found}


def test_a_board_with_too_few_images_says_so_and_the_others_are_made(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A real run: three pictures, one of each content, which allow no interval."""
    monkeypatch.chdir(tmp_path)
    cache = ["--cache", str(tmp_path / "cache")]
    for quality in (40, 50):
        request = ["--codec", f"avc:{quality}", "--images", str(images), "--protocol", "demo-0"]
        assert main(["submit", *request]) == 0
    assert main(["work", "--once", "--images", str(images), *cache]) == 0
    add_result(FolderStore(tmp_path / "cmc-store"), "a", 1.0)
    capsys.readouterr()
    assert main(["statistics", "board"]) == 0
    text = capsys.readouterr().out
    assert "codec, all contents" in text
    assert "no statistics: one image of" in text
    assert "24 images, 2000 resamples" in text


def test_a_table_of_the_paper_has_the_store_s_rows_first(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    add_result(store, "a", 1.0)
    assert main(["tables", "3", "--store", str(store.folder)]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[2] for line in printed[1:3]] == ["verified", "published"]
    assert main(["tables", "3", "--store", "hub:nowhere"]) != 0
    assert "wanted hub:ORG/NAME" in capsys.readouterr().err
