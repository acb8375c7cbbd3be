"""The worker: claim a request, run it, write what came out; the one place that catches all."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from evaluator.bench import Bench
from evaluator.gallery import write_gallery
from evaluator.pictures import fingerprint_images
from evaluator.progress import progress_bars
from evaluator.run import evaluate
from protocol.records import Failure, Request
from submission.store import WAITING, Claim, FolderStore


class Done(NamedTuple):
    """What a worker did."""

    finished: int
    failed: int
    waiting: int
    """Requests that wait still: more than one was there, or they are about other pictures."""


def work(store: FolderStore, bench: Bench, *, once: bool, say: Callable[[str], None]) -> Done:
    """Run waiting requests about the bench's pictures until there are none, or one of them.

    A worker that is killed leaves its request to the next one, which takes from the cache what was
    done.
    """
    finished = failed = 0
    worker = f"{socket.gethostname()}:{os.getpid()}"
    pictures = fingerprint_images(bench.images)
    while True:
        with store.claim(worker, lambda r: r.dataset_sha256 == pictures) as claim:
            if claim is None:
                break
            say(f"{claim.request.request_id}  {describe_request(claim.request)}")
            if _run(store, claim, bench, say):
                finished += 1
            else:
                failed += 1
        if once:
            break
    return Done(finished, failed, sum(entry.state.status in WAITING for entry in store.queue()))


def describe_request(request: Request) -> str:
    """Return what a request is, in a line."""
    pair = f"{request.label} with {request.partner}" if request.partner else request.label
    return f"{request.role} {pair}: {', '.join(request.modes)} ({request.protocol})"


def _run(store: FolderStore, claim: Claim, bench: Bench, say: Callable[[str], None]) -> bool:
    try:
        with progress_bars(lambda line: store.report_progress(claim, line)) as report:
            evaluation = evaluate(claim.request, replace(bench, report=report))
        write_gallery(store.gallery_folder(claim.request.request_id), evaluation, bench)
        store.finish(claim, evaluation.result, evaluation.per_image)
    except OSError:
        # A full disk or a lost mount is this machine's fault: the request waits for another worker.
        raise
    except Exception as error:  # noqa: BLE001 - a submitted model may fail in any way there is
        message = str(error) or type(error).__name__
        store.fail(claim, Failure(code=type(error).__name__, stage="evaluate", message=message))
        say(f"  failed: {message}")
        return False
    return True
