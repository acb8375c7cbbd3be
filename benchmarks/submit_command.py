"""How long `cmc submit` takes on a Hub with 5,000 requests, and how often it asks the Hub.

python benchmarks/submit_command.py > benchmarks/results/submit_command.md

The Hub is the tests' own on the loopback; the time is the whole command's, Python's start included.
"""

import json
import os
import platform
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "submission")]

from huggingface_hub import CommitOperationAdd  # noqa: E402
from loopback_hub import LoopbackHub  # noqa: E402
from made_requests import request_for  # noqa: E402
from PIL import Image  # noqa: E402

from submission.store_hub import HubStore  # noqa: E402

REQUESTS = 5000
TIMES = 5
MODEL = "acme/painter"


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as name, LoopbackHub(Path(name) / "lfs") as hub:
        folder = Path(name)
        _fill(hub, folder)
        print("# Submitting\n")
        print(
            f"`benchmarks/submit_command.py`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
            f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f} at the start: "
            f"`cmc submit` of a model on the Hub into a store with {REQUESTS:,} requests, each "
            "time from an empty cache.\n"
        )
        print("| | seconds on the clock | seconds of a core | calls |")
        print("|---|---|---|---|")
        for number in range(TIMES):
            print(f"| {number + 1} | {_submit(hub, folder, number)} |")
        print(f"\nThe calls of the last: {dict(Counter(call.operation for call in hub.calls()))}.")


def _fill(hub: LoopbackHub, folder: Path) -> None:
    (folder / "images").mkdir()
    Image.new("RGB", (64, 64)).save(folder / "images" / "NSI_pgc_000.png")
    (folder / "captions.csv").write_text("name,text\nNSI_pgc_000.png,black\n")
    api = hub.api()
    api.create_repo(MODEL)
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    files = {
        "README.md": b"---\nlicense: mit\n---\n",
        "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
        "unet/config.json": b"{}",
        "unet/model.safetensors": struct.pack("<Q", len(header)) + header + bytes(16),
    }
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(MODEL, operations, commit_message="upload")
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=folder / "kept")
    store.create()
    store.submit_all([request_for(number) for number in range(REQUESTS)])


def _submit(hub: LoopbackHub, folder: Path, number: int) -> str:
    hub.calls.clear()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "evaluator", "submit", "--store", "hub:acme/cmc", "--yes"),
            *("--t2i", f"diffusers:{MODEL}?steps={10 + number}"),
            *("--i2t", f"file:{folder / 'captions.csv'}", "--images", str(folder / "images")),
        ],
        env={
            **hub.environment(folder / f"home{number}"),
            "HOME": str(folder / f"home{number}"),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    if "is queued" not in done.stdout:
        raise SystemExit(f"not queued: {done.stdout}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    core = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{seconds:.2f} | {core:.2f} | {len(hub.calls())}"


if __name__ == "__main__":
    main()
