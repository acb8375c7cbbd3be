"""The Space beside gradio's own table: paint, sort, filter, nodes, weight, memory, readers.

python benchmarks/space.py [--repeats 3] [--readers 100] [--seconds 60]
Writes benchmarks/results/space.md.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from space_process import resident_mb, running
from space_readers import measure_readers

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "space")]
SIZES = (50, 500, 5000)
ROW = {"ours": "main tbody tr:not(.spacer)", "dataframe": '[data-testid="cell-0-1"]'}
SORTED = {
    # Press to the second frame after it: the new order is drawn by then.
    "ours": """async () => {
        const frame = () => new Promise(requestAnimationFrame);
        const started = performance.now();
        document.querySelector('.titles button[data-key="full_fr"]').click();
        document.querySelector('tbody').getBoundingClientRect();
        const worked = performance.now() - started;
        await frame(); await frame();
        return [worked, performance.now() - started];
    }""",
}
FILTERED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const field = document.querySelector('input[type=search], .search-input');
    const started = performance.now();
    field.value = '-00';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    document.querySelector('tbody').getBoundingClientRect();
    const worked = performance.now() - started;
    await frame(); await frame();
    return [worked, performance.now() - started];
}"""


def main() -> None:
    """Measure everything and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        pages = [
            (size, kind, measure(browser, kind, size, options.repeats))
            for size in SIZES
            for kind in ("ours", "dataframe")
        ]
        static = measure_export(browser, options.repeats)
        start = measure_start(browser, options.repeats)
        browser.close()
    readers = measure_readers(options.readers, options.seconds)
    text = report(pages, static, start, readers, options)
    (ROOT / "benchmarks" / "results" / "space.md").write_text(text, encoding="utf-8")
    print(text)


def find_chromium() -> str:
    """Return the machine's Chromium."""
    from browsing import find_chromium as find

    return find()


def measure(browser: Any, kind: str, size: int, repeats: int) -> dict[str, float]:
    """Return the medians of a page's figures."""
    found: list[dict[str, float]] = []
    with running(kind, size) as (address, _, pid):
        for repeat in range(repeats + 1):
            one = visit(browser, kind, address)
            one["server MB"] = resident_mb(pid)
            # The first visit makes files that later ones find made.
            if repeat:
                found.append(one)
            else:
                first = one["first row s"]
    medians = {key: statistics.median(one[key] for one in found) for key in found[0]}
    return {**medians, "first visit s": first}


def visit(browser: Any, kind: str, address: str) -> dict[str, float]:
    """Open a page with nothing in the browser's cache and return its figures."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    weight = [0]
    session.on(
        "Network.loadingFinished",
        lambda event: weight.__setitem__(0, weight[0] + event["encodedDataLength"]),
    )
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(ROW[kind])
    painted = time.perf_counter() - started
    page.wait_for_timeout(800)
    nodes = page.evaluate("document.querySelectorAll('*').length")
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    figures = {
        "first row s": painted,
        "DOM nodes": nodes,
        "weight kB": weight[0] / 1000,
        "JS heap MB": heap,
    }
    if kind == "ours":
        worked, shown = page.evaluate(SORTED["ours"])
        figures |= {"re-sort ms": worked, "re-sort to 2nd frame ms": shown}
        worked, shown = page.evaluate(FILTERED)
        figures |= {"filter ms": worked, "filter to 2nd frame ms": shown}
    else:
        figures |= sort_dataframe(page)
    context.close()
    return figures


def sort_dataframe(page: Any) -> dict[str, float]:
    """Sort and filter gradio's table through its own menus, timed from outside."""
    # The button is there for a pointer alone that hovers over the header.
    page.locator('[data-testid="header-4"] .cell-menu-button').dispatch_event("click")
    before = page.locator(ROW["dataframe"]).inner_text()
    started = time.perf_counter()
    page.get_by_role("menuitem", name="Sort ascending").click()
    changed = "([at, old]) => document.querySelector('div[role=row] ' + at)?.innerText !== old"
    with contextlib.suppress(Exception):
        page.wait_for_function(changed, arg=[ROW["dataframe"], before], timeout=3000)
    sorting = 1000 * (time.perf_counter() - started)
    started = time.perf_counter()
    page.locator(".search-input").first.fill("-00")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return {"re-sort ms": sorting, "filter ms": 1000 * (time.perf_counter() - started)}


