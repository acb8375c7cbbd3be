"""Pictures that a decoder knew by heart are found, by what it paints from words alone."""

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import paint
from image_server import Answer, ImageServer
from PIL import Image

from evaluator.__main__ import main
from evaluator.looks import look_at
from evaluator.memorisation import match
from protocol.evidence import Evidence, current_evidence
from protocol.rules import Content
from protocol.samples import parse_name
from space.flags import row_flags
from submission.evidence import read_evidence
from submission.freezing import freeze, read_frozen
from submission.store import FolderStore

NAMES = [
    *(f"AIGI_DALLE3_{number:03}.png" for number in range(3)),
    *(f"AIGI_MJ_{number:03}.png" for number in range(3)),
    "NSI_pgc_000.png",
]
KNOWN = frozenset(NAMES[:2])


class Rememberer(ImageServer):
    """Paints what it was shown before; of other prompts it knows their colour at most."""

    def __init__(self, known: dict[str, bytes]) -> None:
        super().__init__()
        self.known = known

    def paint(self, form: dict[str, Any]) -> Answer:
        """Return the picture that a prompt's number names."""
        found = re.search(r"number (\d+)", form["prompt"])
        png = self.known.get(found.group(1)) if found else None
        if png is None:
            return super().paint(form)
        with Image.open(io.BytesIO(png)) as picture:
            file = io.BytesIO()
            width, height = map(int, form["size"].split("x"))
            picture.resize((width, height)).save(file, "JPEG", quality=60)
        data = {"data": [{"b64_json": base64.b64encode(file.getvalue()).decode()}]}
        return 200, {}, json.dumps(data).encode()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Pictures that the decoder's family made, that others made, and a photograph."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        paint(193, 170, seed=seed).save(folder / name)
    return folder


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "captions.csv"
    with path.open("w", newline="") as file:
        rows = [(name, f"A picture, number {place}.") for place, name in enumerate(NAMES)]
        csv.writer(file).writerows([("name", "text"), *rows])
    return path


@pytest.fixture
def server(images: Path) -> Iterator[Rememberer]:
    server = Rememberer(
        {str(i): (images / name).read_bytes() for i, name in enumerate(NAMES) if name in KNOWN}
    )
    yield server
    server.close()


@pytest.fixture
def store(
    images: Path,
    captions: Path,
    server: Rememberer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> FolderStore:
    """A row of text mode, and a codec's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    common = ["--images", str(images), "--protocol", "demo-0"]
    t2i = f"openai-image:gpt-image-test?base_url={server.url}"
    pair = ["--i2t", f"file:{captions}", "--t2i", t2i, "--modes", "text"]
    assert main(["submit", *pair, *common]) == 0
    assert main(["submit", "--codec", "avc:30", *common]) == 0
    assert main(["work", "--images", str(images), "--cache", str(tmp_path / "cache")]) == 0
    return FolderStore(tmp_path / "cmc-store")


@pytest.fixture
def look(images: Path, tmp_path: Path) -> Callable[..., int]:
    def run(*more: str) -> int:
        where = ["--images", str(images), "--cache", str(tmp_path / "cache")]
        return main(["memorisation", *where, *more])

    return run


def test_pictures_that_come_back_from_words_alone_are_named_and_flagged(
    store: FolderStore, look: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert look() == 0
    told = capsys.readouterr().out
    assert f"FLAG near-duplicates of the originals: {', '.join(sorted(KNOWN))}" in told
    evidence = current_evidence(read_evidence(store.beside), store.results())
    (found,) = evidence.memorisation
    assert found.family == "OpenAI"
    assert set(found.copies) == set(found.own_copies) == KNOWN
    counts = {(o.content, o.is_own_family): (o.pictures, o.nearest) for o in found.origins}
    assert counts == {
        (Content.NSI, False): (1, 0),
        (Content.AIGI, True): (3, 2),
        (Content.AIGI, False): (3, 0),
    }
    flags = row_flags(store.results(), [], evidence)[found.request_id]
    assert [flag.short for flag in flags] == ["known pictures", "own pictures"]
    assert "2 of 7 pictures" in flags[0].text
    assert "2 of them made by its own family, OpenAI" in flags[0].text
    assert "AIGI_DALLE3_000.png, AIGI_DALLE3_001.png." in flags[0].text
    assert found.lead is not None
    assert found.lead.low < found.lead.value < found.lead.high
    means = {o.is_own_family: o.likeness for o in found.origins if o.content is Content.AIGI}
    assert found.lead.value == pytest.approx(means[True] - means[False])
    assert f"{found.lead.value:+.2f} [{found.lead.low:+.2f}, " in flags[1].text


def test_a_frozen_board_keeps_what_was_found(
    store: FolderStore, look: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert look("--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    freeze(store, "v1", "someone")
    (kept,) = read_frozen(store, "v1").evidence.memorisation
    assert kept.request_id == told["request_id"]
    assert kept == read_evidence(store.beside).memorisation[0]


def test_a_row_without_text_mode_is_refused_and_nothing_is_kept(
    store: FolderStore, look: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (codec,) = (r.request.request_id for r in store.results() if r.request.t2i is None)
    assert look(codec) == 1
    assert f"{codec} has no text mode" in capsys.readouterr().err
    assert read_evidence(store.beside) == Evidence()


def test_what_was_found_in_other_pictures_of_the_row_is_as_good_as_absent(
    store: FolderStore, look: Callable[..., int]
) -> None:
    assert look() == 0
    changed = [replace(result, per_image_sha256="0" * 64) for result in store.results()]
    assert current_evidence(read_evidence(store.beside), changed).memorisation == ()


def test_a_picture_in_the_manner_of_its_original_is_nearest_and_no_copy() -> None:
    originals = {parse_name(name): paint(193, 170, seed) for seed, name in enumerate(NAMES)}
    first, second, third, *_ = originals
    noise = np.random.default_rng(0).normal(0, 60, (170, 193, 3))
    rough = Image.fromarray(np.clip(np.asarray(originals[first]) + noise, 0, 255).astype(np.uint8))
    painted = {
        first: rough.resize((40, 30)).transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        second: Image.blend(originals[second], originals[third], 0.45),
        third: Image.new("RGB", (193, 170), (255, 255, 255)),
    }
    found = match(
        {sample: look_at(picture) for sample, picture in originals.items()},
        {sample: look_at(picture) for sample, picture in painted.items()},
    )
    assert [one.is_nearest for one in found] == [False, True, False]
    assert not any(one.is_copy for one in found)
    assert found[2].likeness == 0


def test_real_pictures_that_were_coded_at_qp_53_are_copies(shared: Path) -> None:
    from evaluator.codecs import vvc

    originals = {}
    for path in sorted((shared / "images").glob("AIGI_sd1_*.png"))[:4]:
        with Image.open(path) as picture:
            originals[parse_name(path.name)] = picture.convert("RGB").resize((256, 256))
    painted = {
        sample: vvc.decode(vvc.encode(picture, 53), 256, 256)
        for sample, picture in originals.items()
    }
    looks = {sample: look_at(picture) for sample, picture in originals.items()}
    assert all(one.is_copy for one in match(looks, {s: look_at(p) for s, p in painted.items()}))
