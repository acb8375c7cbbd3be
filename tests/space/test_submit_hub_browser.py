"""The form with models of a Hub: what it says of their size, their price and their trouble."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_process import app_served
from browsing import find_serious, open_page
from hub_faults import Rates
from loopback_hub import LoopbackHub
from make_results import make_request
from playwright.sync_api import BrowserContext, Page, expect

from protocol.rules import Mode, Role
from submission.folders import folder_facts
from submission.store import FolderStore

pytestmark = pytest.mark.browser


@pytest.fixture
def form(browser: BrowserContext, hub: LoopbackHub, models: Path, tmp_path: Path) -> Iterator[Page]:
    """The form of a Space whose Hub holds a tiny T2I and a tiny I2T model, random weights."""
    for name in ("tiny-sd", "tiny-llava"):
        hub.api().create_repo(f"acme/{name}")
        folder = models / f"{name}-random-weights"
        hub.api().upload_folder(repo_id=f"acme/{name}", folder_path=folder)
    store = FolderStore(tmp_path / "store")
    asked = make_request("x", role=Role.T2I, modes=(Mode.FULL,), protocol="demo-0", dataset="demo")
    store.submit(asked)
    with app_served(store, hub.environment(tmp_path / "home")) as address:
        for page in open_page(browser, f"{address}?view=submit"):
            expect(page.locator(".request").first).to_be_visible(timeout=300_000)
            yield page


def test_parameters_weights_commits_and_cost_are_said_before_anything_is_queued(
    form: Page, hub: LoopbackHub, models: Path
) -> None:
    said = form.locator(".said")
    form.get_by_label("I2T model", exact=True).fill("transformers:acme/tiny-llava")
    form.get_by_label("T2I model", exact=True).fill("diffusers:acme/tiny-sd")
    expect(said).to_contain_text("All checks passed")
    commit = str(hub.api().model_info("acme/tiny-sd").sha)[:12]
    here = folder_facts(models / "tiny-sd-random-weights")
    expect(said).to_contain_text(
        f"acme/tiny-sd: StableDiffusionPipeline, {here.main_parameters / 1e6:.2f} million "
        f"parameters, {here.loaded_bytes / 1e6:.1f} MB of weights, at commit {commit}"
    )
    expect(said).to_contain_text("acme/tiny-llava: llava, ")
    expect(said).to_contain_text("GPU-minutes on one A100, between")
    expect(said).to_contain_text("for 1,000 pictures; how many there are is known when")
    form.get_by_label("Estimate for one").select_option("t4")
    expect(said).to_contain_text("GPU-minutes on one T4, between")
    assert find_serious(form) == []


def test_while_the_hub_does_not_answer_the_remedy_is_one_that_the_page_takes(
    form: Page, hub: LoopbackHub
) -> None:
    hub.faults.set_rates(Rates(server_error=1.0))
    form.get_by_label("I2T model", exact=True).fill("gpt4v.csv")
    form.get_by_label("T2I model", exact=True).fill("diffusers:acme/tiny-sd")
    refused = form.locator(".finding.refused")
    expect(refused).to_contain_text("nothing can be learnt of acme/tiny-sd")
    expect(refused.locator(".hint")).to_have_text("Try again in a few minutes.")
    expect(form.get_by_role("button", name="Submit")).to_be_disabled()
