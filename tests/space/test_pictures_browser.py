"""Pictures, comparison and the form, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import open_page, serving
from list_source import ListSource
from make_evidence import make_controls
from make_results import make_result
from picture_files import NASTY_CAPTION, write_pictures
from playwright.sync_api import BrowserContext, Page, expect

from protocol.evidence import Evidence

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("galleries")
    results = [make_result("first"), make_result(f"owner-{'x' * 60}/second")]
    for result, shift in zip(results, (0.0, -0.15), strict=True):
        write_pictures(folder / result.request.request_id, result, shift)
    with serving(ListSource(results, folder)) as (_, where):
        yield where


@pytest.fixture
def page(browser: BrowserContext, address: str) -> Iterator[Page]:
    yield from open_page(browser, f"{address}?view=pictures")


def test_the_slider_uncovers_and_the_layers_change(page: Page) -> None:
    frame = page.locator(".frame").first
    page.get_by_role("slider").first.fill("20")
    assert frame.evaluate("(f) => f.style.getPropertyValue('--cut')") == "20%"
    page.get_by_role("button", name="Error").first.click()
    under = frame.locator("img").first
    assert (under.get_attribute("src") or "").endswith("AIGI_SDXL_000.full.error.webp")
    expect(under).to_have_js_property("naturalWidth", 48)
    expect(page.locator(".card").first).to_contain_text("1,200 bits")


def test_what_was_not_painted_says_why_and_a_caption_stays_text(page: Page) -> None:
    expect(page.get_by_text("Nothing was painted: NSFW_FILTERED").first).to_be_visible()
    expect(page.locator(".caption").first).to_have_text(NASTY_CAPTION)
    assert page.evaluate("window.hacked") is None


def test_images_come_worst_first_when_asked_and_the_link_keeps_it(page: Page) -> None:
    page.get_by_label("Order").select_option("best")
    expect(page.get_by_label("Image")).to_have_value("NSI_pgc_001.png")
    page.get_by_label("Order").select_option("worst")
    expect(page.get_by_label("Image")).to_have_value("AIGI_SDXL_000.png")
    page.get_by_title("The next image").click()
    page.reload()
    expect(page.get_by_label("Image")).to_have_value("SCI_screen_002.png")


def test_two_systems_are_compared_where_they_differ_most(page: Page) -> None:
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.get_by_text("A \N{MINUS SIGN} B = +0.1500").first).to_be_visible()
    expect(page.get_by_text("No statistics are stored for this pair")).to_be_visible()


def test_what_speaks_against_a_score_stands_above_every_difference_of_a_comparison(
    browser: BrowserContext, tmp_path: Path
) -> None:
    doubted, other = make_result(SDXL), make_result("echo", consistency=0.6)
    for result, shift in ((doubted, 0.0), (other, -0.15)):
        write_pictures(tmp_path / result.request.request_id, result, shift)
    source = ListSource([doubted, other], tmp_path)
    source.found = Evidence(controls=(make_controls(doubted, SDXL),))
    ids = [result.request.request_id for result in (other, doubted)]
    with serving(source) as (_, where):
        for page in open_page(browser, f"{where}?view=compare&a={ids[0]}&b={ids[1]}"):
            caution = page.locator(".cautions")
            expect(caution).to_have_count(1)
            expect(caution).to_contain_text(
                "B: In full mode ms_ssim, which ranks here, puts the system above the control "
                "'blur', and ssim puts the system below it."
            )
            expect(caution).to_contain_text(
                "2 of the AI-generated pictures were made by a model of the decoder's own family, "
                "SDXL: it may paint them better than it would paint others."
            )
            difference = page.get_by_text("A \N{MINUS SIGN} B = ").first
            expect(difference).to_be_visible()
            above, below = caution.bounding_box(), difference.bounding_box()
            assert above
            assert below
            assert above["y"] < below["y"]
            page.get_by_role("combobox", name="A", exact=True).select_option(ids[1])
            expect(caution).to_contain_text("A: In full mode")


@pytest.mark.parametrize("name", ["Pictures", "Compare"])
def test_narrow_screens_hold_long_names(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator(".frame").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_to_a_row_of_other_images_shows_its_pictures_and_one_to_none_says_so(
    browser: BrowserContext, tmp_path: Path
) -> None:
    here, there = make_result("here"), make_result("there", dataset="other")
    bare = make_result("bare")
    for result in (here, there):
        write_pictures(tmp_path / result.request.request_id, result, 0.0)
    with serving(ListSource([here, there, bare], tmp_path)) as (_, where):
        link = f"{where}?view=pictures&systems={there.request.request_id}"
        for page in open_page(browser, link):
            titles = page.locator(".system-row h3")
            expect(titles).to_have_text(["there + gpt4v.csv"])
            page.get_by_role("combobox", name="Images of").select_option(index=0)
            expect(titles).to_have_text(["here + gpt4v.csv"])
            gone = bare.request.request_id
            page.goto(f"{where}?view=pictures&systems={gone}")
            expect(page.locator("main")).to_contain_text(
                f"There are no pictures of {gone} on these images. These are other systems'."
            )


def test_a_comparison_of_others_than_the_link_names_says_so(
    browser: BrowserContext, tmp_path: Path
) -> None:
    results = [make_result(name) for name in ("first", "second", "bare")]
    for result in results[:2]:
        write_pictures(tmp_path / result.request.request_id, result, 0.0)
    first, second, bare = (result.request.request_id for result in results)
    with serving(ListSource(results, tmp_path)) as (_, where):
        for page in open_page(browser, f"{where}?view=compare&a={bare}&b={second}"):
            main = page.locator("main")
            expect(main).to_contain_text(f"A should be {bare}, which has left no pictures here")
            page.get_by_role("combobox", name="A", exact=True).select_option(first)
            expect(main.get_by_text("another stands in its place")).to_have_count(0)
