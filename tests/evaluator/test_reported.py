"""What is taken in of results that somebody else made, and what is refused."""

import hashlib
import json
import math
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import paint
from made_bundle import Rows, forge, parquet_of, rows_of, write_bundle

from evaluator import reported, reported_rows
from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.reported import Bundle, check_reported, files_of, read_bundle
from evaluator.requests import make_request
from evaluator.run import Evaluation, evaluate
from protocol.errors import InputError, RecordError
from protocol.jsonable import to_json
from protocol.rules import MAX_SIDE, Mode, Role


@pytest.fixture(autouse=True)
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read tables in this process, which takes a tenth of the time."""
    read = reported_rows.read_table
    monkeypatch.setattr(reported, "read_apart", lambda table: json.loads(json.dumps(read(table))))


SIZES = {
    "NSI_pgc_000.png": (192, 176),
    "SCI_screen_001.png": (192, 176),
    "AIGI_SDXL_002.png": (201, 179),
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    for seed, (name, size) in enumerate(SIZES.items()):
        paint(*size, seed=seed).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def evaluation(truth: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    captions = tmp_path_factory.mktemp("captions") / "captions.csv"
    captions.write_text("name,text\n" + "".join(f"{name},A corner.\n" for name in SIZES))
    request = make_request(
        role=Role.T2I,
        i2t=f"file:{captions}",
        t2i="start-image",
        codec=None,
        modes=(Mode.IMAGE, Mode.PIXEL),
        protocol="demo-0",
        images=truth,
        dataset="three",
        submitter="tests",
    )
    cache = Cache(captions.with_name("cache"))
    return evaluate(
        request, Bench(images=truth, cache=cache, weights=None, device="cpu", batch_size=1)
    )


def as_bundle(evaluation: Evaluation) -> Bundle:
    return Bundle(to_json(evaluation.result).encode(), evaluation.per_image)


def with_table(evaluation: Evaluation, per_image: bytes) -> Bundle:
    """Return a bundle with another table, which its result names."""
    sha256 = hashlib.sha256(per_image).hexdigest()
    result = replace(evaluation.result, per_image_sha256=sha256)
    return Bundle(to_json(result).encode(), per_image)


def test_honest_results_are_taken_in_as_self_reported_with_the_same_numbers(
    evaluation: Evaluation, truth: Path
) -> None:
    other = replace(evaluation.result.request, submitter="somebody else")
    claimed = replace(evaluation.result, request=other, source="verified", audit="all is well")
    bundle = Bundle(to_json(claimed).encode(), evaluation.per_image)
    taken = check_reported(bundle, evaluation.result.request, truth)
    assert (taken.result.source, taken.result.audit) == ("self-reported", "")
    assert taken.result.request == evaluation.result.request
    assert rows_of(taken.per_image) == rows_of(evaluation.per_image)
    assert taken.result.scores == evaluation.result.scores
    assert taken.result.per_image_sha256 == hashlib.sha256(taken.per_image).hexdigest()
    assert {path.rpartition(".")[2] for path in files_of("ab" * 10, bundle)} == {"json", "parquet"}


def test_what_is_stored_holds_the_rows_and_nothing_else_of_the_file(
    evaluation: Evaluation,
) -> None:
    table = pa.Table.from_pylist(rows_of(evaluation.per_image))
    file = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"pandas": "canary"}), file)
    bundle = with_table(evaluation, file.getvalue().to_pybytes())
    assert b"canary" in bundle.per_image
    assert b"canary" not in check_reported(bundle, evaluation.result.request).per_image


def test_a_forged_mean_is_refused_and_named(evaluation: Evaluation) -> None:
    first, *others = evaluation.result.scores
    scores = (replace(first, mean=(first.mean or 0) + 0.01), *others)
    forged = Evaluation(replace(evaluation.result, scores=scores), evaluation.per_image, ())
    with pytest.raises(RecordError, match=r"not those of the single pictures: .*recomputed [^;]*$"):
        check_reported(as_bundle(forged), evaluation.result.request)
    forged = Evaluation(replace(evaluation.result, scores=scores[::-1]), evaluation.per_image, ())
    with pytest.raises(RecordError, match=rf"; and {len(scores) - 3} more$"):
        check_reported(as_bundle(forged), evaluation.result.request)


def test_odd_numbers_that_go_with_their_means_are_data_and_left_to_the_audit(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    result = evaluation.result
    odd = replace(
        result,
        run=replace(result.run, operations=10**25),
        provenance=replace(result.provenance, calibration={"psnr": (-3.0, 0.0)}),
    )

    # A start from pure noise, no seconds, and an indicator that knows no bounds.
    changes = {
        "start_sigma": math.inf,
        "seed": 2**62,
        "encode_seconds": 0.0,
        "caption": "x" * 16384,
    }

    def change(rows: Rows) -> Rows:
        odd = [
            {**row, **changes, "asked_sigma": math.inf, "score": row["score"] - 2} for row in rows
        ]
        return [{**odd[0], "score": None, "status": "NAN_SCORE"}, *odd[1:]]

    forged = forge(tmp_path / "odd", Evaluation(odd, evaluation.per_image, ()), change)
    taken = check_reported(read_bundle(forged), result.request)
    assert (taken.result.source, taken.result.run.operations) == ("self-reported", 10**25)
    assert taken.result.provenance.calibration == {"psnr": (-3.0, 0.0)}
    assert rows_of(taken.per_image) == change(rows_of(evaluation.per_image))


def change_row(**changes: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**rows[0], **changes}, *rows[1:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "wanted 12: one a picture, mode"),
        (
            lambda rows: [{**r, "score": None, "status": "NAN_SCORE"} for r in rows],
            "none of the pictures has a score",
        ),
        (lambda rows: [*rows, rows[0]], "comes twice"),
        (lambda rows: [{**row, "more": 1} for row in rows], "foreign: more"),
        (lambda rows: [{k: v for k, v in r.items() if k != "seed"} for r in rows], "seed"),
        (lambda rows: [{**row, "seed": "1"} for row in rows], "column seed is"),
        (lambda rows: [{**row, "seed": b"1"} for row in rows], "column seed is binary"),
        (change_row(score=float("nan")), "score is nan"),
        (change_row(score=None), "score None with status 'scored'"),
        (change_row(score=float("inf")), "score is inf"),
        (change_row(name="../../etc/passwd"), "is no benchmark name"),
        (change_row(content="SCI"), "is not SCI"),
        (change_row(mode="full"), "mode 'full' was not asked for"),
        (change_row(indicator="other"), "is no indicator of demo-0"),
        (change_row(score=None, status="<img src=x>"), "row 1: status '<img src=x>'"),
        (change_row(picture_sha256="x"), "picture_sha256 is no sha256"),
        (change_row(width=0), "a picture of 0x"),
        (change_row(height=0), "a picture of 201x0"),
        (change_row(width=1 << 40), "a picture of 1099511627776x"),
        (change_row(width=MAX_SIDE, height=MAX_SIDE), f"a picture of {MAX_SIDE}x{MAX_SIDE}"),
        (change_row(text_bytes=0, pixels_bytes=1, image_bytes=0, file_bytes=1), "with parts of 1$"),
        (change_row(bits_per_pixel=0.001), "0.001 bits per pixel, recomputed"),
        (change_row(encode_seconds=-1.0), "encode_seconds is -1.0"),
        # Several of these are more than a float can hold.
        (lambda rows: [{**row, "score": 1e308} for row in rows], r"score is 1e\+308"),
        (lambda rows: [{**row, "decode_seconds": 1e308} for row in rows], "decode_seconds is 1e"),
        (change_row(seed=None), "seed is empty"),
        (change_row(caption="x" * 20_000), "a caption has over 16384 bytes"),
        (change_row(caption="other"), "has two files"),
    ],
)
def test_a_table_that_no_run_makes_is_refused(
    evaluation: Evaluation, change: Callable[[Rows], Rows], message: str
) -> None:
    bundle = with_table(evaluation, parquet_of(change(rows_of(evaluation.per_image))))
    with pytest.raises(RecordError, match=message):
        check_reported(bundle, evaluation.result.request)


def with_origin(**changes: object) -> Callable[[Any], Any]:
    return lambda plain: plain | {"provenance": plain["provenance"] | changes}


def with_uses(times: int, **changes: str) -> Callable[[Any], Any]:
    def change(plain: Any) -> Any:
        uses = [use | changes for use in plain["provenance"]["indicators"]]
        return with_origin(indicators=times * uses)(plain)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plain: plain | {"more": 1}, "unknown keys"),
        (lambda plain: {k: v for k, v in plain.items() if k != "rates"}, "missing keys"),
        (lambda plain: plain | {"images": "3"}, "wanted a int"),
        (lambda plain: plain | {"images": 4}, "4 images written, 3 have scores"),
        (lambda plain: plain | {"schema_version": 2}, "schema 2, wanted 1"),
        (lambda plain: plain | {"per_image_sha256": "0" * 64}, "names 000000000000"),
        (lambda plain: plain | {"costs": []}, "0 costs written"),
        (lambda plain: plain | {"run": {"wall_seconds": float("nan")}}, "NaN"),
        (lambda plain: plain | {"run": {"wall_seconds": 10**400}}, "below 1.8e308"),
        (lambda plain: plain | {"run": {"wall_seconds": -1}}, "wall_seconds is -1.0, wanted 0"),
        (lambda plain: plain | {"run": {"operations": 10**31}}, r"operations is 1000.*1e\+30$"),
        (with_origin(calibration={"psnr": [1e16]}), r"psnr is 1e\+16, wanted -1e\+15 to 1e\+15"),
        (with_origin(libraries={"a\nb": "1"}), "libraries: .* hides some"),
        # The board's Parquet has 64 bits for it.
        (lambda plain: plain | {"run": {"peak_memory_bytes": 10**19}}, "peak_memory_bytes is 1000"),
        (lambda plain: plain | {"run": {"pictures": {"a\ud800": 1}}}, r"ud800' is over 2000"),
        (with_origin(device="\ud800"), r"device: .*ud800' is over 2000 characters or hides"),
        (with_origin(platform="x" * 2001), "platform: 'xxx"),
        (with_origin(finished_at="=1+1"), "finished_at: '=1.1' is no time as"),
        (with_origin(started_at="0001-01-01T00:00:00.000+14:00"), "started_at: .* is no time as"),
        (
            lambda plain: plain | {"request": plain["request"] | {"modes": ["image"]}},
            "the results are of request",
        ),
        (with_uses(0), "scored with none, wanted fr ms_ssim, nr piqe"),
        (with_uses(2), "scored with fr ms_ssim, nr piqe, wanted"),
        (with_uses(1, name="ssim"), "scored with fr ssim, nr ssim, wanted"),
    ],
)
def test_a_result_that_no_run_makes_is_refused(
    evaluation: Evaluation, change: Callable[[Any], Any], message: str
) -> None:
    plain = json.loads(to_json(evaluation.result))
    bundle = Bundle(json.dumps(change(plain)).encode(), evaluation.per_image)
    with pytest.raises(RecordError, match=message):
        check_reported(bundle, evaluation.result.request)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        pickle.dumps({"images": 3}),
        b'{"run": 1e999}',
        b" " * (reported.LARGEST_RESULT_BYTES + 1),
    ],
)
def test_what_is_no_result_is_refused(evaluation: Evaluation, content: bytes) -> None:
    with pytest.raises(RecordError, match=r"result\.json"):
        check_reported(Bundle(content, evaluation.per_image), evaluation.result.request)


def test_pictures_of_other_names_or_sizes_than_the_ground_truth_s_are_refused(
    evaluation: Evaluation, truth: Path, tmp_path: Path
) -> None:
    images = shutil.copytree(truth, tmp_path / "images")
    request = evaluation.result.request
    larger = [
        {**row, "width": 2 * row["width"], "bits_per_pixel": row["bits_per_pixel"] / 2}
        for row in rows_of(evaluation.per_image)
    ]
    bundle = read_bundle(forge(tmp_path / "larger", evaluation, lambda _: larger))
    with pytest.raises(InputError, match="is 201x179, the scores say 402x179"):
        check_reported(bundle, request, images)
    (images / "NSI_pgc_000.png").unlink()
    with pytest.raises(InputError, match=r"of 3 pictures and .* holds 2, of which 2"):
        check_reported(as_bundle(evaluation), request, images)


def test_a_folder_without_the_files_or_with_large_ones_is_refused(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="wanted a folder that `cmc evaluate --out` made"):
        read_bundle(tmp_path)
    folder = write_bundle(tmp_path / "bundle", evaluation)
    assert read_bundle(folder) == as_bundle(evaluation)
    monkeypatch.setattr(reported, "LARGEST_TABLE_BYTES", 100)
    with pytest.raises(InputError, match="more than 100 bytes"):
        read_bundle(folder)
    with pytest.raises(RecordError, match=r"per_image\.parquet has more than 100 bytes"):
        check_reported(as_bundle(evaluation), evaluation.result.request)
