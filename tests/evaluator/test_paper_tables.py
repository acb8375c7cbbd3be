"""The paper's tables 3 to 6 with a store's rows before the printed ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.bench import Bench
from evaluator.codecs import load_codec
from evaluator.indicators import find_indicator
from evaluator.paper_tables import TABLES, paper_table
from evaluator.pictures import read_picture
from evaluator.run import evaluate
from protocol.errors import InputError
from protocol.records import Request
from protocol.rules import Mode, Role
from protocol.samples import list_samples

Ask = Callable[..., Request]
MakeBench = Callable[..., Bench]


def test_a_table_has_the_measured_rows_before_the_printed_ones(
    ask: Ask, make_bench: MakeBench, images: Path
) -> None:
    bench = make_bench()
    results = [
        evaluate(ask(), bench).result,
        evaluate(ask(t2i="control?kind=blur"), bench).result,
        evaluate(ask(role=Role.I2T), bench).result,
    ]
    tables = {number: paper_table(number, results, list_samples(images)) for number in TABLES}
    third = tables["3"]
    assert [row[2] for row in third.rows] == ["verified", *["published"] * 12]
    assert third.rows[0][0] == "start-image"
    assert len(third.heads) == len(third.rows[0]) == 3 + 12 + 2
    diffbir = next(row for row in third.rows if row[0] == "DiffBIR")
    assert diffbir[3:6] == ("3.052", "2.785", "2.877")
    assert diffbir[-2] == "2.647"
    assert (third.notes, len(tables["5"].notes)) == ((), 1)
    assert {row[1] for row in third.rows[1:]} == {"GPT-4o"}
    assert {row[1] for row in tables["5"].rows[1:]} == {"RealVis"}
    assert [row[2] for row in tables["4"].rows] == ["verified", *["published"] * 8]
    assert [row[0] for row in tables["5"].rows[:1]] == ["captions.csv"]
    assert not any("control" in cell for t in tables.values() for row in t.rows for cell in row)
    sources = [row[0] for row in tables["6"].rows]
    assert sources.count("paper") == 10
    assert sources.count("measured") > 0
    machines = {row[2]: row[5] for row in tables["6"].rows if row[0] == "paper"}
    assert {name for name, machine in machines.items() if machine == "-"} == {"GPT-4o", "VVC"}
    measured = [row for row in tables["6"].rows if row[0] == "measured"]
    assert {(row[1].partition(",")[0], row[2], row[3]) for row in measured} == {
        ("encode", "captions.csv", "start-image"),
        ("decode", "start-image", "captions.csv"),
    }
    with pytest.raises(InputError, match="cmc indicators correlate"):
        paper_table("2", results)


def test_table_5_of_real_pictures_under_vvc_has_their_scores(
    ask: Ask, make_bench: MakeBench, images: Path, shared: Path
) -> None:
    truths = {}
    for path in images.glob("*.png"):
        content = path.name.partition("_")[0]
        source = min(shared.glob(f"images/{content}_*.png"))
        truths[content] = read_picture(source).crop((120, 90, 313, 267))
        truths[content].save(path)
    result = evaluate(ask(role=Role.I2T, modes=(Mode.FULL, Mode.PIXEL)), make_bench()).result
    table = paper_table("5", [result])
    cells = dict(zip(table.heads, table.rows[0], strict=True))
    assert cells["partner"] == "start-image"
    codec, ms_ssim = load_codec("vvc"), find_indicator("ms_ssim").load(None, "cpu")
    for content, truth in truths.items():
        decoded = codec.decode(codec.encode(truth, 53), *truth.size)
        (score,) = ms_ssim.score([decoded], [truth])
        assert cells[f"full-fr {content}"] == f"{score:.3f}"
        assert float(cells[f"pixel-fr {content}"]) < score
    assert cells["overall"] == "-"
    assert [row[0] for row in table.rows[1:3]] == ["GPT-4o", "ShareGPT"]