def measure_export(browser: Any, repeats: int) -> float:
    """Return the median seconds to the first row of a static export on loopback."""
    from browsing import files_served

    from space.export import export_site

    with tempfile.TemporaryDirectory() as folder:
        export_site("", Path(folder) / "site")
        with files_served(Path(folder) / "site") as address:
            times = [visit(browser, "ours", address)["first row s"] for _ in range(repeats + 1)]
    return statistics.median(times[1:])


def measure_start(browser: Any, repeats: int) -> list[tuple[float, float, dict[str, float]]]:
    """Return, for each start: seconds until it serves, to the first row, and the phases."""
    starts = []
    for _ in range(repeats):
        started = time.perf_counter()
        with running("ours", 50) as (address, phases, _):
            serves = time.perf_counter() - started
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.goto(address, wait_until="commit")
            page.wait_for_selector(ROW["ours"])
            starts.append((serves, time.perf_counter() - started, phases))
            context.close()
    return starts


def report(pages: Any, static: float, start: Any, readers: Any, options: Any) -> str:
    """Return the results as Markdown."""
    import platform

    import gradio

    columns = ["first visit s", "first row s", "re-sort ms", "filter ms", "DOM nodes"]
    columns += ["weight kB", "JS heap MB", "server MB"]
    how = (
        f"`python benchmarks/space.py --repeats {options.repeats} --readers {options.readers} "
        f"--seconds {options.seconds}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"{platform.machine()}, {count_cores()} cores with a load of {load()} "
        f"over 1, 5 and 15 minutes, Python {platform.python_version()}, "
        f"gradio {gradio.__version__}, headless Chromium with an empty cache at every visit."
    )
    what = (
        "Medians. First visit: the server makes its files. Re-sort and filter of ours: the "
        "script's own work with layout; of gr.Dataframe: from the press on its menu to the "
        "changed cell, seen from outside, and to the frame after the search was typed."
    )
    lines = [
        "# The Space",
        "",
        how,
        "",
        what,
        "",
        "| rows | table | " + " | ".join(columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for size, kind, figures in pages:
        cells = [f"{figures[name]:,.{digits(name)}f}" for name in columns]
        name = "ours" if kind == "ours" else "gr.Dataframe"
        lines.append(f"| {size:,} | {name} | {' | '.join(cells)} |")
    lines += ["", f"Static export, first row on loopback: {static:.2f} s.", ""]
    serves = statistics.median(one[0] for one in start)
    shown = statistics.median(one[1] for one in start)
    lines.append(
        f"Process start to serving {serves:.2f} s, to the first painted row {shown:.2f} s; "
        "gradio is imported after the server has begun to answer. Until it serves:"
    )
    lines.append("")
    for name in start[0][2]:
        lines.append(f"- {name}: {statistics.median(one[2][name] for one in start):.2f} s")
    lines += [
        "",
        f"{options.readers} readers for {options.seconds} s on 500 rows: "
        + ", ".join(f"{name} {value:,.0f}" for name, value in readers.items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def digits(name: str) -> int:
    """Return how many decimals a figure deserves."""
    return 2 if name.endswith(" s") else 1 if name.endswith("ms") else 0


def count_cores() -> int:
    """Return how many cores this process may use."""
    import os

    return len(os.sched_getaffinity(0))


def load() -> str:
    """Return the machine's load of the last minutes."""
    return " ".join(Path("/proc/loadavg").read_text(encoding="utf-8").split()[:3])


if __name__ == "__main__":
    main()
