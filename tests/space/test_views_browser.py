"""Every view at once: what axe says, what strangers' texts do, and the export without a server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import NASTY, files_served, find_serious, open_page, serving, settle, show
from list_source import ListSource
from make_evidence import make_evidence
from make_results import make_codec, make_result
from picture_files import write_pictures
from playwright.sync_api import BrowserContext, Page, expect

from protocol.manifest import Former, ManifestEntry, Milestone
from protocol.records import Result
from protocol.rules import Mode
from protocol.states import Action, Status
from space.export import export_source
from space.figure_entry import KINDS
from space.snapshot import Snapshot

pytestmark = pytest.mark.browser

VIEWS = (
    *("t2i-ulb", "t2i-elb", "t2i", "codec", "i2t", "pairs", "pictures", "compare", "submit"),
    *("t2i-ulb&as_of=v1", "changes"),
)
FIGURES = tuple(kind for kind in KINDS if kind != "sweep")


def nasty_source(folder: Path) -> ListSource:
    """Return rows, pictures and evidence whose names are all a stranger's."""
    results: list[Result] = [
        make_result(name, consistency=0.3 + place / 10) for place, name in enumerate(NASTY)
    ]
    results += [
        make_codec(
            name, 53 - at, bpp=factor * 0.02 * 2**at, consistency=0.3 + at / 9, perception=0.2
        )
        for name, factor in (("vvc", 1.0), ("av1", 1.5))
        for at in range(4)
    ]
    # Of the first, and of the one that leads.
    for result, shift in zip((results[0], results[3]), (0.0, -0.15), strict=True):
        write_pictures(folder / result.request.request_id, result, shift)
    source = ListSource(results, folder)
    source.found = make_evidence(results, NASTY[0])
    gone = [make_result(f"gone {name}") for name in NASTY]
    source.entries = [make_withdrawn(one, name) for one, name in zip(gone, NASTY, strict=True)]
    source.boards["v1"] = Snapshot(
        revision="v1",
        results=(*results[1:], *gone),
        statistics=(),
        read_at="2026-10-01T00:00:00.000Z",
    )
    return source


