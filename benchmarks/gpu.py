"""Everything here that needs a GPU, one after the other, in the minutes that there are.

    python benchmarks/gpu.py [--minutes 10] [--out DIR] [--only decode-sdxl,score]

Each part is a process of its own, as its line says, and leaves what it printed in a file of DIR; a
part that fails or runs out of time stops no other. At the end stand the last lines of all of them.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
GPU = ["--device", "cuda"]
PARTS = {
    "score": ["score.py", *GPU, "--references", "4", "--systems", "4"],
    "score-float32": ["score.py", *GPU, "--references", "2", "--systems", "2", "--no-tf32"],
    "out-of-memory": ["out_of_memory.py"],
    "batch": ["batch.py", *GPU, "--model", "sd15", "--side", "512"],
    "decode-sdxl": ["decode.py", *GPU, "--turns", "2"],
    "slices": ["slices.py", *GPU, "--side", "1024", "--batches", "1,8"],
    "decode-sd15": ["decode.py", *GPU, "--model", "sd15", "--turns", "2"],
}
TAIL = 30
"""Lines of each part that are shown at the end."""


def main() -> None:
    """Run what was asked for, and exit with 1 when a part failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--out", type=Path, default=Path("gpu-results"))
    parser.add_argument("--only", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        parser.error("no GPU here; decode.py and batch.py can be tried with --device cpu")
    end = time.monotonic() + 60 * options.minutes
    options.out.mkdir(parents=True, exist_ok=True)
    ended = {}
    for name in options.only.split(","):
        left = end - time.monotonic()
        ended[name] = run(PARTS[name], options.out / f"{name}.txt", left) if left > 0 else "no time"
        print(f"{name}: {ended[name]}", flush=True)
    for name, how in ended.items():
        path = options.out / f"{name}.txt"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        print("\n".join([f"\n== {name}: {how}", *lines[-TAIL:]]))
    sys.exit(any(not how.startswith("done") for how in ended.values()))


def run(command: list[str], printed: Path, seconds: float) -> str:
    """Run one part and return how it ended."""
    started = time.monotonic()
    with printed.open("w", encoding="utf-8") as file:
        print("python benchmarks/" + " ".join(command), file=file, flush=True)
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", HERE / command[0], *command[1:]],
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"stopped after {seconds:.0f} s"
    took = time.monotonic() - started
    return f"done in {took:.0f} s" if done.returncode == 0 else f"failed with {done.returncode}"


if __name__ == "__main__":
    main()
