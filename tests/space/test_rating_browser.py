"""The rating page in a real browser, its server killed in between."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browsing import find_chromium, find_serious
from conftest import ROOT, paint
from playwright.sync_api import Page, expect, sync_playwright

from protocol.rating_log import RatingLog
from protocol.ratings import Rated, Rating, parse_ratings

pytestmark = pytest.mark.browser


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Four distorted pictures of two systems, and their references."""
    found = {name: tmp_path / name for name in ("distorted", "references", "ratings")}
    found["references"].mkdir()
    for number in range(2):
        name = f"NSI_pgc_{number:03d}.png"
        paint(320, 240, seed=number).save(found["references"] / name)
        for system in ("one", "two"):
            folder = found["distorted"] / system
            folder.mkdir(parents=True, exist_ok=True)
            paint(320, 240, seed=number + 5).save(folder / name)
    return found


@pytest.fixture
def start(folders: dict[str, Path]) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Return a function that starts `cmc rate`, always on the same port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [part for name, path in folders.items() for part in (f"--{name}", str(path))]
    running: list[subprocess.Popen[str]] = []

    def run() -> subprocess.Popen[str]:
        server = subprocess.Popen(
            [sys.executable, "-m", "evaluator", "rate", *options, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(server)
        assert server.stdout is not None
        assert f":{port}" in server.stdout.readline()
        return server

    yield run
    for server in running:
        server.kill()
        server.wait()
        if server.stdout:
            server.stdout.close()


@pytest.fixture
def page() -> Iterator[Page]:
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"]
        ) as browser,
    ):
        yield browser.new_page(viewport={"width": 1280, "height": 900})


def address_of(server: subprocess.Popen[str]) -> str:
    arguments = server.args
    assert isinstance(arguments, list)
    return f"http://127.0.0.1:{arguments[-1]}"


def enter(page: Page, address: str, *, agrees: bool = True) -> None:
    page.goto(address)
    page.get_by_label("A name that you will use each time").fill("Ada")
    if agrees:
        page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Start").click()


def rate(page: Page, consistency: str, perception: str) -> None:
    """Rate the picture shown by keyboard and wait for the next one."""
    shown = page.locator(".rating").get_attribute("data-picture")
    page.keyboard.press(consistency)
    page.keyboard.press(perception)
    expect(page.locator(".saved")).to_have_text("saved")
    expect(page.get_by_role("button", name="Next pair")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.locator(f'.rating[data-picture="{shown}"][data-state="rate"]')).to_have_count(0)


def test_three_pictures_by_keyboard_survive_a_killed_server_and_browser(
    page: Page, start: Callable[[], subprocess.Popen[str]], folders: dict[str, Path]
) -> None:
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    server = start()
    address = address_of(server)
    enter(page, address, agrees=False)
    expect(page.get_by_role("alert").filter(has_text="agree to it")).to_be_visible()
    enter(page, address)
    expect(page.locator(".progress")).to_have_text("0 of 4 rated")
    rate(page, "4", "2")
    # The second without a look at what is saved: Enter waits for the disk.
    for key in ("5", "0", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".progress")).to_have_text("2 of 4 rated")

    # The third: one score, the flag, a finer step; then the server dies before the second score.
    page.keyboard.press("3")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Flag as offensive")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.locator(".saved")).to_have_text("saved")
    server.send_signal(signal.SIGKILL)
    server.wait()
    page.keyboard.press("1")
    expect(page.locator(".saved")).to_have_text("not saved yet, trying again")
    expect(page.get_by_role("button", name="Next pair")).to_be_disabled()
    start()
    expect(page.locator(".saved")).to_have_text("saved", timeout=20_000)
    screenshot = os.environ.get("CMC_SCREENSHOT")
    if screenshot:
        page.screenshot(path=screenshot)

    # The browser dies as well; a new one finds the fourth picture and the rest.
    page.goto("about:blank")
    enter(page, address)
    expect(page.locator(".progress")).to_have_text("3 of 4 rated")
    page.keyboard.press("2")
    expect(page.locator(".saved")).to_have_text("saved")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator('fieldset[data-dimension="consistency"] output')).to_have_text("2.1")
    page.keyboard.press("Tab")
    page.keyboard.press("3")
    expect(page.get_by_role("button", name="Next pair")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="All pictures are rated")).to_be_visible()

    parsed = parse_ratings(RatingLog(folders["ratings"]).rows())
    given: dict[str, dict[str, float]] = {}
    for rating in parsed.ratings:
        given.setdefault(rating.image, {})[rating.dimension] = rating.rating
    assert list(given.values()) == [
        {"consistency": 4, "perception": 2},
        {"consistency": 5, "perception": 0},
        {"consistency": 3, "nsfw": 1, "perception": 1},
        {"consistency": 2.1, "perception": 3},
    ]
    assert [item.rating for item in parsed.refused] == ["2"]
    assert failures == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_refusal_can_be_read_by_light_and_in_the_dark(
    page: Page, start: Callable[[], subprocess.Popen[str]], theme: str
) -> None:
    enter(page, f"{address_of(start())}?__theme={theme}", agrees=False)
    expect(page.get_by_role("alert").filter(has_text="agree to it")).to_be_visible()
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")
    assert find_serious(page, colours_only=True) == []


