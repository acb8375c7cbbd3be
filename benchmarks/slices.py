"""What a batch costs in the VAE's decoder at once and picture by picture: memory and seconds.

    python benchmarks/slices.py [--side 512] [--batches 1,2,4] [--device cpu]

SDXL's VAE in its real size, random weights, single precision, which its configuration asks for.
Each line is a process of its own; memory is the peak above what was there before the call.
"""

import argparse
import resource
import time

from full_size import build_vae
from material import machine
from sides import Side


def main() -> None:
    """Print a line a batch and way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512, help="of the pictures, in pixels")
    parser.add_argument("--batches", default="1,2,4")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(machine(), flush=True)
    print(f"SDXL's VAE, {options.side}x{options.side}, {options.device}, random weights")
    for batch in map(int, options.batches.split(",")):
        for sliced in (False, True):
            with Side(threads=2) as process:
                peak, seconds = process.run(decode, batch, options.side, options.device, sliced)
            way = "one by one" if sliced else "at once"
            print(
                f"{batch:>3} {way:<11}{peak / 2**20:>8.0f} MiB {seconds / batch:>8.2f} s a picture",
                flush=True,
            )


def decode(batch: int, side: int, device: str, sliced: bool) -> tuple[float, float]:
    """Return the bytes that decoding a batch took at its peak, and the seconds of a second call."""
    import torch

    with torch.device(device):
        vae = build_vae("sdxl", torch.float32)
    if sliced:
        vae.enable_slicing()
    latents = torch.randn(batch, 4, side // 8, side // 8, device=device)
    with torch.inference_mode():
        before = _peak_bytes(device)
        vae.decode(latents)
        peak = _peak_bytes(device) - before
        started = time.perf_counter()
        vae.decode(latents)
        if device != "cpu":
            torch.cuda.synchronize()
        return peak, time.perf_counter() - started


def _peak_bytes(device: str) -> float:
    import torch

    if device != "cpu":
        torch.cuda.synchronize()
        return float(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


if __name__ == "__main__":
    main()