def make_withdrawn(result: Result, reason: str) -> ManifestEntry:
    """Return the manifest's entry of a row that was withdrawn, and was called so before."""
    withdrawn = Milestone(
        action=Action.WITHDRAW, at="2026-10-02T00:00:00.000Z", actor=reason[:90], reason=reason
    )
    return ManifestEntry.of(
        result.request,
        status=Status.WITHDRAWN,
        milestones=(withdrawn,),
        formerly=(Former(request_id="0" * 20, model=reason, why="same weights"),),
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ListSource:
    return nasty_source(tmp_path_factory.mktemp("galleries"))


@pytest.fixture(scope="module")
def address(source: ListSource) -> Iterator[str]:
    with serving(source) as (_, where):
        yield where


@pytest.fixture
def page(browser: BrowserContext, address: str) -> Iterator[Page]:
    # Plotly's script is megabytes, and a busy machine takes its time over it.
    yield from open_page(browser, address, patience_ms=40_000)


def all_views(page: Page, address: str) -> Iterator[str]:
    """Show every view, then every figure without loading the page again; yield its name."""
    for view in (*VIEWS, "about"):
        show(page, f"{address}?view={view}")
        settle(page)
        yield view
    show(page, f"{address}?view=figures")
    there = page.get_by_role("combobox", name="Figure", exact=True)
    expect(there.locator("option")).to_have_count(len(FIGURES))
    for kind in FIGURES:
        there.select_option(kind)
        title = page.get_by_role("heading", name=KINDS[kind].title, exact=True)
        expect(title).to_be_visible()
        page.wait_for_selector(".figure .main-svg, main .empty")
        yield f"figure {kind}"


def turns(page: Page) -> Iterator[tuple[str, int]]:
    """Show what the page shows by light and in the dark, wide and narrow, and light and wide again.

    A figure is drawn for its width when the theme changes.
    """
    press = page.get_by_role("button", name="Dark or light")
    for width, themes in ((1280, ("light", "dark")), (390, ("light", "dark"))):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in themes:
            if page.evaluate("getComputedStyle(document.documentElement).colorScheme") != theme:
                press.click()
            settle(page)
            yield theme, width
    page.set_viewport_size({"width": 1280, "height": 900})
    press.click()


def test_in_every_view_strangers_texts_stay_texts_and_axe_finds_nothing_serious(
    page: Page, address: str
) -> None:
    found = {}
    for name in all_views(page, address):
        assert page.evaluate("window.hacked") is None, name
        assert page.locator("main img[src='x'], a[href^='javascript']").count() == 0, name
        for theme, width in turns(page):
            # A theme sets colours and nothing else.
            serious = find_serious(page, colours_only=theme == "dark")
            if serious:
                found[name, theme, width] = serious
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert found == {}


def test_a_strangers_text_stays_text_in_a_saved_figure(
    page: Page, address: str, tmp_path: Path
) -> None:
    # The name in a figure is drawn, and read by nobody as anything else.
    show(page, f"{address}?view=figures&figure=plane")
    page.wait_for_selector(".figure .main-svg")
    expect(page.locator(".figure .textpoint").first).to_be_visible()
    page.locator(".figure .point").first.hover(force=True)
    with page.expect_download() as started:
        page.get_by_role("button", name="SVG", exact=True).click()
    started.value.save_as(tmp_path / "figure.svg")
    drawn = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert "&#60;img" in drawn
    assert "<img" not in drawn
    assert page.evaluate("window.hacked") is None


def test_a_flag_stands_on_the_row_and_is_explained_in_its_dialog(page: Page) -> None:
    chips = page.locator("tr", has_text="<img src=x").locator(".caution")
    assert chips.all_inner_texts() == ["disputed score", "own pictures"]
    page.set_viewport_size({"width": 390, "height": 844})
    expect(chips.first).to_have_text("disputed score +1")
    expect(chips.last).to_be_hidden()
    inside = "(n) => n.offsetLeft + n.offsetWidth < n.closest('th').offsetWidth"
    assert chips.first.evaluate(inside)
    assert chips.first.evaluate("(n) => n.scrollWidth <= n.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("tr", has_text="<img src=x").locator(".name").click()
    expect(page.get_by_role("dialog")).to_contain_text("ms_ssim, which ranks here, puts")


def test_a_row_s_dialog_says_of_how_many_captions_the_decoder_read_only_the_beginning(
    browser: BrowserContext,
) -> None:
    long, short = make_result("long", consistency=0.9), make_result("short")
    counts = {Mode.FULL: 12, Mode.PIXEL: 0, Mode.TEXT: 1}
    long = replace(long, provenance=replace(long.provenance, captions_cut=counts))
    with serving(ListSource([long, short])) as (_, address):
        for page in open_page(browser, address):
            page.locator("tbody .name").first.click()
            expect(page.get_by_role("dialog")).to_contain_text(
                "The T2I model read only the beginning of 12 captions in full mode and 1 caption "
                "in text mode."
            )
            page.keyboard.press("Escape")
            page.locator("tbody .name").last.click()
            settle(page)
            expect(page.get_by_role("dialog")).not_to_contain_text("beginning")


def test_the_leader_is_shown_with_its_rate_and_its_pictures(page: Page) -> None:
    expect(page.locator(".cost-line")).to_contain_text("0.0272 bits per pixel, 882 times less")
    pictures = page.locator(".leader img")
    expect(pictures).to_have_count(6)
    expect(pictures.last).to_have_js_property("naturalWidth", 48)
    page.locator(".controls").get_by_role("button", name="Paper, TOPIQ").click()
    expect(page.locator(".leader")).to_be_hidden()


@pytest.mark.parametrize(("name", "starts"), [("CSV", b"part,name"), ("Parquet", b"PAR1")])
def test_a_figures_numbers_stand_at_the_right_its_texts_at_the_left_and_both_are_saved(
    page: Page, address: str, tmp_path: Path, name: str, starts: bytes
) -> None:
    show(page, f"{address}?view=figures&figure=effects")
    stand = "(all) => all.map((one) => getComputedStyle(one).textAlign)"
    sides = ["left", "left", "right", "right", "right"]
    for row in ("thead tr", "tbody tr:first-child"):
        assert page.locator(f".plain {row} > *").evaluate_all(stand) == sides
    with page.expect_download() as started:
        page.get_by_role("link", name=name, exact=True).click()
    started.value.save_as(tmp_path / "numbers")
    assert (tmp_path / "numbers").read_bytes().startswith(starts)
    assert started.value.suggested_filename.startswith("cmc-bench-effects-t2i-ulb-")


def test_an_export_has_every_view_with_its_pictures_and_needs_no_server(
    browser: BrowserContext, source: ListSource, tmp_path: Path
) -> None:
    export_source(source, tmp_path / "site")
    with files_served(tmp_path / "site") as address:
        for page in open_page(browser, f"{address}?view=pictures"):
            page.set_default_timeout(40_000)
            painted = page.locator(".frame img.over").first
            expect(painted).to_have_js_property("naturalWidth", 48)
            page.get_by_role("link", name="Compare", exact=True).click()
            expect(page.get_by_text("A \N{MINUS SIGN} B = ").first).to_be_visible()
            page.get_by_role("link", name="Pairs", exact=True).click()
            page.get_by_role("link", name="What the encoder").click()
            page.wait_for_selector(".figure .main-svg")
            for text in ("CSV", "Parquet"):
                link = page.get_by_role("link", name=text, exact=True).get_attribute("href")
                assert page.request.get(f"{address}{link}").ok
