"""Simulated readers of the Space, for `benchmarks/space.py`."""

import asyncio
import random
import statistics
import time
from typing import Any

from space_process import resident_mb, running


def measure_readers(readers: int, seconds: int) -> dict[str, float]:
    """Return what simulated readers met: each opens the page, looks at boards, comes back."""
    with running("ours", 500) as (address, _, pid):
        figures = asyncio.run(read_all(address, readers, seconds))
        return {**figures, "server MB": resident_mb(pid)}


async def read_all(address: str, readers: int, seconds: int) -> dict[str, float]:
    """Run the readers at once."""
    import httpx

    times: list[float] = []
    errors: list[str] = []
    end = time.perf_counter() + seconds

    async def get(client: Any, path: str, marks: dict[str, str]) -> None:
        headers = {"If-None-Match": marks[path]} if path in marks else {}
        started = time.perf_counter()
        try:
            answer = await client.get(path, headers=headers)
        except httpx.HTTPError as error:
            errors.append(type(error).__name__)
            return
        times.append(time.perf_counter() - started)
        if answer.status_code not in (200, 304):
            errors.append(str(answer.status_code))
        marks[path] = answer.headers.get("etag", "")

    async def reader(number: int) -> None:
        chance = random.Random(number)
        marks: dict[str, str] = {}
        limits = httpx.Limits(max_connections=6, keepalive_expiry=3)
        async with httpx.AsyncClient(base_url=address, timeout=20, limits=limits) as client:
            await asyncio.sleep(chance.uniform(0, 3))
            while time.perf_counter() < end:
                scripts = ("main", "board", "table", "cells", "state", "dom")
                first = ["", *(f"page/{name}.js" for name in scripts)]
                await asyncio.gather(*(get(client, path, marks) for path in first))
                await get(client, "data/site.json", marks)
                for _ in range(3):
                    track = chance.choice(["t2i-ulb", "t2i-elb", "t2i", "i2t"])
                    content = chance.choice(["all", "NSI", "SCI", "AIGI"])
                    await get(client, f"data/board/{track}.{content}.json", marks)
                    await asyncio.sleep(chance.uniform(1, 4))

    await asyncio.gather(*(reader(number) for number in range(readers)))
    cuts = statistics.quantiles(times, n=100)
    return {
        "requests": len(times),
        "errors": len(errors),
        "median ms": 1000 * cuts[49],
        "95 % ms": 1000 * cuts[94],
        "slowest ms": 1000 * max(times),
    }
