"""The page in a real browser, against rows made by hand."""

import shutil
import socket
from collections.abc import Iterator

import pytest
from make_results import make_result, make_store
from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright

from protocol.boards import published_rows, result_rows
from protocol.records import Result
from protocol.rules import Content, Mode, Track
from space.site import build_page, launch

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=window.hacked=1>"
PUBLISHED = "Paper, TOPIQ"
MISSING = "\N{EN DASH}"


def find_chromium() -> str:
    """Return where Chromium is; a machine without it must not pass for one that ran these."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail(f"none of {', '.join(names)} found; install one: apt install chromium")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """One context for all tests, so that the page's scripts are fetched once."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"]
        ) as running,
    ):
        yield running.new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return make_store()


@pytest.fixture(scope="module")
def address(results: list[Result]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    page = build_page(lambda: list(results))
    yield launch(page, "127.0.0.1", port)
    page.close(verbose=False)


@pytest.fixture
def page(browser: BrowserContext, address: str) -> Iterator[Page]:
    """A page of its own, for tests that press something."""
    yield from open_page(browser, address)


@pytest.fixture(scope="module")
def looked_at(browser: BrowserContext, address: str) -> Iterator[Page]:
    """One page for all tests that only look."""
    yield from open_page(browser, address)


def open_page(browser: BrowserContext, address: str) -> Iterator[Page]:
    """Show the page; afterwards, refuse script errors and requests that left this machine."""
    opened = browser.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on("request", lambda request: failures.extend(_foreign(request.url)))
    show(opened, address)
    yield opened
    opened.close()
    assert failures == []


def _foreign(url: str) -> list[str]:
    here = ("http://127.0.0.1:", "data:", "blob:")
    return [] if url.startswith(here) else [url]


def show(page: Page, address: str) -> None:
    """Open the page and wait until the results of this load are there."""
    with page.expect_response(lambda response: "predict" in response.url):
        page.goto(address)
    expect(page.locator("#board-t2i-ulb tbody tr").first).to_be_visible()
    page.wait_for_timeout(100)


def board(page: Page, track: Track = Track.T2I_ULB) -> Locator:
    return page.locator(f"#board-{track.value}")


def column(page: Page, key: str, track: Track = Track.T2I_ULB) -> list[str]:
    """Return a column's texts, top to bottom, without the rail and the ratio below."""
    texts: list[str] = board(page, track).evaluate(
        """(root, key) => {
            const keys = [...root.querySelectorAll('.titles button')].map((b) => b.dataset.key);
            const rows = [...root.querySelectorAll('tbody tr')];
            const cells = rows.map((row) => row.cells[keys.indexOf(key)]);
            return cells.map((c) => c.innerText.trim().split('\\n')[0]);
        }""",
        key,
    )
    return texts


def press(page: Page, name: str, track: Track = Track.T2I_ULB) -> None:
    board(page, track).locator(".switch").get_by_role("button", name=name).click()


def header(page: Page, key: str) -> Locator:
    return board(page).locator(f'.titles th:has(button[data-key="{key}"])')


def test_every_tab_opens_with_rows_and_a_figure_of_full_width(page: Page) -> None:
    for name, track in (
        ("T2I · ELB", Track.T2I_ELB),
        ("I2T", Track.I2T),
        ("Codecs", Track.CODEC),
        ("T2I · ULB", Track.T2I_ULB),
    ):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(board(page, track).locator("tbody tr").first).to_be_visible()
        # Plotly draws 700 pixels wide first and takes the tab's width a moment later.
        page.wait_for_function(WIDE, arg=f"#figure-{track.value} .main-svg", timeout=15_000)
    page.get_by_role("tab", name="About", exact=True).click()
    expect(page.get_by_text("arXiv:2406.09356").first).to_be_visible()


def test_first_table_is_the_measured_one_by_rank(looked_at: Page, results: list[Result]) -> None:
    rows = result_rows(results, Track.T2I_ULB, None)
    assert column(looked_at, "model") == [row.model for row in rows]
    assert column(looked_at, "rank") == ["1", "2", "3", "4", "5", "6", "7", "8", MISSING]
    assert header(looked_at, "rank").get_attribute("aria-sort") == "ascending"


def test_a_click_sorts_best_first_and_the_next_turns_it_with_missing_last_both_ways(
    page: Page,
) -> None:
    button = header(page, "image_fr").get_by_role("button")
    button.click()
    assert header(page, "image_fr").get_attribute("aria-sort") == "descending"
    assert header(page, "rank").get_attribute("aria-sort") == "none"
    *down, last = column(page, "image_fr")
    assert last == MISSING
    assert [float(text) for text in down] == sorted(map(float, down), reverse=True)
    header(page, "image_fr").get_by_role("button").press("Enter")
    assert header(page, "image_fr").get_attribute("aria-sort") == "ascending"
    *up, last = column(page, "image_fr")
    assert last == MISSING
    assert [float(text) for text in up] == sorted(map(float, up))


def test_names_sort_by_letter(page: Page) -> None:
    header(page, "model").get_by_role("button").click()
    names = column(page, "model")
    assert [name.lower() for name in names] == sorted(name.lower() for name in names)


def test_content_switch_shows_that_contents_numbers(page: Page, results: list[Result]) -> None:
    for content in Content:
        press(page, content)
        rows = result_rows(results, Track.T2I_ULB, content)
        assert column(page, "overall") == [
            MISSING if row.overall is None else f"{row.overall:.4f}" for row in rows
        ]


def test_published_rows_are_on_another_table(page: Page) -> None:
    assert set(column(page, "source")) == {"✓ verified", "~ self-reported"}
    press(page, PUBLISHED)
    assert set(column(page, "source")) == {"¶ published"}
    press(page, "SCI")
    rows = published_rows(Track.T2I_ULB, Content.SCI)
    assert column(page, "overall") == [f"{row.overall:.3f}" for row in rows]
    expect(board(page).locator(".bench-about")).to_contain_text("TOPIQ")


def test_the_figure_follows_the_bench(page: Page) -> None:
    title = page.locator("#figure-t2i-ulb .gtitle").first
    expect(title).to_have_text("Scores against the size of the file")
    press(page, PUBLISHED)
    expect(title).to_have_text("Consistency and perception")


def test_rates_stand_with_their_compression_ratio(looked_at: Page) -> None:
    cell = board(looked_at).locator("tbody tr").first.locator(".kind-rate").first
    assert cell.inner_text().split("\n") == ["0.0272", "882 : 1"]


def test_best_of_a_column_is_strong(looked_at: Page) -> None:
    best = board(looked_at).locator("tbody tr td.kind-overall strong")
    assert best.all_inner_texts() == [column(looked_at, "overall")[0]]


def test_a_nasty_name_stays_text(looked_at: Page) -> None:
    assert NASTY in column(looked_at, "model")
    looked_at.wait_for_selector("#figure-t2i-ulb .main-svg")
    assert looked_at.evaluate("window.hacked") is None
    assert looked_at.locator("img[src='x']").count() == 0


def test_a_row_that_lacks_a_mode_says_so(looked_at: Page) -> None:
    expect(board(looked_at).locator("tbody tr").last).to_contain_text("lacks image")


def test_filter_leaves_the_rows_that_match(page: Page) -> None:
    board(page).get_by_role("searchbox").fill("RANDOM-weights")
    assert column(page, "model") == ["tiny-sd-random-weights"]
    expect(board(page).locator(".note")).to_contain_text("8 rows do not match the filter")


def test_what_was_chosen_stays_when_another_tab_was_open(page: Page) -> None:
    press(page, PUBLISHED)
    page.get_by_role("tab", name="I2T", exact=True).click()
    page.get_by_role("tab", name="T2I · ULB", exact=True).click()
    assert len(column(page, "model")) == 12


def test_narrow_screens_scroll_the_table_and_not_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("T2I · ELB", "T2I · ULB"):
        page.get_by_role("tab", name=name, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    scroll = board(page).locator(".scroll")
    assert scroll.evaluate("(box) => box.scrollWidth > box.clientWidth")
    scroll.evaluate("(box) => box.scrollTo(300, 0)")
    box = board(page).locator("tbody th.kind-model").first.bounding_box()
    assert box is not None
    assert 0 <= box["x"] < 40


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_in_both_themes(page: Page, address: str, theme: str) -> None:
    show(page, f"{address}?__theme={theme}")
    for place in ("tbody .name", "thead button", ".about", ".chip", ".partner, .ratio", "strong"):
        ratio = board(page).locator(place).first.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{place} in {theme}: {ratio:.2f}"


def test_a_new_result_appears_when_the_page_is_loaded_again(
    page: Page, address: str, results: list[Result]
) -> None:
    assert "brand-new" not in column(page, "model")
    results.append(make_result("brand-new", modes=(Mode.FULL, Mode.IMAGE), consistency=0.44))
    try:
        show(page, address)
        assert "brand-new" in column(page, "model")
    finally:
        results.pop()


WIDE = "(drawing) => document.querySelector(drawing)?.getBoundingClientRect().width > 1000"

# Contrast of WCAG 2: (lighter + 0.05) / (darker + 0.05), against the first opaque ancestor.
CONTRAST = """(node) => {
    const channels = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((value) => {
            const share = value / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const background = (one) => channels(getComputedStyle(one).backgroundColor);
    let behind = node;
    while (background(behind)[3] === 0) behind = behind.parentElement;
    const ink = luminance(channels(getComputedStyle(node).color));
    const paper = luminance(background(behind));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""


def test_a_missing_browser_fails_and_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        find_chromium()
