"""The texts in drawn figures: none on another, and dark or light enough to be read."""

from collections.abc import Iterator

import pytest
from browsing import open_page, serving, settle, show
from list_source import ListSource
from make_results import make_codec, make_result
from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

OVERLAPS = """(chosen) => {
    const texts = [...document.querySelectorAll(chosen)].filter((text) => text.textContent);
    const boxes = texts.map((text) => text.getBoundingClientRect());
    const apart = (a, b) => a.right <= b.left || b.right <= a.left
        || a.bottom <= b.top || b.bottom <= a.top;
    return texts.flatMap((one, at) => texts.slice(at + 1)
        .filter((_, more) => !apart(boxes[at], boxes[at + 1 + more]))
        .map((other) => `${one.textContent} on ${other.textContent}`));
}"""

LEVEL_NAMES = """() => [...document.querySelectorAll('.figure .textpoint text')]
    .filter((text) => text.textContent.startsWith('Overall'))
    .map((text) => {
        let opacity = 1;
        for (let node = text; node; node = node.parentElement) {
            opacity *= getComputedStyle(node).opacity;
        }
        return [getComputedStyle(text).fill, opacity];
    })"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve rates that leave round steps few ticks, and levels that lie close together."""
    results = [
        make_result(f"owner/decoder-{at}", consistency=0.42 + at / 17, perception=0.7 - at / 30)
        for at in range(9)
    ]
    results += [
        make_codec("vvc", 50 - at, bpp=0.026 * 1.55**at, consistency=0.5 + at / 9, perception=0.2)
        for at in range(5)
    ]
    with serving(ListSource(results)) as (_, where):
        yield where


@pytest.fixture
def page(browser: BrowserContext, address: str) -> Iterator[Page]:
    # Plotly's script is megabytes, and a busy machine takes its time over it.
    yield from open_page(browser, address, patience_ms=40_000)


def choices(page: Page) -> list[str]:
    """Return the keys of what the shown figure can be drawn of."""
    there = page.get_by_role("combobox", name="of", exact=True)
    keys: list[str] = there.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    return keys


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_ticks_of_rates_lie_on_none_of_their_neighbours(
    page: Page, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    show(page, f"{address}?view=figures&figure=rate")
    found = {}
    for key in choices(page):
        page.get_by_role("combobox", name="of", exact=True).select_option(key)
        settle(page)
        page.wait_for_selector(".figure .xtick text")
        assert page.locator(".figure .xtick text").count() >= 4
        if overlaps := page.evaluate(OVERLAPS, ".figure .xtick text"):
            found[key] = overlaps
    assert found == {}


def test_names_of_spokes_are_whole_and_numbers_stand_upright_where_the_figure_is_narrow(
    page: Page, address: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, f"{address}?view=figures&figure=radar")
    page.wait_for_selector(".figure .angularaxistick text")
    frame = page.locator(".figure").bounding_box()
    assert frame
    left = "(all) => Math.min(...all.map((one) => one.getBoundingClientRect().left))"
    assert page.locator(".figure .angularaxistick text").evaluate_all(left) > frame["x"]
    turned = "(all) => all.map((one) => one.getAttribute('transform').includes('rotate'))"
    numbers = page.locator(".figure .radial-axis text").evaluate_all(turned)
    assert numbers
    assert not any(numbers)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_names_of_level_lines_have_the_page_s_ink_and_lie_on_no_other(
    page: Page, address: str, theme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, f"{address}?view=figures&figure=plane&__theme={theme}")
    page.wait_for_selector(".figure .textpoint text")
    ink = page.evaluate("getComputedStyle(document.body).color")
    names = page.evaluate(LEVEL_NAMES)
    assert len(names) >= 3
    assert all(name == [ink, 1] for name in names)
    page.evaluate(
        "document.querySelectorAll('.figure .textpoint text').forEach((text) => {"
        " if (text.textContent.startsWith('Overall')) text.classList.add('level'); })"
    )
    assert page.evaluate(OVERLAPS, ".figure .level") == []