def test_the_page_has_a_heading_while_one_rates(
    page: Page, start: Callable[[], subprocess.Popen[str]]
) -> None:
    enter(page, address_of(start()))
    expect(page.get_by_role("heading", level=1)).to_have_text("Rate this pair of pictures")
    assert find_serious(page) == []


def test_a_slider_counts_where_it_is_let_go(
    page: Page, start: Callable[[], subprocess.Popen[str]], folders: dict[str, Path]
) -> None:
    enter(page, address_of(start()))
    slider = page.get_by_role("slider", name="perception")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.6, 0.7, 0.9):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    assert RatingLog(folders["ratings"]).rows() == []
    page.mouse.up()
    expect(page.locator(".saved")).to_have_text("saved")
    (row,) = RatingLog(folders["ratings"]).rows()
    assert row["dimension"] == "perception"
    assert float(row["rating"]) == pytest.approx(4.5, abs=0.2)


def test_a_slider_that_is_let_go_in_the_middle_has_said_so(
    page: Page, start: Callable[[], subprocess.Popen[str]], folders: dict[str, Path]
) -> None:
    enter(page, address_of(start()))
    for name in ("consistency", "perception"):
        page.get_by_role("slider", name=name).click()
    expect(page.get_by_role("button", name="Next pair")).to_be_enabled()
    assert [row["rating"] for row in RatingLog(folders["ratings"]).rows()] == ["2.5", "2.5"]


def test_who_waits_for_a_picture_of_a_server_that_is_away_is_told_so(
    page: Page, start: Callable[[], subprocess.Popen[str]]
) -> None:
    server = start()
    enter(page, address_of(server))
    expect(page.locator(".progress")).to_have_text("0 of 4 rated")
    for key in ("4", "2"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Next pair")).to_be_enabled()
    server.kill()
    server.wait()
    page.keyboard.press("Enter")
    expect(page.locator(".saved")).to_have_text("the server does not answer, trying again")
    start()
    expect(page.locator(".progress")).to_have_text("1 of 4 rated", timeout=20_000)


def test_who_would_go_on_after_a_rest_while_the_server_is_away_is_told_so(
    page: Page, start: Callable[[], subprocess.Popen[str]], folders: dict[str, Path]
) -> None:
    log = RatingLog(folders["ratings"])
    for minute in range(61):
        time = datetime.now(UTC) - timedelta(minutes=60 - minute)
        log.append(
            Rating(
                viewer=log.pseudonym("Ada"),
                image=f"{minute}.png",
                dimension=Rated.CONSISTENCY,
                rating=3,
                time=time.isoformat(),
                session="g0",
            )
        )
    page.clock.install()
    server = start()
    enter(page, address_of(server))
    expect(page.get_by_role("heading", name="Time for a rest")).to_be_visible()
    page.clock.fast_forward("05:00")
    server.kill()
    server.wait()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".left")).to_have_text("the server does not answer, trying again")
    start()
    expect(page.locator(".left")).to_contain_text("you can go on in", timeout=20_000)
