"""News reach a page that somebody is using, and leave what he does there."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from browsing import column, go, open_page, press, serving, settle, show
from list_source import ListSource
from make_results import make_result
from playwright.sync_api import BrowserContext, Page, expect
from reader_source import FIRST, SECOND, reader_source

from space.shop import Shop

pytestmark = pytest.mark.browser

POLL = 31_000
"""Milliseconds after which the page has looked for news."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ListSource:
    return reader_source(tmp_path_factory.mktemp("galleries"))


@pytest.fixture(scope="module")
def served(source: ListSource) -> Iterator[tuple[Shop, str]]:
    with serving(source) as both:
        yield both


@pytest.fixture
def awaiting(
    browser: BrowserContext, served: tuple[Shop, str], source: ListSource
) -> Iterator[Page]:
    """A page whose clock a test turns on; afterwards the news are taken back."""
    before = list(source.content)
    for page in open_page(browser, served[1]):
        page.clock.install()
        show(page, served[1])
        settle(page)
        yield page
    source.content[:] = before
    served[0].keeper.refresh()


def bring(page: Page, served: tuple[Shop, str], source: ListSource, name: str) -> None:
    """Let a result arrive, and the page look for it."""
    source.content.append(make_result(name, consistency=0.9))
    served[0].keeper.refresh()
    look(page)


def look(page: Page) -> None:
    """Let the page look for news."""
    with page.expect_response("**/data/status.json"):
        page.clock.fast_forward(POLL)
    settle(page)


def test_news_come_into_the_board_and_leave_what_a_reader_does_there(
    awaiting: Page, served: tuple[Shop, str], source: ListSource
) -> None:
    page = awaiting
    page.locator(".columns summary").click()
    page.get_by_label("Decode s").first.check()
    bring(page, served, source, "acme/third")
    assert column(page, "model") == ["acme/third", FIRST, SECOND]
    expect(page.locator(".columns .panel")).to_be_visible()
    expect(page.get_by_label("Decode s").first).to_be_focused()
    page.get_by_label(f"Pin {SECOND}").press("Enter")
    bring(page, served, source, "acme/fourth")
    expect(page.get_by_label(f"Pin {SECOND}")).to_be_focused()
    search = page.get_by_role("searchbox")
    search.fill("thrd")
    search.press("ArrowLeft")
    search.press("ArrowLeft")
    bring(page, served, source, "acme/thirdly")
    search.press("i")
    assert column(page, "model") == ["acme/third", "acme/thirdly"]


def test_news_wait_under_a_dialog_and_come_when_it_is_closed(
    awaiting: Page, served: tuple[Shop, str], source: ListSource
) -> None:
    page = awaiting
    page.get_by_role("button", name="second", exact=True).focus()
    page.keyboard.press("Enter")
    bring(page, served, source, "acme/third")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="second", exact=True)).to_be_focused()
    assert column(page, "model") == [FIRST, SECOND]
    look(page)
    assert column(page, "model") == ["acme/third", FIRST, SECOND]
    expect(page.get_by_role("button", name="second", exact=True)).to_be_focused()


def test_news_leave_a_view_of_pictures_as_it_stands(
    awaiting: Page, served: tuple[Shop, str], source: ListSource
) -> None:
    page = awaiting
    go(page, "?view=pictures")
    slider = page.get_by_role("slider").first
    slider.fill("20")
    page.locator(".systems summary").click()
    bring(page, served, source, "acme/third")
    expect(page.locator(".freshness")).to_contain_text("6 results")
    expect(slider).to_have_value("20")
    expect(page.locator(".systems .panel")).to_be_visible()
    expect(page.locator(".systems summary")).to_be_focused()
    page.get_by_role("link", name="T2I · ULB", exact=True).press("Enter")
    press(page, "SCI")
    expect(page.locator("tbody .name").first).to_have_text("third")


def test_news_come_into_a_figure_and_leave_the_names_that_are_hidden(
    awaiting: Page, served: tuple[Shop, str], source: ListSource
) -> None:
    page = awaiting
    go(page, "?view=figures&figure=rate")
    page.wait_for_selector(".figure .legendtext")
    name = page.locator(".figure .legendtext", has_text=SECOND)
    name.locator("xpath=../*[contains(@class, 'legendtoggle')]").click()
    hidden = page.locator(".figure .traces[style*='opacity: 0.5'] .legendtext")
    expect(hidden).to_have_text(SECOND)
    bring(page, served, source, "acme/third")
    expect(page.locator(".figure .legendtext", has_text="acme/third")).to_be_visible()
    expect(hidden).to_have_text(SECOND)


def test_a_server_that_is_away_is_said_to_be_and_what_it_owes_is_drawn_when_it_is_back(
    awaiting: Page,
) -> None:
    page = awaiting
    page.route("**/*", lambda route: route.abort())
    page.get_by_role("link", name="I2T", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text(re.compile("could not be drawn: the server does not answer"))
    page.get_by_role("link", name="Pairs", exact=True).click()
    expect(alert).to_have_text(re.compile("could not be drawn: its script did not arrive"))
    page.clock.fast_forward(POLL)
    expect(page.locator(".freshness")).to_contain_text("; the server does not answer")
    page.unroute_all()
    look(page)
    expect(page.get_by_role("heading", name="Every encoder with every decoder")).to_be_visible()
    expect(alert).to_be_hidden()
    expect(page.locator(".freshness")).not_to_contain_text("does not answer")


def test_a_store_is_as_fresh_as_its_last_answer_whether_or_not_it_changed(
    awaiting: Page, served: tuple[Shop, str]
) -> None:
    page, keeper = awaiting, served[0].keeper
    three_days_ago = datetime.now(UTC) - timedelta(days=3)
    keeper.checked_at = three_days_ago.strftime("%Y-%m-%dT%H:%M:%SZ")
    look(page)
    expect(page.locator(".freshness")).to_have_text("5 results, read 3 days ago")
    shown = keeper.snapshot
    keeper.refresh()
    assert keeper.snapshot is shown
    look(page)
    # The page's clock was turned on by a minute.
    expect(page.locator(".freshness")).to_have_text("5 results, read 1 min ago")
