"""`--engine ray`, whose stages are actors, against the same stages as a pipeline of Ray Data.

    OMP_NUM_THREADS=1 python benchmarks/ray_data.py [--decoders 1,2,4] [--pictures 20] [--seconds 1]

The T2I model only waits; captions, files, cache and score records are real. Both ways have the same
stages, actors, groups of pictures and order, on a Ray that has started before. Each has a cold
cache, and they take turns. Printed are medians: when the first scores were there, which is the
start of the actors, and the throughput from then on as a part of what the waiting alone allows.
"""

import argparse
import logging
import pickle
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from material import machine
from PIL import Image
from scale import SIDE, job

from evaluator import ray_engine
from evaluator.bench import Bench
from evaluator.encode import plan_groups
from evaluator.ray_engine import STAGES, Worker
from evaluator.score import Scored
from protocol.records import Request
from protocol.samples import list_samples


class WaitingWorker(Worker):
    """A stage of ours whose models wait."""

    def __init__(self, stage: str, request: Request, bench: Bench, seconds: float) -> None:
        """Put the waiting models in the places of those that the request names."""
        from waiting import put_waiting_models

        put_waiting_models(seconds)
        super().__init__(stage, request, bench)


class Step:
    """A stage as Ray Data calls it: what the stages hand over travels as bytes."""

    def __init__(self, stage: str, request: Request, bench: Bench, seconds: float) -> None:
        """Build the stage in the actor's process."""
        self._work = getattr(WaitingWorker(stage, request, bench, seconds), stage)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row with what the stage made of it."""
        return {"content": pickle.dumps(self._work(pickle.loads(row["content"])))}


def main() -> None:
    """Print a line a number of decoders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoders", default="1,2,4")
    parser.add_argument("--pictures", type=int, default=20, help="for each decoder")
    parser.add_argument("--seconds", type=float, default=1.0, help="a picture")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    print(machine(), flush=True)
    print(f"each decoder has {options.pictures} pictures that wait {options.seconds} s each")
    print(f"{'':<12}{'actors: first':>14}{'of linear':>11}{'Ray Data: first':>17}{'of linear':>11}")
    with ray_engine._ray():
        compare(1, 2, 0.0)
        # After the first dataset, which sets it.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        for decoders in map(int, options.decoders.split(",")):
            rounds = [
                compare(decoders, options.pictures, options.seconds) for _ in range(options.rounds)
            ]
            cells = f"{decoders:>3} decoders"
            for way, width in ((run_actors, 12), (run_ray_data, 15)):
                first = statistics.median(times[way][0] for times in rounds)
                after = statistics.median(times[way][1] for times in rounds)
                # Each decoder has made one picture when the first scores are there.
                linear = (options.pictures - 1) * options.seconds / after
                cells += f"{first:>{width}.2f} s{linear:>11.3f}"
            print(cells, flush=True)


def compare(decoders: int, pictures: int, seconds: float) -> dict[Any, tuple[float, float]]:
    """Return for both ways the seconds until the first scores, and from there to the last."""
    times = {}
    for way in (run_actors, run_ray_data):
        with new_job(decoders * pictures) as (request, bench):
            groups = plan_groups(list_samples(bench.images), bench)
            started, first, rows = time.perf_counter(), 0.0, 0
            for scored in way(request, bench, groups, decoders, seconds):
                first = first or time.perf_counter() - started
                rows += len({item.decoded.encoded.sample.name for item in scored})
            times[way] = (first, time.perf_counter() - started - first)
            if rows != decoders * pictures:
                raise RuntimeError(f"{rows} pictures were scored, wanted {decoders * pictures}")
    return times


def run_actors(
    request: Request, bench: Bench, groups: Sequence[Any], decoders: int, seconds: float
) -> Iterator[list[Scored]]:
    """Run as `cmc evaluate --engine ray` does."""
    import ray

    class Waiting(WaitingWorker):
        def __init__(self, stage: str, request: Request, bench: Bench) -> None:
            super().__init__(stage, request, bench, seconds)

    ray_engine.Worker = Waiting  # type: ignore[misc]
    pools = ray_engine.parse_actors(f"decode={decoders}x0")
    crew = ray_engine._Crew(ray, request, bench, pools)
    yield from crew.run(groups)
    for actors in crew._actors.values():
        for actor in actors:
            ray.kill(actor)


def run_ray_data(
    request: Request, bench: Bench, groups: Sequence[Any], decoders: int, seconds: float
) -> Iterator[list[Scored]]:
    """Run the stages as maps over a dataset with a row a group."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    rows = [{"content": pickle.dumps(group)} for group in groups]
    dataset = ray.data.from_items(rows, override_num_blocks=len(rows))
    for stage in STAGES:
        dataset = dataset.map(
            Step,
            fn_constructor_args=(stage, request, bench, seconds),
            compute=ray.data.ActorPoolStrategy(size=decoders if stage == "decode" else 1),
            num_cpus=ray_engine._CPUS_AN_ACTOR,
        )
    for row in dataset.iter_rows():
        yield pickle.loads(row["content"])


@contextmanager
def new_job(pictures: int) -> Iterator[tuple[Request, Bench]]:
    """Yield a request about new pictures, and a bench with a cold cache beside them."""
    with tempfile.TemporaryDirectory() as name:
        images = Path(name) / "images"
        images.mkdir()
        for number in range(pictures):
            colour = (number % 256, number // 256, 90)
            Image.new("RGB", (SIDE, SIDE), colour).save(images / f"NSI_pgc_{number:04d}.png")
        request, bench = job(images)
        yield request, replace(bench, overlap=False)


if __name__ == "__main__":
    main()
