"""The cache is bounded: what was used longest ago goes first, and processes do not collide."""

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evaluator.bench import Bench
from evaluator.cache import Cache, ScoreEntry, cache_key
from evaluator.commands._numbers import size_in_bytes
from evaluator.pruning import look, prune
from evaluator.run import evaluate
from protocol.records import Request


def filled(folder: Path) -> tuple[Cache, list[str]]:
    """Return a cache of five entries of 1,000 bytes, used in their order an hour apart."""
    cache, keys = Cache(folder), [cache_key({"number": n}) for n in range(5)]
    for age, key in enumerate(keys):
        cache.keep_bytes("features", key, b"x" * 1000)
        path = next(folder.glob(f"features/*/{key}.bin"))
        os.utime(path, (1_000_000 + 3600 * age,) * 2)
    return cache, keys


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache, keys = filled(tmp_path)
    assert cache.find_bytes("features", keys[0]) is not None
    assert prune(tmp_path, 3500) == (2, 2000)
    left = [n for n, key in enumerate(keys) if cache.find_bytes("features", key)]
    assert left == [0, 3, 4]
    assert look(tmp_path)["features"] == (3, 3000)


def test_what_just_fits_stays(tmp_path: Path) -> None:
    filled(tmp_path)
    assert prune(tmp_path, 5000) == (0, 0)
    assert prune(tmp_path, 4999) == (1, 1000)


def test_a_record_goes_before_what_it_speaks_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "picture" / "ab"
    folder.mkdir(parents=True)
    for name in ("abc.png", "abc.json", "abc.zip"):
        (folder / name).write_bytes(b"x")
    gone: list[str] = []
    unlink = Path.unlink

    def told(path: Path, missing_ok: bool = False) -> None:
        gone.append(path.suffix)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", told)
    assert prune(tmp_path, 0) == (1, 3)
    assert gone[0] == ".json"


def test_another_kind_is_left_alone(tmp_path: Path) -> None:
    cache, _ = filled(tmp_path)
    cache.keep("0" * 64, ScoreEntry(1.0))
    assert prune(tmp_path, 0, kind="features").entries == 5
    assert cache.find(ScoreEntry, "0" * 64) == ScoreEntry(1.0)


def test_two_processes_prune_and_write_at_once(tmp_path: Path) -> None:
    cache, _ = filled(tmp_path)

    def write(number: int) -> None:
        cache.keep_bytes("features", cache_key({"more": number}), b"y" * 100)

    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(write, number) for number in range(40)]
        prunes = [pool.submit(prune, tmp_path, 500) for _ in range(8)]
    for done in writes:
        done.result()
    assert sum(done.result().entries for done in prunes) >= 5
    prune(tmp_path, 500)
    assert look(tmp_path)["features"].total_bytes <= 500


def test_a_run_from_what_pruning_left_gives_the_same(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench()
    first = evaluate(ask(), bench)
    prune(bench.cache.folder, 60_000)
    assert sum(usage.total_bytes for usage in look(bench.cache.folder).values()) <= 60_000
    assert evaluate(ask(), bench).result.scores == first.result.scores


def test_the_pictures_that_a_run_is_about_are_not_pruned(tmp_path: Path) -> None:
    filled(tmp_path)
    stays = [tmp_path / "ground-truth" / "ab" / "NSI_pgc_000.png", tmp_path / "captions" / "ab.csv"]
    strange = tmp_path / "models" / "mine" / "model.safetensors"
    for path in (*stays, strange):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    assert prune(tmp_path, 0).entries == 5
    assert all(path.is_file() for path in (*stays, strange))
    assert look(tmp_path).keys() == {"captions", "features", "ground-truth"}


def test_what_an_interrupted_reproduction_left_is_counted_and_pruned(tmp_path: Path) -> None:
    Cache(tmp_path / "replications" / "some-id").keep("0" * 64, ScoreEntry(1.0))
    assert look(tmp_path)["replications"].entries == 1
    assert prune(tmp_path, 0).entries == 1
    assert look(tmp_path)["replications"] == (0, 0)


def test_what_a_killed_process_left_half_written_goes_after_a_day(tmp_path: Path) -> None:
    filled(tmp_path)
    fresh, old = (tmp_path / "features" / f".{name}" for name in ("fresh", "old"))
    unpacking = tmp_path / "ground-truth" / ".old"
    unpacking.mkdir(parents=True)
    for path in (fresh, old, unpacking / "NSI_pgc_000.png"):
        path.write_bytes(b"x")
    for path in (old, unpacking):
        os.utime(path, (1_000_000,) * 2)
    assert prune(tmp_path, 10_000) == (0, 0)
    assert fresh.is_file()
    assert not old.exists()
    assert not unpacking.exists()


def test_the_command_says_what_there_is_and_deletes_what_it_is_told(
    cmc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    filled(tmp_path / "cache")
    assert "features             5 entries" in cmc("cache", "look").stdout
    assert json.loads(cmc("cache", "look", "--json").stdout) == {
        "features": {"entries": 5, "bytes": 5000}
    }
    assert cmc("cache", "prune", "--to", "2K").stdout == "deleted 3 entries, 0.0 MB\n"
    assert cmc("cache", "look", "--cache", tmp_path / "none").stdout.startswith("in all")
    assert "wanted a size like" in cmc("cache", "prune", "--to", "lots", status=2).stderr
    said = cmc("cache", "prune", "--to", "0", "--kind", "feature", status=2).stderr
    assert "invalid choice: 'feature'" in said


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500", 500), ("1.5k", 1500), ("20G", 20 * 10**9)]
)
def test_sizes_have_units_of_a_thousand(text: str, size: int) -> None:
    assert size_in_bytes(text) == size
