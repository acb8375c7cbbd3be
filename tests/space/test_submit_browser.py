"""Submitting and following in a real browser, with a worker, and with a Hub that goes away."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import find_serious, open_page, serving, show
from conftest import paint
from hub_faults import Rates
from loopback_hub import LoopbackHub
from make_results import make_request
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.pictures import fingerprint_images
from evaluator.worker import work
from protocol.failures import FailureCode
from protocol.records import Request, System
from protocol.rules import Mode, Role
from space.sources import StoreSource
from submission.caption_files import LARGEST_BYTES
from submission.hub_files import Backoff
from submission.identity import account_of_machine
from submission.queue import make_failure
from submission.store import FolderStore
from submission.store_hub import HubStore

pytestmark = pytest.mark.browser

NAMES = ("NSI_pgc_000.png", "SCI_screen_001.png", "AIGI_SDXL_002.png")
HOSTILE = (
    "<img src=x onerror=window.hacked=1>"
    "[press](javascript:window.hacked=1)"
    "<script>window.hacked=1</script> safe\u202egnp.exe "
)
ENDLESS = HOSTILE + "x" * 10_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("pictures") / "three"
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        paint(192, 176, seed=seed).save(folder / name)
    cache = Cache(folder.parent / "cache")
    return Bench(images=folder, cache=cache, weights=None, device="cpu", batch_size=1)


@pytest.fixture(scope="module")
def address(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store in whose queue a failed and a running request have hostile names."""
    store = FolderStore(tmp_path_factory.mktemp("served") / "store")
    store.submit(seed(bench, ENDLESS))
    with store.claim("worker") as claim:
        assert claim is not None
        log = f"Traceback\n{ENDLESS}\n"
        store.fail(claim, make_failure(FailureCode.INPUT_REFUSED, "evaluate", ENDLESS, log))
    store.submit(seed(bench, HOSTILE, adapter=ENDLESS))
    with store.claim("worker") as claim, serving(StoreSource(store)) as (_, address):
        assert claim is not None
        store.report_progress(claim, ENDLESS, f"{ENDLESS}\n08:00  {HOSTILE}")
        yield address


def seed(bench: Bench, submitter: str = "somebody", adapter: str = "start_image") -> Request:
    """Return a request that opens the bench of the three pictures."""
    request = make_request(
        "x", role=Role.T2I, modes=(Mode.PIXEL,), protocol="demo-0", dataset="three"
    )
    return Request(
        role=Role.T2I,
        i2t=request.i2t,
        t2i=System(adapter=adapter, model="", revision="", path=""),
        codec=None,
        modes=(Mode.PIXEL,),
        protocol="demo-0",
        dataset="three",
        dataset_sha256=fingerprint_images(bench.images),
        submitter=submitter,
        submitted_at="2026-11-22T00:00:00.000Z",
    )


def open_form(browser: BrowserContext, address: str) -> Iterator[Page]:
    """Show the Submit page and wait for its form, which comes when gradio is imported."""
    for page in open_page(browser, f"{address}?view=submit"):
        expect(page.locator(".request").first).to_be_visible(timeout=300_000)
        yield page


def captions(*names: str, text: str = "A blue corner.") -> bytes:
    return ("name,text\n" + "".join(f'{name},"{text}"\n' for name in names)).encode()


def give_file(page: Page, name: str, content: bytes) -> None:
    file = FilePayload(name=name, mimeType="text/csv", buffer=content)
    page.get_by_label("Caption file").set_input_files(file)


