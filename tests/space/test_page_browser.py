"""The page in a real browser, against rows made by hand."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    MISSING,
    column,
    find_chromium,
    header,
    open_browser,
    open_page,
    press,
    serving,
    settle,
    show,
)
from list_source import ListSource
from make_results import make_result, make_store
from playwright.sync_api import BrowserContext, Page, expect

from protocol.boards import published_rows, result_rows
from protocol.rules import Content, Mode, Track
from space.export import export_site
from space.shop import Shop

pytestmark = pytest.mark.browser

NASTY = (
    "<img src=x onerror=window.hacked=1>",
    "[press](javascript:window.hacked=1)",
    "safe\u202egnp.exe",
    "long-" + "x" * 10_000,
)
PUBLISHED = "Paper, TOPIQ"
PUBLISHED_LINK = (
    "?view=t2i-ulb&bench=cmc-1+%C2%B7+CMC-Bench+%C2%B7+topiq_fr%2C+topiq_nr+%28released+weights%29"
)
BOARDS = ["T2I · ULB", "T2I · ELB", "T2I · all", "I2T", "Codecs"]
VIEWS = [*BOARDS, "Pairs", "Pictures", "Compare", "Figures", "Submit", "About"]


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    with open_browser() as context:
        yield context


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


@pytest.fixture
def page(browser: BrowserContext, address: str) -> Iterator[Page]:
    yield from open_page(browser, address)


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


def test_first_table_is_the_measured_one_by_rank(page: Page, source: ListSource) -> None:
    rows = result_rows(source.content, Track.T2I_ULB, None)
    assert column(page, "model") == [row.model for row in rows]
    assert column(page, "rank") == ["1", "2", "3", "4", "5", "6", "7", "8", MISSING]
    assert header(page, "rank").get_attribute("aria-sort") == "ascending"


def test_a_press_sorts_best_first_and_the_next_turns_it_with_missing_last_both_ways(
    page: Page,
) -> None:
    header(page, "image_fr").get_by_role("button").click()
    assert header(page, "image_fr").get_attribute("aria-sort") == "descending"
    assert header(page, "rank").get_attribute("aria-sort") == "none"
    *down, last = column(page, "image_fr")
    assert last == MISSING
    assert [float(text) for text in down] == sorted(map(float, down), reverse=True)
    # The focus is still on the header: a keyboard can turn the order at once.
    page.keyboard.press("Enter")
    assert header(page, "image_fr").get_attribute("aria-sort") == "ascending"
    *up, last = column(page, "image_fr")
    assert last == MISSING
    assert [float(text) for text in up] == sorted(map(float, up))


def test_content_switch_shows_that_contents_numbers(page: Page, source: ListSource) -> None:
    for content in Content:
        press(page, content)
        settle(page)
        rows = result_rows(source.content, Track.T2I_ULB, content)
        assert column(page, "overall") == [
            MISSING if row.overall is None else f"{row.overall:.4f}" for row in rows
        ]


def test_published_rows_are_on_another_table(page: Page) -> None:
    assert set(column(page, "source")) == {"✓ verified", "~ self-reported"}
    press(page, PUBLISHED)
    assert set(column(page, "source")) == {"¶ published"}
    press(page, "SCI")
    settle(page)
    rows = published_rows(Track.T2I_ULB, Content.SCI)
    assert column(page, "overall") == [f"{row.overall:.3f}" for row in rows]


def test_the_lead_and_its_doubt_stand_above_the_table(page: Page) -> None:
    press(page, PUBLISHED)
    expect(page.locator(".lead-line")).to_have_text("DiffBIR leads by 0.152 before PASD.")
    expect(page.locator(".doubt-line")).to_contain_text("more than chance is not known")


def test_the_weighting_changes_who_leads_and_a_preset_goes_back(page: Page) -> None:
    press(page, PUBLISHED)
    page.get_by_role("button", name="1 : 1").click()
    expect(page.locator(".lead-line")).to_have_text("DiffBIR leads by 0.038 before PG25.")
    page.get_by_role("slider").fill("40")
    assert column(page, "model")[0] == "PG25"
    assert column(page, "rank")[:2] == ["1", "2"]
    expect(page.locator(".lead-line")).to_contain_text("PG25 leads")
    expect(page.locator(".lead.now")).to_have_text("PG25")
    page.get_by_role("button", name="2 : 1").click()
    assert column(page, "model")[0] == "DiffBIR"
    assert "weight=" not in page.url


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


def test_copy_link_copies_the_address_of_the_view(page: Page, browser: BrowserContext) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "NSI")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert "content=NSI" in page.url


def test_copying_works_where_a_frame_forbids_the_clipboard(page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()


def test_a_pinned_row_stays_on_top_of_every_order(page: Page) -> None:
    last = column(page, "model")[-1]
    page.locator("tbody tr").last.locator(".pin").click()
    assert column(page, "model")[0] == last
    header(page, "full_nr").get_by_role("button").click()
    assert column(page, "model")[0] == last
    page.locator("tr.pinned .pin").click()
    expect(page.locator("tr.pinned")).to_have_count(0)


def test_filters_leave_the_rows_that_match_and_say_how_many_do_not(page: Page) -> None:
    page.get_by_role("searchbox").fill("RANDOM-weights")
    assert column(page, "model") == ["tiny-sd-random-weights"]
    expect(page.locator(".note")).to_contain_text("8 rows do not match")
    page.locator(".filters summary").click()
    page.get_by_role("button", name="Take all back").click()
    page.get_by_label("self-reported").check()
    assert column(page, "model") == ["someone/brought-numbers"]


def test_a_column_can_be_taken_away_and_another_added(page: Page) -> None:
    page.locator(".columns summary").click()
    page.get_by_label("Source").uncheck()
    page.get_by_label("Decode s").first.check()
    expect(header(page, "source")).to_have_count(0)
    assert column(page, "full_decode_seconds")[0] == "4.50"


@pytest.mark.parametrize("name", ["CSV", "JSON"])
def test_a_download_holds_the_rows_as_shown(page: Page, tmp_path: Path, name: str) -> None:
    header(page, "full_nr").get_by_role("button").click()
    page.locator(".download summary").click()
    with page.expect_download() as started:
        page.get_by_role("button", name=name, exact=True).click()
    path = tmp_path / "rows"
    started.value.save_as(path)
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines())) if name == "CSV" else json.loads(text)
    assert [row["model"] for row in rows] == column(page, "model")


def test_whole_boards_are_files_that_the_server_has(page: Page) -> None:
    page.locator(".download summary").click()
    for link in page.locator(".download a").all():
        answer = page.request.get(f"{page.url.split('?')[0]}{link.get_attribute('href')}")
        assert answer.ok
        assert len(answer.body()) > 100


def test_a_row_opens_with_all_that_is_known_and_closes_with_escape(page: Page) -> None:
    page.locator("tbody .name").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The whole record, JSON")
    link = dialog.get_by_role("link", name="The whole record").get_attribute("href")
    assert page.request.get(f"{page.url.split('?')[0]}{link}").ok
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, address: str, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    show(page, f"{address}?__theme={theme}")
    for name in ("T2I · ULB", "Pairs", "Figures", "Submit", "About"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(f"{name} · CMC-Bench")
        found = Axe().run(page).response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in serious] == [], name


def test_five_thousand_rows_keep_the_page_small_and_end_with_the_last(
    browser: BrowserContext,
) -> None:
    results = [make_result(f"model-{i:04d}", consistency=i / 5000) for i in range(5000)]
    with serving(ListSource(results)) as (_, address):
        for page in open_page(browser, address):
            assert page.evaluate("document.querySelectorAll('*').length") < 4000
            assert page.locator("table").get_attribute("aria-rowcount") == "5002"
            page.locator(".scroll").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
            settle(page)
            assert column(page, "model")[-1] == "model-0000"
            assert page.evaluate("document.querySelectorAll('*').length") < 4000


def test_an_export_shows_the_same_without_a_server_behind_it(
    browser: BrowserContext, tmp_path: Path
) -> None:
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    export_site("", tmp_path / "site")
    handler = functools.partial(Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        for page in open_page(browser, f"{address}{PUBLISHED_LINK}&sort=-full_nr"):
            assert column(page, "model")[0] == "PG25"
            header(page, "full_fr").get_by_role("button").click()
            assert column(page, "model")[0] == "DiffBIR"
            page.get_by_role("link", name="Figures", exact=True).click()
            page.wait_for_selector(".figure .main-svg")
            page.get_by_role("link", name="Submit", exact=True).click()
            expect(page.locator("main")).to_contain_text("without a server")
        server.shutdown()


def test_a_missing_browser_fails_and_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        find_chromium()
