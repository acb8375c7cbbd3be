"""The intervals of a row's exported means, against scipy's."""

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from evaluator.intervals import task_intervals
from protocol.errors import RecordError
from protocol.rules import Role

Scores = dict[tuple[str, str], list[float | None]]


def per_image(folder: Path, cells: Scores) -> Path:
    """Write the table of single images, `{(mode, dimension): scores}`."""
    rows = [
        {"name": f"{at}.png", "mode": mode, "dimension": dimension, "score": score}
        for (mode, dimension), scores in cells.items()
        for at, score in enumerate(scores)
    ]
    file = folder / "scores.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file


def some_scores(*modes: str, seed: int = 0) -> Scores:
    drawn = np.random.default_rng(seed)
    return {cell: drawn.normal(0.5, 0.1, 40).tolist() for cell in product(modes, ("fr", "nr"))}


def ends(values: np.ndarray) -> tuple[float, float]:
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    return float(low), float(high)


@pytest.mark.parametrize(
    ("role", "modes", "consistency"),
    [
        (Role.T2I, ("full", "image", "pixel", "text"), 2 / 3),
        (Role.I2T, ("full", "pixel", "text"), 1 / 2),
        (Role.CODEC, ("image",), 2 / 3),
    ],
)
def test_every_mean_and_the_overall_have_the_normal_interval_over_the_images(
    tmp_path: Path, role: Role, modes: tuple[str, ...], consistency: float
) -> None:
    cells = some_scores(*modes)
    prefix = role.value.lower()
    wanted = {f"{prefix}_{mode}_{dim}": ends(np.array(cells[mode, dim])) for mode, dim in cells}
    share = {"fr": consistency, "nr": 1 - consistency}
    overall = np.mean([share[dim] * np.array(cells[mode, dim]) * 2 for mode, dim in cells], axis=0)
    wanted[f"{prefix}_overall"] = ends(overall)
    found = task_intervals(per_image(tmp_path, cells), role)
    assert found.keys() == wanted.keys()
    for name, one in found.items():
        assert (one.low, one.high) == pytest.approx(wanted[name])
        assert one.level == 0.95


def test_what_was_not_scored_or_not_run_has_no_interval_and_neither_has_its_overall(
    tmp_path: Path,
) -> None:
    cells = some_scores("full", "pixel", "text")
    assert "i2t_overall" in task_intervals(per_image(tmp_path, cells), Role.I2T)
    cells["text", "nr"][7] = None
    others = {f"i2t_{mode}_{dim}" for mode, dim in cells} - {"i2t_text_nr"}
    assert task_intervals(per_image(tmp_path, cells), Role.I2T).keys() == others
    two = some_scores("full", "image")
    assert task_intervals(per_image(tmp_path, two), Role.T2I).keys() == {
        f"t2i_{m}_{d}" for m, d in two
    }
    one = {cell: scores[:1] for cell, scores in some_scores("image").items()}
    assert task_intervals(per_image(tmp_path, one), Role.CODEC) == {}
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 but no table")
    with pytest.raises(RecordError, match=r"broken\.parquet cannot be read as per-image scores"):
        task_intervals(broken, Role.CODEC)