def test_captions_from_a_file_are_checked_queued_run_by_a_worker_and_shown_with_their_smoke_test(
    browser: BrowserContext, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluator.execution.SMOKE_FROM", 3)
    store = FolderStore(tmp_path / "store")
    store.withdraw(store.submit(seed(bench)).state.request_id, "somebody")
    with serving(StoreSource(store)) as (shop, address):
        for page in open_form(browser, address):
            said, send = page.locator(".said"), page.get_by_role("button", name="Submit")
            page.get_by_role("button", name="a caption file").click()
            page.get_by_label("T2I model", exact=True).fill("start-image")
            for mode in ("full", "image", "text"):
                page.get_by_label(mode, exact=True).uncheck()
            give_file(page, "mine.csv", captions(*NAMES, NAMES[0]))
            expect(said).to_contain_text("NSI_pgc_000.png comes twice")
            expect(send).to_be_disabled()
            give_file(page, "mine.csv", captions("../../etc/passwd"))
            expect(said).to_contain_text("../../etc/passwd is no name of a picture")
            give_file(page, "long.csv", b"x" * (LARGEST_BYTES + 1))
            expect(said).to_contain_text("more than 1 MiB")
            give_file(page, "empty.csv", b"")
            expect(said).to_have_text("The caption file is empty.")
            # Of the pictures nothing is known yet: the form says so, and the names' form counts.
            give_file(page, "mine.csv", captions(*NAMES, text=HOSTILE))
            expect(said).to_contain_text("3 captions of 117 bytes on average, 117 at most")
            expect(said).to_contain_text("is known when a first run has finished")
            expect(said).to_contain_text("It runs in pixel")
            send.click()
            expect(said.locator(".hint")).to_have_text("It is in the queue below.")
            (entry,) = [e for e in store.queue() if e.state.status == "PENDING"]
            assert entry.request.submitter == account_of_machine().name
            waiting = page.locator(f'[data-id="{entry.request.request_id}"]')
            expect(waiting).to_contain_text("place 1")
            expect(waiting).to_contain_text("no run has told yet how long one takes")
            waiting.locator("summary").click()
            expect(waiting).to_contain_text("cmc smoke --i2t")
            worker = threading.Thread(
                target=lambda: work(FolderStore(store.folder), bench, once=True, say=lambda _: None)
            )
            worker.start()
            worker.join()
            expect(waiting.locator(".chip")).to_have_text("finished")
            waiting.locator("summary").click()
            expect(waiting.locator("tbody tr")).to_have_count(1)
            expect(waiting.locator(".smoke")).to_contain_text("3 of 3")
            expect(waiting.locator(".smoke")).to_contain_text("The whole run of 3 pictures would")
            assert page.evaluate("window.hacked") is None
            # From now on the pictures' names are known.
            give_file(page, "other.csv", captions(*NAMES[:2]))
            expect(said).to_contain_text("1 of 3 pictures have no caption: AIGI_SDXL_002.png")
            give_file(page, "mine.csv", captions(*NAMES, text="Another."))
            expect(said).to_contain_text("All checks passed")
    shop.keeper.refresh()
    (result,) = shop.keeper.snapshot.results
    assert (result.request.label, result.request.partner) == ("start-image", "mine.csv")
    assert result.request.i2t is not None
    assert result.request.i2t.path == ""


def test_settings_are_fields_that_write_into_the_line_and_a_link_brings_the_form_back(
    browser: BrowserContext, address: str
) -> None:
    for page in open_form(browser, address):
        said, line = page.locator(".said"), page.get_by_label("T2I model", exact=True)
        page.get_by_label("I2T model", exact=True).fill("gpt4v.csv")
        line.fill("control")
        page.get_by_text("Settings of control").click()
        page.get_by_label("kind", exact=True).select_option("sharpen")
        page.get_by_label("radius", exact=True).fill("-1")
        expect(line).to_have_value("control?kind=sharpen&radius=-1")
        expect(said).to_contain_text("control?radius=-1: wanted more than 0")
        page.get_by_label("radius", exact=True).fill("3")
        expect(said).to_contain_text("All checks passed")
        other = browser.new_page()
        show(other, page.url)
        line = other.get_by_label("T2I model", exact=True)
        expect(line).to_have_value("control?kind=sharpen&radius=3")
        expect(other.get_by_label("kind", exact=True)).to_have_value("sharpen")
        other.close()
        page.get_by_role("button", name="a caption file").click()
        page.get_by_role("button", name="a model", exact=True).click()
        page.get_by_role("button", name="Submit", exact=True).click()
        mine = page.locator(".request", has_text="control (kind sharpen, radius 3)")
        expect(mine).to_contain_text("place 1")
        mine.get_by_role("button", name="Withdraw").click()
        expect(mine.locator(".chip")).to_have_text("waiting")
        mine.get_by_role("button", name="Withdraw for good?").click()
        expect(mine.locator(".chip")).to_have_text("withdrawn")
        assert page.locator(".request.running").get_by_role("button").count() == 0


def test_hostile_lines_are_refused_as_text(browser: BrowserContext, address: str) -> None:
    for page in open_form(browser, address):
        page.set_viewport_size({"width": 390, "height": 844})
        page.get_by_label("I2T model", exact=True).fill("gpt4v.csv")
        for line, answer in (
            ("diffusers:/etc", "is nothing that can be submitted here"),
            ("animatediff:a/b?adapter=/etc", "here a model is a Hub id"),
            ("diffbir:a/b?control=../../secret", "names a file"),
            (HOSTILE, "is nothing that can be submitted here"),
            (ENDLESS, "is nothing that can be submitted here"),
        ):
            page.get_by_label("T2I model", exact=True).fill(line)
            expect(page.locator(".finding.refused")).to_contain_text(answer)
            expect(page.get_by_role("button", name="Submit")).to_be_disabled()
            assert page.evaluate("window.hacked") is None
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert page.locator(".said img, .said a, .said script").count() == 0


def test_hostile_names_logs_and_progress_stay_text_and_in_their_place(
    browser: BrowserContext, address: str
) -> None:
    for page in open_form(browser, address):
        page.set_viewport_size({"width": 390, "height": 844})
        failed, running = page.locator(".request.failed"), page.locator(".request.running")
        expect(running.locator(".progress")).to_contain_text(HOSTILE.strip())
        running.locator("summary").click()
        expect(running.locator(".log")).to_contain_text("<script>window.hacked=1</script>")
        failed.locator("summary").click()
        expect(failed.locator(".log")).to_contain_text("<script>window.hacked=1</script>")
        expect(failed).to_contain_text("[press](javascript:window.hacked=1)")
        assert page.evaluate("window.hacked") is None
        assert page.locator(".queue img, .queue a, .queue script").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for theme in ("light", "dark"):
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            assert find_serious(page) == []


def test_a_running_request_shows_its_log_which_is_renewed_without_losing_scroll_or_focus(
    browser: BrowserContext, bench: Bench, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "store")
    store.submit(seed(bench))
    lines = [f"08:00:{second:02d}  {HOSTILE} line {second}" for second in range(40)]
    with store.claim("worker") as claim, serving(StoreSource(store)) as (_, address):
        assert claim is not None
        store.report_progress(claim, "decode 1/9", "\n".join(lines))
        for page in open_form(browser, address):
            running = page.locator(".request.running")
            running.locator("summary").click()
            log = running.locator(".log")
            expect(log).to_contain_text("line 39")
            # At its end, it stays at its end; else it stays where its reader is.
            ends = "n => n.scrollHeight - n.clientHeight - n.scrollTop < 5"
            expect(log).to_be_visible()
            assert log.evaluate(f"n => n.scrollHeight > n.clientHeight && ({ends})(n)")
            store.report_progress(claim, "decode 2/9", "\n".join([*lines[1:], "08:01  next"]))
            expect(log).to_contain_text("next", timeout=20_000)
            expect(running.locator(".progress")).to_have_text("decode 2/9")
            assert log.evaluate(ends)
            log.focus()
            log.evaluate("n => { n.scrollTop = 60; n.mark = 1; }")
            store.report_progress(claim, "decode 3/9", "\n".join([*lines[2:], "08:02  last"]))
            expect(log).to_contain_text("last", timeout=20_000)
            kept = "n => [n.scrollTop, n.mark, document.activeElement === n]"
            assert log.evaluate(kept) == [60, 1, True]
            assert page.locator(".queue img, .queue a, .queue script").count() == 0
            assert page.evaluate("window.hacked") is None
            for theme in ("light", "dark"):
                page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                assert find_serious(page) == []
            store.withdraw(claim.request.request_id, "somebody")
            expect(page.locator(".request.withdrawn .log")).to_have_count(0, timeout=20_000)


def test_while_the_hub_is_away_page_and_queue_say_since_when_and_catch_up_by_themselves(
    browser: BrowserContext, bench: Bench, hub: LoopbackHub, tmp_path: Path
) -> None:
    quick = Backoff(first_seconds=0.001, limit_seconds=0.002, tries=3)
    store = HubStore(
        "acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "c", backoff=quick
    )
    store.create()
    store.submit(seed(bench))
    hub.faults.set_rates(Rates(server_error=1.0))
    with serving(StoreSource(store)) as (shop, address):
        for page in open_page(browser, address):
            expect(page.locator(".freshness")).to_contain_text(
                "the paper's published numbers; the store does not answer since"
            )
            assert page.locator("main tbody tr").count() > 5
            page.get_by_role("link", name="Submit", exact=True).click()
            expect(page.locator(".view-submit")).to_contain_text("The store does not answer")
            hub.faults.set_rates(Rates())
            shop.keeper.refresh()
            expect(page.locator(".request.waiting")).to_contain_text("start_image")
            page.reload()
            expect(page.locator(".freshness")).not_to_contain_text("does not answer")
            page.get_by_label("I2T model", exact=True).fill("gpt4v.csv")
            page.get_by_label("T2I model", exact=True).fill("control?kind=blur")
            expect(page.locator(".said")).to_contain_text("All checks passed")
            page.get_by_role("button", name="Submit", exact=True).click()
            mine = page.locator(".request", has_text="kind blur")
            expect(mine).to_contain_text("place 2")
            mine.get_by_role("button", name="Withdraw").click()
            mine.get_by_role("button", name="Withdraw for good?").click()
            expect(mine.locator(".chip")).to_have_text("withdrawn")
