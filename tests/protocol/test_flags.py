"""Flags: disagreements beyond chance, pictures of the decoder's own family, names of variants."""

import numpy as np
import pytest

from protocol.errors import InputError
from protocol.families import family_of_source, family_of_system, of_own_family
from protocol.flags import disagreements
from protocol.records import System
from protocol.rules import Mode
from protocol.samples import parse_name
from protocol.statistics.pairs import compare
from protocol.systems import named_systems
from protocol.versions import PROTOCOLS, find_protocol, variant_name


def system(model: str) -> System:
    return System(adapter="diffusers", model=model, revision="", path="")


def test_two_indicators_of_opposite_opinion_are_flagged_and_the_others_are_not() -> None:
    rng = np.random.default_rng(0)
    base, noise = rng.normal(size=40), rng.normal(0, 0.05, (4, 40))
    first = {"topiq": base + 0.2, "ssim": base - 0.2, "psnr": base + 0.3, "lpips": base}
    second = {
        name: base + noise[number] for number, name in enumerate(("topiq", "ssim", "psnr", "lpips"))
    }
    strata = ["NSI"] * 20 + ["SCI"] * 20
    (flag,) = disagreements(first, second, strata, "topiq")
    assert flag.other == "ssim"
    assert flag.ranking_difference.low > 0 > flag.other_difference.high
    # Four indicators are looked at, and 5 % is for all of them.
    widened = compare(first["topiq"], second["topiq"], strata, level=0.9875)
    assert flag.ranking_difference == widened.difference
    (turned,) = disagreements(second, first, strata, "topiq")
    assert turned.ranking_difference.value == pytest.approx(-flag.ranking_difference.value)


def test_systems_that_do_not_differ_are_flagged_in_five_of_a_hundred_at_most() -> None:
    rng = np.random.default_rng(1)
    strata = ["NSI"] * 30
    flagged = 0
    for _ in range(200):
        first, second = (
            {name: rng.normal(size=30) for name in ("topiq", "a", "b", "c")} for _ in range(2)
        )
        flagged += bool(disagreements(first, second, strata, "topiq", resamples=300))
    assert flagged <= 10


@pytest.mark.parametrize(
    ("source", "model", "own"),
    [
        ("SDXL", "stabilityai/stable-diffusion-xl-base-1.0", True),
        ("SSD", "segmind/SSD-1B", True),
        ("SSD", "SG161222/RealVisXL_V4.0", True),
        ("PG", "playgroundai/playground-v2.5-1024px-aesthetic", True),
        ("Pixart", "stabilityai/stable-diffusion-xl-base-1.0", False),
        ("MJ", "dataautogpt3/unheard-of", False),
        ("fluxdev", "black-forest-labs/FLUX.1-dev", True),
    ],
)
def test_a_picture_of_the_decoders_own_family_is_found(source: str, model: str, own: bool) -> None:
    samples = [parse_name(f"AIGI_{source}_001.png"), parse_name("NSI_SDXL_002.png")]
    assert of_own_family(system(model), samples) == ([samples[0].name] if own else [])
    assert of_own_family(None, samples) == []


def test_the_benchmarks_sources_and_registered_decoders_have_the_families_they_should() -> None:
    sources = ("DALLE3", "MJ", "PG", "Pixart", "SDXL", "SSD")
    assert all(family_of_source(source) for source in sources)
    families = {row.name: family_of_system(system(row.repo)) for row in named_systems() if row.repo}
    assert families["SDXL"] == families["SSD-1B"] == families["RealVis"] == "SDXL"
    assert families["PG25"] == families["PG20"] == "Playground"


def test_a_variant_is_a_protocol_of_its_own_name() -> None:
    name = variant_name("cmc-1", {"vvc_qp": "48", "seed": "43"})
    assert name == "cmc-1?seed=43&vvc_qp=48"
    assert variant_name("cmc-1", {"vvc_qp": "048", "seed": " 43"}) == name
    spellings = {variant_name("cmc-1", {"strength": text}) for text in ("0.5", ".50", "5e-1")}
    assert spellings == {"cmc-1?strength=0.5"}
    variant = find_protocol(name)
    assert (variant.name, variant.vvc_qp, variant.seed) == (name, 48, 43)
    assert variant.indicators == PROTOCOLS["cmc-1"].indicators
    weak = find_protocol("cmc-1?strength=0.3")
    assert weak.strength == {Mode.TEXT: 1.0, Mode.PIXEL: 0.3, Mode.IMAGE: 0.3, Mode.FULL: 0.3}


@pytest.mark.parametrize(
    "name",
    [
        *("cmc-1?", "cmc-1?vvc_qp=48&seed=43", "cmc-1?prompt=q5", "cmc-9", "cmc-1?vvc_qp=low"),
        *("cmc-1?vvc_qp=048", "cmc-1?vvc_qp= 48", "cmc-1?strength=0.50", "cmc-1?strength=1.0"),
    ],
)
def test_another_spelling_of_a_variant_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        find_protocol(name)


def test_a_variant_of_another_spelling_is_told_its_name() -> None:
    with pytest.raises(InputError, match=r"vvc_qp: cmc-1\?seed=43&strength=0\.5$"):
        find_protocol("cmc-1?strength=0.50&seed=43")


@pytest.mark.parametrize("change", ["seed=-1", f"seed={1 << 64}", "steps=0", "steps=-4"])
def test_a_seed_fits_eight_bytes_and_there_is_a_step(change: str) -> None:
    with pytest.raises(InputError, match=r"a seed is a whole number|one step at least"):
        find_protocol(f"cmc-1?{change}")
    assert find_protocol(f"cmc-1?seed={(1 << 64) - 1}&steps=1").steps == 1


def test_a_strength_is_above_0_and_at_most_1() -> None:
    for text in ("0", "1.5", "nan"):
        with pytest.raises(InputError, match="a strength is above 0"):
            find_protocol(f"cmc-1?strength={text}")
    assert find_protocol("cmc-1?strength=1").strength[Mode.FULL] == 1
