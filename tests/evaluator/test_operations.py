"""Operations of a watched network: as many as can be worked out, and the same answers."""

from collections.abc import Callable
from typing import Any

import pytest
import tiny_parts
import torch
from torch import nn

from evaluator import operations, timesheet
from evaluator.decoders import Received, diffusers
from evaluator.decoders._feed_forward import feed_forward_in_pieces
from evaluator.decoders._guidance import share_guided_halves
from evaluator.decoders._upsampling import double_by_transposed_convolution
from evaluator.operations import Tally, counting, watch
from evaluator.timesheet import Timesheet
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system


class Small(nn.Module):
    """A convolution, a linear layer and attention, whose operations follow from their sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3, padding=1)
        self.linear = nn.Linear(8, 8)

    def forward(self, values: torch.Tensor, *, times: int = 1) -> torch.Tensor:
        tokens = self.convolution(values).flatten(2).transpose(1, 2)
        for _ in range(times):
            tokens = self.linear(tokens)
        return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)


def expected(batch: int, side: int, times: int) -> int:
    positions = side * side
    convolution = 2 * batch * positions * 8 * 3 * 9
    linear = 2 * batch * positions * 8 * 8 * times
    attention = 2 * 2 * batch * positions * positions * 8
    return convolution + linear + attention


@pytest.mark.parametrize(("batch", "side", "times"), [(1, 5, 1), (3, 8, 1), (2, 5, 4)])
def test_operations_are_those_of_the_layers(batch: int, side: int, times: int) -> None:
    network = Small().eval()
    values = torch.rand(batch, 3, side, side)
    with torch.inference_mode():
        before = network(values, times=times)
        watch(network)
        with counting() as tally:
            after = network(values, times=times)
            network(values, times=times)
    assert torch.equal(before, after)
    assert tally == Tally(2 * expected(batch, side, times), is_complete=True)


def test_a_network_that_two_pipelines_share_is_counted_once() -> None:
    network = Small().eval()
    watch(network)
    watch(network)
    with counting() as tally:
        network(torch.rand(1, 3, 4, 4))
    assert tally.operations == expected(1, 4, 1)


def test_copies_of_one_checkpoint_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Any] = []
    count = operations._count

    def noted(*given: Any) -> int | None:
        counted.append(given[0])
        return count(*given)

    monkeypatch.setattr(operations, "_count", noted)
    monkeypatch.setattr(operations, "_COUNTS", {})
    networks = [tiny_parts.unet(), tiny_parts.unet(), tiny_parts.unet(layers_per_block=2)]
    tallies = []
    for network in networks:
        watch(network)
        with torch.inference_mode(), counting() as tally:
            network(torch.zeros(1, 4, 8, 8), 1, encoder_hidden_states=torch.zeros(1, 5, 32))
        tallies.append(tally.operations)
    assert counted == [networks[0], networks[2]]
    assert tallies[0] == tallies[1] < tallies[2]


def test_nothing_is_counted_outside() -> None:
    network = Small().eval()
    watch(network)
    with counting() as tally:
        pass
    network(torch.rand(1, 3, 4, 4))
    assert tally.operations == 0


def test_a_network_that_cannot_be_counted_answers_all_the_same_and_says_so() -> None:
    class Looks(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return values * 2 if values.sum().item() > 0 else values

    network = Looks()
    watch(network)
    with counting() as tally:
        assert network(torch.ones(3)).sum() == 6
    assert not tally.is_complete
    sheet = Timesheet()
    sheet.operated(tally)
    assert sheet.report(smallest_batch=1, price_per_hour=None).operations is None


def test_a_diffusers_model_is_counted_call_by_call(t2i: str) -> None:
    def operations(steps: int, guidance: float = 7.5) -> int:
        system = pin_system(f"{t2i}?steps={steps}&guidance={guidance}")
        decoder = diffusers.load(system, PROTOCOLS["demo-0"], "cpu")
        item = Received(mode=Mode.TEXT, width=64, height=48, caption="A.", start=None, seed=1)
        with counting() as tally:
            decoder.decode([item])
        assert tally.is_complete
        return tally.operations

    one = operations(1)
    assert one > 0
    # PNDM calls the network once more than it has steps.
    assert operations(3) == 4 * one
    # Without guidance the network runs for the caption alone.
    assert 2 * operations(1, guidance=1.0) == one


@pytest.mark.parametrize(
    "spare",
    [
        share_guided_halves,
        double_by_transposed_convolution,
        feed_forward_in_pieces,
    ],
)
def test_what_a_cpu_is_spared_is_counted_all_the_same(spare: Callable[[Any], None]) -> None:
    def operations(unet: Any) -> int:
        watch(unet)
        latents, prompts = torch.zeros(2, 4, 16, 16), torch.zeros(2, 5, 32)
        with torch.inference_mode(), counting() as tally:
            unet(latents, torch.tensor(1), encoder_hidden_states=prompts)
        assert tally.is_complete
        return tally.operations

    spared = tiny_parts.unet().eval()
    spare(spared)
    assert operations(spared) == operations(tiny_parts.unet()) > 0


def test_utilisation_is_of_the_devices_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    def report(device: str) -> Any:
        sheet = Timesheet()
        with sheet.working("decode"):
            pass
        # Twice what an A100 does in a second, in four seconds.
        monkeypatch.setattr(sheet, "_busy", {"decode": 4.0})
        sheet.operated(Tally(624 * 10**12))
        return sheet.report(smallest_batch=1, price_per_hour=None, device=device)

    names = {"cuda": "NVIDIA A100-SXM4-80GB", "cuda:1": "A card of tomorrow"}
    monkeypatch.setattr(timesheet, "describe_device", names.__getitem__)
    assert report("cuda").flops_utilisation == pytest.approx(0.5)
    assert report("cuda:1").flops_utilisation is None
    assert report("cpu").flops_utilisation is None
    assert report("cpu").operations == 624 * 10**12
