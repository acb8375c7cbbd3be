"""What a printer gets: every column and row, light, and figures as wide as the paper."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import go, open_page, serving, settle, show
from list_source import ListSource
from make_evidence import make_evidence
from make_results import make_result, make_store
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser

LETTER_WIDTH = 980
"""Pixels of letter paper on its long side, without its margins; A4 has more."""
ROWS = 120
WHITE = "rgb(255, 255, 255)"
LIGHT_INK = "rgb(20, 24, 29)"

CUT = """() => [...document.querySelectorAll('.scroll, .figure, .scroll th, .scroll td')]
    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1
        || (getComputedStyle(node).overflowX !== 'visible' && node.scrollWidth > node.clientWidth))
    .map((node) => node.textContent.slice(0, 40))"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    results = make_store()
    results += [make_result(f"owner/model-{at:03d}", consistency=at / 200) for at in range(ROWS)]
    source = ListSource(results)
    source.found = make_evidence(results)
    with serving(source) as (_, where):
        yield where


@pytest.fixture
def page(browser: BrowserContext, address: str) -> Iterator[Page]:
    for page in open_page(browser, f"{address}?view=t2i&__theme=dark"):
        page.set_default_timeout(40_000)
        yield page


@contextmanager
def on_paper(page: Page) -> Iterator[None]:
    """Lay the page out as for a printer, which tells it before and afterwards."""
    before = page.viewport_size
    assert before is not None
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": LETTER_WIDTH, "height": 720})
    settle(page)
    yield
    page.emulate_media(media="screen")
    page.set_viewport_size(before)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    settle(page)


def test_a_printed_board_has_all_its_columns_and_rows_and_nothing_to_press(page: Page) -> None:
    rows = page.locator("tbody tr:not(.spacer)")
    shown = rows.count()
    assert shown < ROWS
    with on_paper(page):
        assert rows.count() >= ROWS
        expect(page.locator(".spacer")).to_have_count(0)
        assert page.evaluate(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= LETTER_WIDTH
        for name in (".tabs", ".tools", ".slider", ".theme", ".copy-link"):
            expect(page.locator(name)).to_be_hidden()
        chosen = page.locator(".choice button:visible").all_inner_texts()
        assert [text.split()[0] for text in chosen] == ["demo-0", "All"]
    assert rows.count() == shown
    expect(page.locator(".tabs")).to_be_visible()


def test_paper_is_light_whatever_the_screen_was(page: Page) -> None:
    with on_paper(page):
        style = "(node) => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
        assert page.locator("body").evaluate(style) == [WHITE, LIGHT_INK]
        assert page.locator("tbody td").nth(3).evaluate(style)[0] == WHITE


def test_on_paper_an_owner_is_in_no_larger_print_than_its_model(page: Page) -> None:
    go(page, "?view=pairs")
    size = "(one) => Number.parseFloat(getComputedStyle(one).fontSize)"
    with on_paper(page):
        heads = page.locator(".matrix thead th:has(.owner)")
        owner, own = (heads.locator(part).first.evaluate(size) for part in (".owner", ".own"))
    assert owner <= own


def test_a_printer_is_told_in_time_and_gets_sheets_on_their_long_side(
    page: Page, tmp_path: Path
) -> None:
    page.evaluate(
        "addEventListener('beforeprint', () => {"
        " window.printed = document.querySelectorAll('tbody tr').length; })"
    )
    drawn = page.pdf(path=tmp_path / "board.pdf", format="A4")
    assert page.evaluate("window.printed") >= ROWS
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", drawn)
    assert len(boxes) >= 4
    assert all(float(width) > float(height) for width, height in boxes)
    assert page.locator("tbody tr").count() < ROWS


@pytest.mark.parametrize(("figure", "width"), [("plane", 390), ("rate", 390), ("rate", 1440)])
def test_a_printed_figure_is_as_wide_as_the_paper_and_in_its_ink(
    page: Page, address: str, figure: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    show(page, f"{address}?view=figures&figure={figure}&__theme=dark")
    page.wait_for_selector(".figure .main-svg")
    settle(page)
    size = "(node) => [node.getBoundingClientRect().right, node.getBoundingClientRect().height]"
    svg = page.locator(".figure .main-svg").first
    on_screen = svg.evaluate(size)
    with on_paper(page):
        right, height = svg.evaluate(size)
        assert 900 < right <= LETTER_WIDTH
        assert height <= 560
        assert page.evaluate(CUT) == []
        fills = page.locator(".figure text").evaluate_all(
            "(all) => [...new Set(all.map((text) => getComputedStyle(text).fill))]"
        )
        assert fills == [LIGHT_INK]
    assert svg.evaluate(size) == on_screen
