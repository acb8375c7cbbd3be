"""What a reader has in hand stays: the focus and open panels; what fails says so."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from browsing import column, go, header, serving, settle, show
from list_source import ListSource
from playwright.sync_api import Locator, Page, expect
from reader_source import FIRST, SECOND, id_of, reader_source

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ListSource:
    return reader_source(tmp_path_factory.mktemp("galleries"))


@pytest.fixture(scope="module")
def address(source: ListSource) -> Iterator[str]:
    with serving(source) as (_, where):
        yield where


COUNT_SAID = """() => {
    window.said = 0;
    const look = new MutationObserver((found) => { window.said += found.length; });
    for (const node of document.querySelectorAll("main [role=status], main output")) {
        look.observe(node, { childList: true, characterData: true, subtree: true });
    }
}"""


def trouble(page: Page) -> Locator:
    return page.get_by_role("alert")


def test_a_view_that_fails_on_opening_says_so_and_comes_when_it_is_pressed_again(
    page: Page, address: str
) -> None:
    for path in ("gallery", "figures", "changes"):
        page.route(f"**/data/{path}/*.json", lambda route: route.fulfill(status=503))
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(f"{address}?view=pictures")
    for name in ("Pictures", "Compare", "Figures", "Changes"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(trouble(page)).to_contain_text(f"drawn: data/{path_of(name)}")
        expect(trouble(page)).to_contain_text(": 503. Press its name above to try again.")
    page.unroute("**/data/figures/*.json")
    page.get_by_role("link", name="Figures", exact=True).click()
    expect(trouble(page)).to_contain_text("plotly's script did not arrive")
    page.unroute_all()
    control(page, "Figure").press("ArrowDown")
    expect(page.locator(".figure .main-svg").first).to_be_visible()
    expect(trouble(page)).to_be_hidden()


def test_a_figure_that_cannot_be_saved_says_why_and_is_saved_when_it_is_pressed_again(
    page: Page, address: str
) -> None:
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(f"{address}?view=figures")
    expect(trouble(page)).to_contain_text("plotly's script did not arrive")
    failure = page.get_by_text("No PNG was made: plotly's script did not arrive.")
    page.get_by_role("button", name="PNG").click()
    expect(failure).to_be_visible()
    page.unroute_all()
    with page.expect_download():
        page.get_by_role("button", name="PNG").click()
    expect(failure).to_have_count(0)


def path_of(name: str) -> str:
    return {"Pictures": "gallery", "Compare": "gallery"}.get(name, name.lower())


def test_a_link_with_a_mistake_shows_what_is_there_without_it(page: Page, address: str) -> None:
    show(page, f"{address}?view=t2i-ulb&cols=%25zz,full_decode_seconds")
    assert column(page, "model") == [FIRST, SECOND]
    assert column(page, "full_decode_seconds")
    go(page, "?view=compare&by=xyz")
    expect(page.get_by_text("Where they differ most in consistency, full mode")).to_be_visible()
    go(page, "?view=pictures&by=xyz&order=best")
    expect(page.get_by_label("Image")).to_have_value("NSI_pgc_001.png")
    expect(control(page, "by")).to_have_value("consistency")
    go(page, "?view=pictures&content=sci")
    expect(page.get_by_label("Image")).to_have_value("AIGI_SDXL_000.png")
    go(page, "?view=pairs&content=sci")
    expect(page.locator("td.pair").first).to_be_visible()


def test_a_screen_reader_hears_words_apart_and_of_the_data_only_what_is_news(
    page: Page, address: str
) -> None:
    show(page, f"{address}?view=t2i-ulb")
    names = page.get_by_role("button")
    expect(names.filter(has_text="this board")).to_have_accessible_name("2 : 1 this board")
    for name in names.filter(has_text="published").all():
        expect(name).to_have_accessible_name(re.compile(" published$"))
    expect(page.locator(".freshness")).to_contain_text("results, read")
    expect(page.locator(".head").get_by_role("status")).to_have_text("")
    page.evaluate(COUNT_SAID)
    header(page, "full_nr").get_by_role("button").click()
    settle(page)
    assert page.evaluate("window.said") == 0
    page.get_by_role("searchbox").fill(FIRST)
    expect(page.locator(".note")).to_have_text(re.compile("^1 row does not match the filters"))
    assert page.evaluate("window.said") > 0


CONTROLS = {
    "pictures&order=best": ("Image", "Order", "by", "The next image", "The image before", "SCI"),
    "compare": ("A", "B", "Mode", "by"),
    "figures": ("Figure", "of"),
    "pairs": ("Score", "NSI", "As of"),
    "changes": ("From", "To", "Board", "SCI"),
    "t2i-ulb": ("As of", "NSI"),
}


def control(page: Page, name: str) -> Locator:
    main = page.locator("main")
    lists = main.get_by_role("combobox", name=name, exact=True)
    return lists.or_(main.get_by_role("button", name=name, exact=True)).or_(
        main.get_by_title(name, exact=True)
    )


@pytest.mark.parametrize("view", CONTROLS)
def test_a_control_that_is_used_by_keyboard_keeps_the_focus(page: Page, view: str) -> None:
    go(page, f"?view={view}")
    for name in CONTROLS[view]:
        node = control(page, name)
        before = page.url
        is_list = node.evaluate("(node) => node.tagName === 'SELECT'")
        at_end = is_list and node.evaluate("(n) => n.selectedIndex === n.options.length - 1")
        node.press("ArrowUp" if at_end else "ArrowDown" if is_list else "Enter")
        settle(page)
        assert page.url != before, name
        assert page.evaluate("document.activeElement.tagName") != "BODY", name
        expect(control(page, name)).to_be_focused()


def test_a_panel_stays_open_and_pictures_stay_uncovered_while_systems_are_chosen(
    page: Page,
) -> None:
    go(page, "?view=pictures")
    page.get_by_role("slider").first.fill("20")
    page.locator(".systems summary").click()
    page.get_by_label("writer").check()
    expect(page.locator(".systems summary")).to_have_text("Systems · 3")
    page.get_by_label(SECOND).first.focus()
    page.keyboard.press("Space")
    expect(page.locator(".systems summary")).to_have_text("Systems · 2")
    expect(page.get_by_label(SECOND).first).to_be_focused()
    expect(page.get_by_role("slider").first).to_have_value("20")
    # A press on what replaces itself closes it all the same.
    page.get_by_title("The next image").click()
    expect(page.locator(".systems .panel")).to_be_hidden()


def test_a_panel_closes_when_the_focus_leaves_it_and_with_escape_from_anywhere(page: Page) -> None:
    summary, panel = page.locator(".filters summary"), page.locator(".filters .panel")
    summary.press("Enter")
    panel.get_by_role("button", name="Take all back").press("Enter")
    expect(panel.get_by_role("button", name="Take all back")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".columns summary")).to_be_focused()
    expect(panel).to_be_hidden()
    page.locator(".columns summary").click()
    # Between its controls.
    page.locator(".columns legend").first.click()
    expect(page.locator(".columns .panel")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(page.locator(".columns .panel")).to_be_hidden()
    expect(page.locator(".columns summary")).to_be_focused()


def test_a_row_that_is_pinned_by_keyboard_keeps_the_focus(page: Page) -> None:
    page.get_by_label(f"Pin {SECOND}").press("Enter")
    assert column(page, "model") == [SECOND, FIRST]
    expect(page.get_by_label(f"Pin {SECOND}")).to_be_focused()
    page.keyboard.press("Enter")
    assert column(page, "model") == [FIRST, SECOND]
    expect(page.get_by_label(f"Pin {SECOND}")).to_be_focused()


def test_a_link_pins_a_row_by_its_name_or_its_request_and_one_press_takes_both_back(
    page: Page, source: ListSource
) -> None:
    pin = f"{quote(SECOND, safe='')},{id_of(source.content[1])}"
    for pins in (SECOND, id_of(source.content[1]), quote(pin)):
        go(page, f"?view=t2i-ulb&pin={pins}")
        assert column(page, "model") == [SECOND, FIRST], pins
        page.locator("tr.pinned .pin").click()
        expect(page.locator("tr.pinned")).to_have_count(0)
        assert "pin=" not in page.url


def test_two_runs_without_a_common_mode_are_said_to_have_none(
    page: Page, source: ListSource
) -> None:
    writer, codec = map(id_of, source.content[2:4])
    go(page, f"?view=compare&a={writer}&b={codec}")
    expect(page.locator(".empty")).to_contain_text(
        "They have no mode in common, so no picture of one can be set beside one of the other. "
        "Modes of A: full, pixel. Modes of B: image."
    )
    assert page.locator("main .picker > span").all_inner_texts() == ["A", "B"]
    expect(page.locator("main .download")).to_have_count(0)


def test_a_rows_dialog_is_called_what_its_heading_says(page: Page) -> None:
    page.locator("tbody .name").first.click()
    expect(page.get_by_role("dialog", name=FIRST, exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("ranks", "lead"),
    [
        ([1, 2, 3, None], "a. leads by 0.250 before b."),
        ([1, 1, 3, None], "a. and b share the lead."),
        ([1, 1, 1, None], "a. and 2 others share the lead."),
        ([1, None, None, None], ""),
    ],
)
def test_under_another_weighting_too_a_lead_is_shared_where_it_is(
    page: Page, ranks: list[int | None], lead: str
) -> None:
    cells = {"overall": [1, 0.75, 0.5, None], "model": ["a.", "b", "c", "d"], "rank": ranks}
    found = page.evaluate(
        "(cells) => import('./page/verdict.js').then((module) => module.verdictOf(cells, 3))",
        cells,
    )
    assert found["lead"] == lead
    assert found["doubt"] == (lead and "This is under your weighting, which is not the board's.")
