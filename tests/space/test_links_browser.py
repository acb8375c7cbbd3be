"""Every view is a link, and the link is copied and framed, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import column, files_served, header, press, serving, settle, show
from list_source import ListSource
from make_results import make_store
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

BOARDS = ["T2I · ULB", "T2I · ELB", "T2I · all", "I2T", "Codecs"]
VIEWS = [*BOARDS, "Pairs", "Pictures", "Compare", "Figures", "Submit", "About"]
PUBLISHED = "Paper, TOPIQ"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(ListSource(make_store())) as (_, where):
        yield where


def test_every_view_opens_by_its_tab_and_has_a_link_of_its_own(page: Page) -> None:
    for name in VIEWS:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator("main h2").first).to_be_visible()
        expect(page.locator(".tabs [aria-current]")).to_have_text(name)
        expect(page).to_have_title(f"{name} · CMC-Bench")
        heading = page.locator("main h2").first.inner_text()
        page.reload()
        expect(page.locator("main h2").first).to_have_text(heading)
    page.go_back()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Submit")


def test_all_choices_stand_in_the_link_and_the_link_brings_them_back(
    page: Page, browser: BrowserContext
) -> None:
    press(page, PUBLISHED)
    header(page, "full_nr").get_by_role("button").click()
    page.get_by_role("searchbox").fill("s")
    page.locator(".columns summary").click()
    page.get_by_label("Licence").check()
    page.keyboard.press("Escape")
    page.locator("tbody tr").nth(2).locator(".pin").click()
    before = [column(page, key) for key in ("model", "full_nr", "licence")]
    other = browser.new_page()
    show(other, page.url)
    assert [column(other, key) for key in ("model", "full_nr", "licence")] == before
    assert other.locator("tr.pinned").count() == 1
    other.close()


@pytest.mark.parametrize(
    ("choices", "kept"),
    [
        ({"params": "3e9"}, [0, 1]),
        ({"open": "1"}, [1, 3]),
        ({"licence": ["MIT", "a, b"]}, [0, 3]),
        ({"licence": ["MIT", "a, b"], "open": "1"}, [3]),
        ({"q": "GPT"}, [2]),
        ({}, [0, 1, 2, 3]),
    ],
)
def test_a_row_that_a_filter_knows_nothing_of_is_not_let_through(
    page: Page, choices: dict[str, str | list[str]], kept: list[int]
) -> None:
    cells = {
        "model": ["a", "b", "c", "d"],
        "partner": [None, "x", "gpt4v.csv", "y"],
        "parameters": [1e9, 3e9, 3.5e9, None],
        "open_weights": [False, True, None, True],
        "licence": ["MIT", None, "Apache-2.0", "a, b"],
    }
    found = page.evaluate(
        """async ([choices, cells]) => {
            const [state, controls] = await Promise.all(
                ["state", "controls"].map((name) => import(`./page/${name}.js`)));
            state.set(choices, { quiet: true });
            return controls.keptRows({ count: cells.model.length }, cells);
        }""",
        [choices, cells],
    )
    assert found == kept


def test_dark_or_light_stays_in_the_links_and_in_the_address_forth_and_back(page: Page) -> None:
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    page.get_by_role("link", name="Pairs", exact=True).click()
    expect(page).to_have_title("Pairs · CMC-Bench")
    page.get_by_role("button", name="Dark or light").click()
    inside = page.get_by_role("link", name="What the encoder and what the decoder adds")
    for link in (page.get_by_role("link", name="I2T", exact=True), inside):
        expect(link).to_have_attribute("href", re.compile("__theme=dark"))
    page.get_by_role("link", name="I2T", exact=True).click()
    expect(page).to_have_title("I2T · CMC-Bench")
    for _ in range(2):
        page.go_back()
    expect(page).to_have_title("T2I · ULB · CMC-Bench")
    page.reload()
    settle(page)
    assert page.evaluate(scheme) == "dark"


def test_copy_link_copies_the_address_of_the_view(page: Page, browser: BrowserContext) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "NSI")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert "content=NSI" in page.url


@pytest.fixture
def outer(
    browser: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """A page of another origin with a Space in a frame of it, as on huggingface.co."""
    monkeypatch.setenv("SPACE_ID", "owner/space")
    with serving(ListSource(make_store())) as (_, address), files_served(tmp_path) as where:
        inner = f"{address}?view=i2t&amp;__sign=a-key&amp;__theme=dark"
        frame = f'<iframe src="{inner}" style="width: 1000px; height: 600px"></iframe>'
        (tmp_path / "index.html").write_text(f"{frame}<textarea></textarea>", encoding="utf-8")
        page = browser.new_page()
        page.goto(where)
        expect(page.frame_locator("iframe").locator("main tbody tr").first).to_be_visible()
        yield page
        page.close()


HUB_LINK = "https://huggingface.co/spaces/owner/space?view=i2t&__theme=dark&content=SCI"


def test_in_another_sites_frame_the_copied_link_is_the_spaces_without_the_readers_key(
    outer: Page,
) -> None:
    inside = outer.frame_locator("iframe")
    inside.locator(".controls .choice").get_by_role("button", name="SCI").click()
    # The frame has no leave to write to the clipboard.
    asked = "navigator.clipboard.writeText('x').then(() => 'done', (error) => error.name)"
    assert outer.frames[1].evaluate(asked) == "NotAllowedError"
    inside.get_by_role("button", name="Copy link").click()
    expect(inside.get_by_role("button", name="Copied")).to_be_visible()
    outer.locator("textarea").focus()
    outer.keyboard.press("Control+v")
    expect(outer.locator("textarea")).to_have_value(HUB_LINK)


def test_where_nothing_may_be_copied_the_link_stands_selected_and_goes_with_escape(
    outer: Page,
) -> None:
    inside = outer.frame_locator("iframe")
    inside.locator(".controls .choice").get_by_role("button", name="SCI").click()
    outer.frames[1].evaluate("() => { document.execCommand = () => false; }")
    inside.get_by_role("button", name="Copy link").click()
    field = inside.get_by_label("The link, selected")
    expect(field).to_have_value(HUB_LINK)
    assert outer.frames[1].evaluate("getSelection().toString()") == HUB_LINK
    outer.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(inside.get_by_role("button", name="Copy link")).to_be_focused()


def test_a_badge_opens_as_a_picture_and_an_embedded_view_in_a_frame(
    page: Page, address: str
) -> None:
    page.goto(f"{address}badge/t2i-ulb/DiffBIR.svg")
    assert "#1 of 8" in (page.locator("svg title").text_content() or "")
    page.goto(f"{address}data/status.json")
    frame = f"{address}?view=i2t&embed=1"
    page.set_content(f'<iframe src="{frame}" style="width: 900px; height: 500px"></iframe>')
    inside = page.frame_locator("iframe")
    expect(inside.locator("main tbody tr:not(.spacer)").first).to_be_visible()
    expect(inside.locator(".tabs")).to_be_hidden()
    inside.locator("tbody .name").last.click()
    with page.expect_popup() as opened:
        inside.get_by_role("dialog").get_by_role("link", name="Compare it").click()
    expect(opened.value.locator(".tabs [aria-current]")).to_have_text("Compare")
    opened.value.close()
    expect(inside.locator("main h2").first).to_have_text("Image-to-text models")


def test_a_link_asks_for_no_file_that_there_is_not_and_for_no_board_that_it_does_not_show(
    page: Page, address: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(address)))
    first, boards = "data/board/t2i-ulb.all.json", {}
    strange = ("?view=nonsense", "?content=nonsense")
    for query in ("", "?view=&content=&as_of=", "?content=NSI", "?view=pairs", *strange):
        asked.clear()
        show(page, address + query)
        settle(page)
        boards[query] = [path for path in asked if path.startswith("data/board/")]
    assert boards == {
        "": [first],
        "?view=&content=&as_of=": [first],
        "?content=NSI": ["data/board/t2i-ulb.NSI.json"],
        "?view=pairs": [],
        **{query: [first] for query in strange},
    }


def test_narrow_screens_scroll_the_table_and_not_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for name in VIEWS:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator("main h2").first).to_be_visible()
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.get_by_role("link", name="T2I · ULB", exact=True).click()
    scroll = page.locator(".scroll")
    assert scroll.evaluate("(box) => box.scrollWidth > box.clientWidth")
    scroll.evaluate("(box) => box.scrollTo(300, 0)")
    box = page.locator("tbody th.kind-model").first.bounding_box()
    assert box is not None
    assert 0 <= box["x"] < 40
    page.get_by_role("link", name="Pairs", exact=True).click()
    scroll.evaluate("(box) => box.scrollTo(300, 0)")
    # Above the names of the lines stands what they are, and no column's name.
    corner, line = page.locator(".matrix .corner"), page.locator(".matrix tbody th").first
    left = "(cell) => cell.getBoundingClientRect().left"
    assert corner.evaluate(left) == line.evaluate(left)
