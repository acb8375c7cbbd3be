"""A real server of a real model: `transformers serve` with the tiny LLaVA."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import paint

from evaluator.captioners import NamedPicture, find_captioner
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


@pytest.fixture
def server(models: Path) -> Iterator[str]:
    from transformers.cli.serve import Serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = str(models / "tiny-llava-random-weights")
    running = Serve(model, device="cpu", host="127.0.0.1", port=port, non_blocking=True)
    yield f"openai:{model}?base_url=http://127.0.0.1:{port}/v1"
    running.kill_server()


def test_a_served_model_says_what_the_same_model_says_here(server: str, models: Path) -> None:
    pictures = [NamedPicture(f"{seed}", paint(64, 48, seed)) for seed in range(2)]
    answers = []
    # Padding is the adapter's doing; the server crops, as its processor does.
    for text in (server, f"transformers:{models / 'tiny-llava-random-weights'}?whole=false"):
        system = pin_system(text)
        captioner = find_captioner(system.adapter).load(system, DEMO, "cpu")
        answers.append([caption.text for caption in captioner.caption(pictures)])
    assert answers[0] == answers[1]
    assert len(set(answers[0])) == 2
