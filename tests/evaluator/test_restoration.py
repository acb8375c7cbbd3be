"""Restoration networks, their weight files, and the colour fixes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import paint
from PIL import Image
from safetensors.torch import save_file
from tiny_restorers import swinir_weights, tiny_network

from evaluator.decoders import Received, find_decoder
from evaluator.restoration.colour_fix import adain_fix, wavelet_fix
from evaluator.restoration.network import LUMA, load_network
from evaluator.restoration.tensors import pad_to, resize, to_picture, to_tensor
from protocol.errors import DecodeError, ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DNCNN = Path("weights/kair_dncnn/dncnn_25.pth")


def restore(text: str, picture: Image.Image, mode: Mode = Mode.IMAGE) -> Image.Image:
    system = pin_system(text)
    decoder = find_decoder(system.adapter).load(system, PROTOCOLS["cmc-1"], "cpu")
    item = Received(
        mode=mode,
        width=picture.width,
        height=picture.height,
        caption="a house" if mode.has_caption else None,
        start=picture,
        seed=1,
    )
    (outcome,) = decoder.decode([item])
    assert isinstance(outcome, Image.Image)
    return outcome


def psnr(one: Image.Image, other: Image.Image) -> float:
    difference = np.asarray(one, float) - np.asarray(other, float)
    return float(10 * np.log10(255**2 / (difference**2).mean()))


def _esrgan() -> dict[str, torch.Tensor]:
    from spandrel.architectures.ESRGAN import ESRGAN

    return dict(ESRGAN(num_filters=8, num_blocks=1, scale=4).state_dict())


def _scunet() -> dict[str, torch.Tensor]:
    from spandrel.architectures.SCUNet import SCUNet

    return dict(SCUNet(config=[1] * 7, input_resolution=64).state_dict())


def _colour_dncnn() -> dict[str, torch.Tensor]:
    from spandrel.architectures.DnCNN import DnCNN

    return dict(DnCNN(in_nc=3, out_nc=3, nc=8, nb=8, act_mode="R").state_dict())


@pytest.mark.parametrize("make", [swinir_weights, _esrgan, _scunet, _colour_dncnn])
def test_networks_of_many_kinds_answer_at_an_odd_size(
    make: Callable[[], dict[str, torch.Tensor]], tmp_path: Path
) -> None:
    path = tmp_path / "tiny-random-weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in make().items()}, path)
    assert restore(f"spandrel:{path}", paint(53, 37)).size == (53, 37)


def test_the_trained_network_removes_the_noise_it_was_trained_on(
    shared: Path, photograph: Image.Image
) -> None:
    truth = photograph.crop((300, 200, 460, 331))
    noise = np.random.default_rng(0).normal(0, 25, (131, 160, 1))
    noisy = Image.fromarray((np.asarray(truth) + noise).round().clip(0, 255).astype(np.uint8))
    assert psnr(noisy, truth) < 21
    assert psnr(restore(f"spandrel:{shared / DNCNN}", noisy), truth) > 29


def test_the_trained_network_keeps_size_and_answers_the_same_again(shared: Path) -> None:
    text, picture = f"spandrel:{shared / DNCNN}", paint(61, 45)
    full = restore(text, picture, Mode.FULL)
    assert full.size == (61, 45)
    assert full.tobytes() == restore(text, picture, Mode.IMAGE).tobytes()


def test_a_grey_network_on_luma_leaves_the_chroma_that_was_sent(shared: Path) -> None:
    pictures = to_tensor(paint(40, 30)) * 0.5 + 0.25
    network = load_network(shared / DNCNN, "cpu", per_channel=False)
    change = network.restore(pictures) - pictures
    assert change.abs().max() > 1e-3
    torch.testing.assert_close(change[:, 0], change[:, 1], atol=1e-6, rtol=0)
    torch.testing.assert_close(change[:, 0], change[:, 2], atol=1e-6, rtol=0)
    by_channel = load_network(shared / DNCNN, "cpu").restore(pictures)
    assert not torch.allclose(by_channel, pictures + change, atol=1e-3)


def test_luma_of_grey_is_itself() -> None:
    assert sum(LUMA) == pytest.approx(1)


def test_a_pickle_of_tensors_gives_the_picture_of_the_same_safetensors(tmp_path: Path) -> None:
    path = tiny_network(tmp_path)
    from safetensors.torch import load_file

    torch.save({"params": load_file(path)}, tmp_path / "net.pth")
    picture = paint(32, 24)
    one, other = (
        restore(f"spandrel:{path}", picture),
        restore(f"spandrel:{tmp_path / 'net.pth'}", picture),
    )
    assert one.tobytes() == other.tobytes()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("unpickled",)


def load(text: str) -> None:
    system = pin_system(text)
    find_decoder("spandrel").load(system, PROTOCOLS["cmc-1"], "cpu")


def test_a_pickle_that_would_run_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"params": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=r"evil\.pth is no plain file of tensors"):
        load(f"spandrel:{tmp_path / 'evil.pth'}")
    assert capsys.readouterr().out == ""


def test_a_folder_of_several_files_wants_one_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "nets"
    folder.mkdir()
    tiny_network(folder)
    load(f"spandrel:{folder}")
    save_file(_colour_dncnn(), folder / "other.safetensors")
    with pytest.raises(ModelError, match=r"wanted one weight file, found compact.*, other"):
        load(f"spandrel:{folder}")
    load(f"spandrel:{folder}?file=other.safetensors")
    with pytest.raises(ModelError, match=r"holds no \.\./x\.pth; copy the file there"):
        load(f"spandrel:{folder}?file=../x.pth")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.zeros(3)}, "spandrel knows no network with the keys of net"),
        ({f"body.{n}.weight": torch.zeros(2) for n in range(2)}, "spandrel cannot load net"),
    ],
)
def test_what_is_no_network_is_refused(
    tensors: dict[str, torch.Tensor], message: str, tmp_path: Path
) -> None:
    save_file(tensors, tmp_path / "net.safetensors")
    with pytest.raises(ModelError, match=message):
        load(f"spandrel:{tmp_path / 'net.safetensors'}")


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"no header")
    with pytest.raises(ModelError, match="is no plain file of tensors"):
        load(f"spandrel:{tmp_path / 'net.safetensors'}")
    # What the first half of an unpickled file makes torch raise is no error of the pickle module.
    (tmp_path / "net.pth").write_bytes(b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K")
    with pytest.raises(ModelError, match=r"net\.pth is no plain file of tensors: \w+"):
        load(f"spandrel:{tmp_path / 'net.pth'}")
    (tmp_path / "net.bmp").write_bytes(b"")
    with pytest.raises(ModelError, match=r"net\.bmp is no weight file; wanted \.safetensors"):
        load(f"spandrel:{tmp_path / 'net.bmp'}")


def test_an_unknown_treatment_of_grey_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="grey=green: wanted channels or luma"):
        load(f"spandrel:{tiny_network(tmp_path)}?grey=green")


def test_numbers_that_are_none_are_a_failure_and_no_picture() -> None:
    outcome = to_picture(torch.full((3, 4, 4), float("nan")))
    assert isinstance(outcome, DecodeError)
    assert outcome.code == "NAN_OUTPUT"


def test_shrinking_averages_and_the_same_size_is_untouched() -> None:
    stripes = torch.zeros(1, 3, 8, 8)
    stripes[..., ::2] = 1
    assert resize(stripes, 8, 8) is stripes
    middle = resize(stripes, 2, 2)
    torch.testing.assert_close(middle, torch.full_like(middle, 0.5), atol=0.05, rtol=0)
    assert pad_to(stripes[..., :7, :5], 8).shape == (1, 3, 8, 8)


def noisy_pair() -> tuple[torch.Tensor, torch.Tensor]:
    pictures = torch.cat([to_tensor(paint(50, 38, seed)) for seed in range(4)])
    return pictures[:2], pictures[2:]


@pytest.mark.parametrize("fix", [wavelet_fix, adain_fix])
def test_a_fix_with_the_sample_itself_changes_nothing(fix: Callable[..., torch.Tensor]) -> None:
    sample, _ = noisy_pair()
    torch.testing.assert_close(fix(sample, sample), sample, atol=1e-6, rtol=0)


@pytest.mark.parametrize("fix", [wavelet_fix, adain_fix])
def test_a_fix_takes_a_cast_of_colour_away(fix: Callable[..., torch.Tensor]) -> None:
    sample, _ = noisy_pair()
    cast = sample + torch.tensor([0.2, -0.1, 0.05]).view(1, 3, 1, 1)
    torch.testing.assert_close(fix(cast, sample), sample, atol=1e-6, rtol=0)


@pytest.mark.parametrize("fix", [wavelet_fix, adain_fix])
def test_a_fix_treats_every_picture_alone(fix: Callable[..., torch.Tensor]) -> None:
    sample, reference = noisy_pair()
    both = fix(sample, reference)
    for place in range(2):
        alone = fix(sample[place : place + 1], reference[place : place + 1])
        torch.testing.assert_close(both[place : place + 1], alone, atol=1e-6, rtol=0)


def test_adain_gives_the_references_moments() -> None:
    sample, reference = noisy_pair()
    fixed = adain_fix(sample, reference)
    torch.testing.assert_close(fixed.mean((2, 3)), reference.mean((2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(fixed.std((2, 3)), reference.std((2, 3)), atol=1e-3, rtol=0)


def test_the_wavelets_low_frequencies_are_five_blurs_with_growing_holes() -> None:
    sample, reference = noisy_pair()

    def blur(line: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        for hole in (1, 2, 4, 8, 16):
            padded = np.pad(line, [(0, 0)] * 2 + [(hole, hole), (0, 0)], mode="edge")
            size = line.shape[2]
            sides = padded[:, :, :size] + padded[:, :, 2 * hole :]
            line = 0.5 * line + 0.25 * sides
        return line

    # Blurring rows and columns apart is what the kernel does at once.
    low = [blur(blur(p.double().numpy()).swapaxes(2, 3)).swapaxes(2, 3) for p in noisy_pair()]
    wanted = torch.from_numpy(sample.double().numpy() - low[0] + low[1])
    torch.testing.assert_close(wavelet_fix(sample, reference).double(), wanted, atol=1e-5, rtol=0)
