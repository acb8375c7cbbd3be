"""A real browser, and the page served to it."""

import functools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright

from space.server import build_server, listening
from space.shop import Shop
from space.snapshot import Source

MISSING = "\N{EN DASH}"
PATIENCE = 30_000
"""Milliseconds after which a test has failed; a busy machine needs seconds for a press."""

NASTY = (
    "<img src=x onerror=window.hacked=1>",
    "[press](javascript:window.hacked=1)",
    "safe\u202egnp.exe",
    "long-" + "x" * 10_000,
)
"""What strangers may call a model."""


def find_chromium() -> str:
    """Return where Chromium is; a machine without it must not pass for one that ran these."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail(f"none of {', '.join(names)} found; install one: apt install chromium")
    return path


@contextmanager
def open_browser() -> Iterator[BrowserContext]:
    expect.set_options(timeout=PATIENCE)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"]
        ) as running,
    ):
        yield running.new_context(
            viewport={"width": 1280, "height": 900}, color_scheme="light", accept_downloads=True
        )


@contextmanager
def serving(source: Source) -> Iterator[tuple[Shop, str]]:
    """Serve a source and yield its shop and address."""
    shop = Shop(source)
    with listening(build_server(shop), "127.0.0.1", 0) as address:
        yield shop, address


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def files_served(folder: Path) -> Iterator[str]:
    """Serve a folder as it is, by a server that runs nothing, and yield its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


COUNT_FETCHES = """
window.fetching = 0;
const { fetch } = window;
window.fetch = (...given) => {
    window.fetching += 1;
    // The body too: what is drawn waits for it.
    const whole = fetch(...given).then(async (response) => {
        await response.clone().arrayBuffer();
        return response;
    });
    return whole.finally(() => setTimeout(() => { window.fetching -= 1; }));
};
"""


def open_page(browser: BrowserContext, address: str, patience_ms: int = PATIENCE) -> Iterator[Page]:
    """Show the page; afterwards, refuse script errors and requests that left this machine."""
    page = browser.new_page()
    page.set_default_timeout(patience_ms)
    errors: list[str] = []
    strangers: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def note(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            strangers.append(url)

    page.on("request", lambda request: note(request.url))
    page.add_init_script(COUNT_FETCHES)
    show(page, address)
    yield page
    page.close()
    assert errors == []
    assert strangers == []


def show(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("main tbody tr, main .empty, main .prose, main h2")


def go(page: Page, query: str) -> None:
    """Show what a link shows, without loading the page again."""
    page.evaluate("(query) => history.pushState(null, '', query)", query)
    page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    settle(page)


def column(page: Page, key: str) -> list[str]:
    """Return a board's column, top to bottom, without the second lines of its cells."""
    texts: list[str] = page.evaluate(
        """(key) => {
            const keys = [...document.querySelectorAll('.titles button')].map((b) => b.dataset.key);
            const rows = [...document.querySelectorAll('tbody tr:not(.spacer)')];
            const cells = rows.map((row) => row.cells[keys.indexOf(key)]);
            const main = (c) => c.querySelector('.place, .value, strong, .missing') ?? c;
            const name = (c) => c.querySelector('.name bdi')?.title;
            return cells.map((c) => name(c) ?? main(c).textContent.trim());
        }""",
        key,
    )
    return texts


def header(page: Page, key: str) -> Locator:
    return page.locator(f'.titles th:has(button[data-key="{key}"])')


def press(page: Page, name: str) -> None:
    page.locator(".controls .choice").get_by_role("button", name=name).click()


def settle(page: Page) -> None:
    """Wait until the page has drawn what was asked, and has all that it fetches for it."""
    page.evaluate("new Promise((done) => setTimeout(done, 80))")
    page.wait_for_function("() => !window.fetching")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def find_serious(page: Page, *, colours_only: bool = False) -> list[tuple[str, str]]:
    """Return what axe finds serious or critical: the rule and where it is broken.

    A figure is one picture to a screen reader, so what plotly draws in it is left out.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if colours_only:
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    run = "(options) => axe.run({exclude: ['.main-svg']}, options)"
    found = page.evaluate(run, options)["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    return [(v["id"], v["nodes"][0]["html"][:120]) for v in serious]
