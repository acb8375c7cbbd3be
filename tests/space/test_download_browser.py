"""What a reader saves of a board, in a real browser."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import column, header, open_page, serving
from list_source import ListSource
from make_results import make_result, make_store, make_system
from playwright.sync_api import BrowserContext, Page

from space.formats import lines_to_csv

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(ListSource(make_store())) as (_, where):
        yield where


@pytest.mark.parametrize("name", ["CSV", "JSON"])
def test_a_download_holds_the_rows_as_shown(page: Page, tmp_path: Path, name: str) -> None:
    header(page, "full_nr").get_by_role("button").click()
    page.locator(".download summary").click()
    text = saved(page, name, tmp_path)
    rows = list(csv.DictReader(text.splitlines())) if name == "CSV" else json.loads(text)
    assert [row["model"] for row in rows] == column(page, "model")


def saved(page: Page, name: str, folder: Path) -> str:
    """Press an entry of the open menu and return what is saved."""
    with page.expect_download() as started:
        page.get_by_role("button", name=name, exact=True).click()
    started.value.save_as(folder / "rows")
    return (folder / "rows").read_text(encoding="utf-8")


def test_a_download_tells_rows_of_one_model_apart_by_their_partners(
    browser: BrowserContext, tmp_path: Path
) -> None:
    results = [make_result("owner/decoder", consistency=score) for score in (0.6, 0.5)]
    other = replace(results[1].request, i2t=make_system("transformers", "owner/encoder"))
    results[1] = replace(results[1], request=other)
    with serving(ListSource(results)) as (_, where):
        for page in open_page(browser, where):
            page.locator(".download summary").click()
            rows = list(csv.DictReader(saved(page, "CSV", tmp_path).splitlines()))
    assert [row["partner"] for row in rows] == ["gpt4v.csv", "owner/encoder"]


def test_the_page_writes_the_same_csv_as_the_server(page: Page) -> None:
    texts = ["a, b", 'so "called"', "two\nlines", "=1+1", "-1", "+a,b", "@x", "\tx", "a=b", "", "é"]
    records = [{"text": text, "count": at, "none": None} for at, text in enumerate(texts)]
    written = page.evaluate(
        "(records) => import('./page/download.js').then((page) => page.toCsv({ records }))", records
    )
    assert f"{written}\r\n".encode() == lines_to_csv(records)


def test_a_download_without_rows_has_their_titles(page: Page, tmp_path: Path) -> None:
    page.get_by_role("searchbox").fill("nobody is called so")
    page.locator(".download summary").click()
    assert saved(page, "CSV", tmp_path).startswith("rank,model,")


def test_whole_boards_are_files_that_the_server_has(page: Page) -> None:
    page.locator(".download summary").click()
    for link in page.locator(".download a").all():
        answer = page.request.get(f"{page.url.split('?')[0]}{link.get_attribute('href')}")
        assert answer.ok
        assert len(answer.body()) > 100
