"""The page as a whole in a real browser: strangers' names, its age, figures, the export."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    NASTY,
    column,
    files_served,
    find_chromium,
    header,
    open_page,
    serving,
    settle,
    show,
)
from list_source import ListSource
from make_results import make_result, make_store
from playwright.sync_api import BrowserContext, Page, Route, expect

from protocol.rules import Mode
from space.export import export_site
from space.shop import Shop

pytestmark = pytest.mark.browser

BOARDS = ["T2I · ULB", "T2I · ELB", "T2I · all", "I2T", "Codecs"]

PUBLISHED_LINK = (
    "?view=t2i-ulb&bench=cmc-1+%C2%B7+CMC-Bench+%C2%B7+topiq_fr%2C+topiq_nr+%28released+weights%29"
)


@pytest.fixture(scope="module")
def source() -> ListSource:
    return ListSource(make_store())


@pytest.fixture(scope="module")
def served(source: ListSource) -> Iterator[tuple[Shop, str]]:
    with serving(source) as both:
        yield both


@pytest.fixture
def address(served: tuple[Shop, str]) -> str:
    return served[1]


def test_names_of_strangers_stay_text_in_every_view(
    browser: BrowserContext,
) -> None:
    results = [make_result(name, consistency=0.3 + place / 10) for place, name in enumerate(NASTY)]
    with serving(ListSource(results)) as (_, address):
        for page in open_page(browser, address):
            assert sorted(column(page, "model")) == sorted(NASTY)
            heights = page.locator("tbody tr").evaluate_all("(l) => l.map((r) => r.offsetHeight)")
            assert set(heights) == {50}
            for name in page.locator(".tabs a").all_inner_texts():
                page.get_by_role("link", name=name, exact=True).click()
                expect(page.locator("main h2").first).to_be_visible()
                settle(page)
                assert page.evaluate("document.documentElement.scrollWidth") <= 1280, name
            page.get_by_role("link", name="Figures", exact=True).click()
            page.wait_for_selector(".figure .main-svg")
            assert page.evaluate("window.hacked") is None
            assert page.locator("img[src='x'], a[href^='javascript']").count() == 0


def test_a_new_result_appears_and_the_page_says_when_the_store_is_away(
    page: Page, served: tuple[Shop, str], source: ListSource
) -> None:
    source.content.append(make_result("brand-new", modes=(Mode.FULL, Mode.IMAGE)))
    try:
        served[0].keeper.refresh()
        show(page, served[1])
        assert "brand-new" in column(page, "model")
        source.fails = True
        served[0].keeper.refresh()
        show(page, served[1])
        expect(page.locator(".freshness")).to_contain_text("the store does not answer")
        assert "brand-new" in column(page, "model")
    finally:
        source.fails = False
        source.content.pop()
        served[0].keeper.refresh()


@pytest.mark.parametrize(("name", "starts"), [("SVG", b"<svg"), ("PNG", b"\x89PNG")])
def test_a_figure_is_saved_as_drawn(page: Page, tmp_path: Path, name: str, starts: bytes) -> None:
    page.get_by_role("link", name="Figures", exact=True).click()
    page.wait_for_selector(".figure .main-svg")
    with page.expect_download() as started:
        page.get_by_role("button", name=name, exact=True).click()
    path = tmp_path / "figure"
    started.value.save_as(path)
    assert path.read_bytes().startswith(starts)
    assert started.value.suggested_filename.startswith("cmc-bench-plane-t2i-ulb-")


def test_a_view_that_takes_its_time_is_said_to_be_on_its_way(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/data/pairs.json", hold)
    sign, main = page.get_by_text("Loading Pairs"), page.locator("main")
    page.get_by_role("link", name="Pairs", exact=True).press("Enter")
    expect(sign).to_be_visible()
    expect(sign).to_have_role("status")
    expect(main).to_have_attribute("aria-busy", "true")
    # Who goes elsewhere meanwhile is not told of it any more.
    page.get_by_role("link", name="About", exact=True).press("Enter")
    expect(main).not_to_have_attribute("aria-busy", "true")
    expect(sign).to_have_count(0)
    page.get_by_role("link", name="Pairs", exact=True).press("Enter")
    expect(sign).to_be_visible()
    held[0].continue_()
    expect(page.get_by_role("heading", name="Every encoder with every decoder")).to_be_visible()
    expect(sign).to_have_count(0)
    expect(main).not_to_have_attribute("aria-busy", "true")


def test_in_a_readers_own_colours_what_is_chosen_stands_out(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    backgrounds = "(all) => all.map((one) => getComputedStyle(one).backgroundColor)"
    for chosen, others in (
        (".tabs a[aria-current]", ".tabs a:not([aria-current])"),
        (".choice [aria-pressed=true]", ".choice [aria-pressed=false]"),
    ):
        (here,) = set(page.locator(chosen).evaluate_all(backgrounds))
        assert here not in page.locator(others).evaluate_all(backgrounds)


def test_an_export_shows_the_same_without_a_server_behind_it(
    browser: BrowserContext, tmp_path: Path
) -> None:
    export_site("", tmp_path / "site")
    with files_served(tmp_path / "site") as address:
        for page in open_page(browser, f"{address}{PUBLISHED_LINK}&sort=-full_nr"):
            assert column(page, "model")[0] == "PG25"
            header(page, "full_fr").get_by_role("button").click()
            assert column(page, "model")[0] == "DiffBIR"
            page.get_by_role("link", name="Figures", exact=True).click()
            page.wait_for_selector(".figure .main-svg")
            page.get_by_role("link", name="Submit", exact=True).click()
            expect(page.locator("main")).to_contain_text("without a server")


def test_an_export_that_is_opened_from_its_folder_says_that_it_needs_a_web_server(
    browser: BrowserContext, tmp_path: Path
) -> None:
    export_site("", tmp_path / "site")
    page = browser.new_page()
    page.goto((tmp_path / "site/index.html").as_uri())
    expect(page.get_by_text("python3 -m http.server")).to_be_visible()
    page.close()


def test_without_scripts_the_page_links_to_every_board_as_a_file(
    browser: BrowserContext, served: tuple[Shop, str]
) -> None:
    assert browser.browser is not None
    context = browser.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served[1])
    links = page.locator("noscript a").all()
    assert [link.inner_text() for link in links] == BOARDS
    for link in links:
        answer = page.request.get(f"{served[1]}{link.get_attribute('href')}")
        assert answer.text().startswith("bench,track,content,")
    context.close()


def test_a_missing_browser_fails_and_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        find_chromium()
