"""A board in a real browser: order, filters, columns, weighting."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import MISSING, column, find_serious, header, open_page, press, serving, settle
from list_source import ListSource
from make_results import make_codec, make_result, make_store
from playwright.sync_api import BrowserContext, Page, expect

from protocol.boards import published_rows, result_rows
from protocol.rules import Content, Mode, Track

pytestmark = pytest.mark.browser

PUBLISHED = "Paper, TOPIQ"
CUT_TITLES = """() => {
    const cells = [...document.querySelector('tbody tr').cells];
    const box = (node) => node.getBoundingClientRect();
    return [...document.querySelectorAll('.titles th')].filter((title, at) => {
        const [whole, cell] = [box(title), box(cells[at])];
        const texts = document.createRange();
        texts.selectNodeContents(title);
        const all = [...texts.getClientRects(), box(title.querySelector('.arrow'))];
        return all.some((one) => one.left < whole.left || one.right > whole.right)
            || whole.left !== cell.left || whole.right !== cell.right;
    }).map((title) => title.textContent);
}"""


@pytest.fixture(scope="module")
def source() -> ListSource:
    return ListSource(make_store())


@pytest.fixture(scope="module")
def address(source: ListSource) -> Iterator[str]:
    with serving(source) as (_, where):
        yield where


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


def test_under_another_weighting_equal_rows_share_a_rank_and_a_row_without_one_gets_none(
    browser: BrowserContext,
) -> None:
    one = make_result("one", consistency=0.5, perception=0.6)
    scores = [(0.5, 0.6), (0.6, 0.3), (0.4, 0.9)]
    others = [make_result(f"m{fr}", consistency=fr, perception=nr) for fr, nr in scores]
    full = make_result("only-full", modes=(Mode.FULL,), consistency=0.9, perception=0.9)
    with serving(ListSource([one, *others, full])) as (_, where):
        for page in open_page(browser, f"{where}?weight=0.4"):
            assert column(page, "rank") == ["1", "2", "2", "4", MISSING]
            assert [column(page, "model")[at] for at in (0, 3, 4)] == ["m0.4", "m0.6", "only-full"]
            assert column(page, "overall")[-1] == MISSING


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


def test_a_name_is_found_however_its_accents_are_typed(browser: BrowserContext) -> None:
    names = [unicodedata.normalize(form, "acmé/décodeur") for form in ("NFC", "NFD")]
    with serving(ListSource([make_result(name) for name in names])) as (_, where):
        for page in open_page(browser, where):
            for name in names:
                page.get_by_role("searchbox").fill(name.upper())
                settle(page)
                assert sorted(column(page, "model")) == sorted(names)


def test_a_column_can_be_taken_away_and_another_added(page: Page) -> None:
    page.locator(".columns summary").click()
    page.get_by_label("Source").uncheck()
    page.get_by_label("Decode s").first.check()
    expect(header(page, "source")).to_have_count(0)
    assert column(page, "full_decode_seconds")[0] == "4.50"


@pytest.mark.parametrize("width", [1280, 390])
def test_every_title_is_whole_and_stands_over_its_column(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.locator(".columns summary").click()
    expect(page.locator(".columns .check").first).to_be_visible()
    for box in page.locator(".columns input").all():
        box.check()
    for key in ("mean_fr", "mean_nr", "full_fr", "replications", "variants_tried"):
        # It may lie under the open panel.
        header(page, key).get_by_role("button").evaluate("(press) => press.click()")
        assert page.evaluate(CUT_TITLES) == []


def test_a_row_opens_with_all_that_is_known_and_closes_with_escape(page: Page) -> None:
    page.locator("tbody .name").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The whole record, JSON")
    link = dialog.get_by_role("link", name="The whole record").get_attribute("href")
    record = page.request.get(f"{page.url.split('?')[0]}{link}")
    assert record.json()["request"]["t2i"]["model"] == column(page, "model")[0]
    assert link
    again = f"cmc reproduce {Path(link).stem} --store STORE --subset 50 --images DIR"
    expect(dialog.locator(".commands")).to_contain_text(again)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_row_s_dialog_says_what_the_submitter_said_and_that_he_was_silent(
    browser: BrowserContext,
) -> None:
    said = {
        "paper": "https://arxiv.org/abs/2406.09356",
        "comment": "<img src=x onerror=window.hacked=1>",
        "variants_tried": "12",
    }
    talks, silent = make_result("talks", consistency=0.9), make_result("silent")
    talks = replace(talks, request=replace(talks.request, declared=said))
    source = ListSource([talks, silent])
    source.made = {talks.request.request_id: 3}
    with serving(source) as (_, address):
        for page in open_page(browser, f"{address}?cols=variants_tried,submissions"):
            assert column(page, "variants_tried") == ["12", MISSING]
            assert column(page, "submissions") == ["3", MISSING]
            page.locator("tbody .name").first.click()
            dialog = page.get_by_role("dialog")
            expect(dialog).to_contain_text(said["comment"])
            expect(dialog.get_by_role("link", name=said["paper"])).to_have_attribute(
                "rel", "noopener nofollow ugc"
            )
            assert page.evaluate("window.hacked") is None
            assert find_serious(page) == []
            page.keyboard.press("Escape")
            page.locator("tbody .name").last.click()
            expect(page.get_by_role("dialog")).to_contain_text("Variants triednot said")


def test_a_codec_s_bd_rate_says_of_how_much_it_speaks_or_why_there_is_none(
    browser: BrowserContext,
) -> None:
    results = [
        make_codec(name, 50 - at, bpp=factor * 2**at, consistency=0.5 + at / 9, perception=0.2)
        for name, factor, count in (("vvc", 0.02, 4), ("av1", 0.03, 4), ("avc", 0.04, 2))
        for at in range(count)
    ]
    with serving(ListSource(results)) as (_, address):
        for page in open_page(browser, f"{address}?view=codec&sort=bd_rate_fr"):
            shown = column(page, "bd_rate_fr")
            assert shown[:5] == ["0.0 %"] * 4 + ["+50.0 %"]
            assert shown[-1] == MISSING
            at = page.locator("tbody tr", has_text="AVC").first.locator(".kind-percent span").first
            expect(at).to_have_attribute("title", re.compile("AVC has 2 points; .* needs 4"))
            at = page.locator("tbody tr", has_text="AV1").first.locator(".kind-percent .value")
            expect(at.first).to_have_attribute("title", "over 100 % of the range of their scores")


def test_a_setting_with_slashes_is_no_owner(browser: BrowserContext) -> None:
    result = make_result("painter (base_url http://127.0.0.1:8000/v1)")
    with serving(ListSource([result])) as (_, address):
        for page in open_page(browser, address):
            assert page.locator("tbody .name").all_inner_texts() == ["painter"]
            quiet = page.locator("tbody .kind-model .partner").all_inner_texts()
            assert quiet[0] == "base_url http://127.0.0.1:8000/v1"


def test_rows_of_one_model_show_the_settings_that_tell_them_apart(
    browser: BrowserContext,
) -> None:
    names = [f"owner/a-model-with-a-long-name (steps {steps})" for steps in (4, 20)]
    results = [make_result(name, consistency=0.6 - 0.1 * at) for at, name in enumerate(names)]
    with serving(ListSource(results)) as (_, address):
        for page in open_page(browser, address):
            assert column(page, "model") == names
            assert page.locator("tbody .name").all_inner_texts() == ["a-model-with-a-long-name"] * 2
            settings = page.locator("tbody .kind-model .partner:first-child")
            assert settings.all_inner_texts() == ["steps 4", "steps 20"]
            for one in settings.all():
                assert one.evaluate(
                    "(n) => n.offsetLeft + n.offsetWidth < n.closest('th').offsetWidth"
                )


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_in_what_opens(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for _ in ("light", "dark"):
        for name in ("filters", "columns", "download"):
            page.locator(f".{name} summary").click()
            assert find_serious(page) == []
            page.keyboard.press("Escape")
        page.locator("tbody .name").first.click()
        assert find_serious(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Dark or light").click()


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
            # A row that a keyboard pins is followed to the top, where the others begin.
            page.get_by_label("Pin model-0000").press("Enter")
            expect(page.get_by_label("Pin model-0000")).to_be_focused()
            expect(page.get_by_label("Pin model-0000")).to_be_in_viewport()
            assert column(page, "model")[:2] == ["model-0000", "model-4999"]
            page.locator(".scroll").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
            page.get_by_role("searchbox").fill("model-0042")
            assert column(page, "model") == ["model-0042"]
