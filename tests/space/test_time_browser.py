"""Frozen boards and changes in a real browser, served and exported."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from browsing import MISSING, column, files_served, open_page, serving, show
from list_source import ListSource
from made_history import LABEL, REASON, History, finish, make_history
from make_results import make_store
from playwright.sync_api import BrowserContext, Page, expect

from space.export import export_source
from space.sources import StoreSource
from submission.freezing import freeze
from submission.store_folder import FolderStore

pytestmark = pytest.mark.browser

AS_OF = f"?view=t2i-ulb&as_of={quote(LABEL, safe='')}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    return FolderStore(tmp_path_factory.mktemp("history") / "store")


@pytest.fixture(scope="module")
def history(store: FolderStore) -> History:
    made = make_history(store)
    freeze(store, "v1.1", "someone")
    finish(store, "acme/newest", 0.9)
    finish(store, "acme/kept", 0.6, protocol="demo-1")
    return made


@pytest.fixture(scope="module", params=["served", "exported"])
def address(
    request: pytest.FixtureRequest,
    store: FolderStore,
    history: History,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    assert history.kept
    source = StoreSource(store)
    if request.param == "served":
        with serving(source) as (_, where):
            yield where
        return
    folder = tmp_path_factory.mktemp("site") / "site"
    export_source(source, folder)
    with files_served(folder) as where:
        yield where


def test_a_link_shows_a_frozen_board_with_a_notice_and_the_way_back(
    page: Page, address: str, history: History
) -> None:
    expect(page.locator(".frozen-notice")).to_be_hidden()
    show(page, address + AS_OF)
    assert column(page, "model") == ["acme/gone", "acme/kept", "acme/old-name"]
    expect(page.locator(".frozen-notice")).to_contain_text(
        f"{LABEL}, the board as it was frozen on"
    )
    assert page.locator(".caution").all_inner_texts() == ["withdrawn since", "superseded since"]
    page.locator("tbody .name").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Reason: {REASON}")
    expect(dialog.locator("pre")).to_contain_text(f"--format bibtex --as-of {LABEL}")
    cite = dialog.get_by_role("link", name="BibTeX").get_attribute("href")
    record = dialog.get_by_role("link", name="The whole record").get_attribute("href")
    assert f"as of snapshot {LABEL}" in page.request.get(f"{address}{cite}").text()
    assert page.request.get(f"{address}{record}").json()["request"]["t2i"]["model"] == "acme/gone"
    assert page.evaluate("window.hacked") is None
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Back to the live board").click()
    expect(page.locator("tbody .name").first).to_contain_text("newest")
    expect(page.locator(".frozen-notice")).to_be_hidden()
    assert column(page, "model") == ["acme/newest", "acme/kept", "acme/new-name"]
    page.locator("tbody .name").last.click()
    expect(page.get_by_role("dialog")).to_contain_text(
        f"Formerlyacme/old-name (superseded, {history.old[:8]})"
    )


def test_the_choice_stands_above_the_board_and_stays_from_view_to_view(
    page: Page, address: str
) -> None:
    show(page, address)
    choice = page.get_by_label("As of")
    assert choice.locator("option").all_inner_texts() == ["now", "v1.1", LABEL]
    choice.select_option(LABEL)
    expect(page.locator(".frozen-notice")).to_be_visible()
    expect(page.locator("tbody .name", has_text="gone")).to_be_visible()
    assert "acme/gone" in column(page, "model")
    page.get_by_role("link", name="Pairs", exact=True).click()
    expect(page.locator(".matrix")).to_contain_text("gone")
    page.get_by_role("link", name="Figures", exact=True).click()
    expect(page.locator(".frozen-notice")).to_contain_text("this view shows what is live")
    page.get_by_role("link", name="Changes", exact=True).click()
    expect(page.locator(".frozen-notice")).to_contain_text(
        "compares the boards that are named below"
    )
    for _ in range(3):
        page.go_back()
    page.get_by_label("As of").select_option("live")
    expect(page.locator(".frozen-notice")).to_be_hidden()
    page.go_back()
    expect(page.locator(".frozen-notice")).to_be_visible()


def test_a_label_that_was_never_frozen_says_so_and_shows_the_live_board(
    page: Page, address: str
) -> None:
    show(page, f"{address}?as_of=%3Cb%3Ev9")
    expect(page.locator(".frozen-notice")).to_contain_text(
        "No board was frozen as <b>v9; this is the live one."
    )
    assert "acme/newest" in column(page, "model")


def test_changes_have_a_link_and_are_saved(
    page: Page, address: str, history: History, tmp_path: Path
) -> None:
    show(page, address + AS_OF)
    page.get_by_role("link", name="What changed since").click()
    expect(page.locator(".changes")).to_be_visible()
    show(page, page.url)
    lines = page.locator(".changes tbody tr")
    told = [" ".join(text.split()) for text in lines.all_inner_texts()]
    assert [text.split()[0] for text in told] == ["came", "left", "moved"]
    assert f"1 → {MISSING}" in told[1]
    assert REASON in told[1]
    assert "0.7" not in told[1]
    assert f"superseded: {history.old[:8]} by {history.new[:8]}" in told[2]
    assert page.evaluate("window.hacked") is None
    page.locator(".download summary").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="JSON", exact=True).click()
    started.value.save_as(tmp_path / "changes.json")
    saved = json.loads((tmp_path / "changes.json").read_text(encoding="utf-8"))
    assert [one["kind"] for one in saved] == ["came", "left", "moved"]
    whole = page.get_by_role("link", name="CSV", exact=True).get_attribute("href")
    assert page.request.get(f"{address}{whole}").text().startswith("before,after,track")
    assert page.request.get(f"{address}data/manifest.csv").text().count("\n") > 8
    # The other way round is the same question.
    # A content that there is not is all of them, as on a board.
    show(page, f"{address}?view=changes&from=live&to=v1.1&content=nonsense")
    expect(page.locator(".changes tbody tr").first).to_contain_text("newest")
    page.get_by_label("From").select_option("live")
    expect(page.locator(".changes tbody")).to_contain_text("protocol demo-")


def test_about_leads_to_changes_and_to_the_manifest(page: Page, address: str) -> None:
    show(page, f"{address}?view=about")
    page.get_by_role("link", name="What changed", exact=True).click()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Changes")
    link = page.get_by_role("link", name="manifest, CSV").get_attribute("href")
    assert "submitted" in page.request.get(f"{address}{link}").text()


def test_without_a_frozen_board_there_is_no_choice_and_no_tab(browser: BrowserContext) -> None:
    with serving(ListSource(make_store())) as (_, address):
        for page in open_page(browser, address):
            expect(page.get_by_label("As of")).to_have_count(0)
            expect(page.get_by_role("link", name="Changes", exact=True)).to_have_count(0)
            show(page, f"{address}?view=changes")
            expect(page.locator(".empty")).to_contain_text("No board has been frozen yet")
