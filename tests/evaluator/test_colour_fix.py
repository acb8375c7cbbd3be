"""Colours of the reference, details of the sample."""

import pytest
import torch

from evaluator.restoration.colour_fix import adain_fix, wavelet_fix


def noise(seed: int, low: float, high: float) -> torch.Tensor:
    values = torch.rand(2, 3, 70, 90, generator=torch.Generator().manual_seed(seed))
    return low + (high - low) * values


def test_the_wavelet_fix_keeps_detail_and_takes_the_references_colour() -> None:
    sample = noise(1, 0.3, 0.5)
    reference = torch.tensor([0.6, 0.5, 0.4])[None, :, None, None].expand_as(sample)
    fixed = wavelet_fix(sample, reference)
    assert torch.allclose(fixed.mean((2, 3)), reference.mean((2, 3)), atol=0.01)
    detail = [picture[..., 1:] - picture[..., :-1] for picture in (fixed, sample)]
    assert torch.corrcoef(torch.stack([part.flatten() for part in detail]))[0, 1] > 0.99


def test_the_wavelet_fix_of_a_picture_with_itself_is_the_picture() -> None:
    sample = noise(2, 0, 1)
    assert torch.allclose(wavelet_fix(sample, sample), sample, atol=1e-6)


def test_a_point_spreads_as_five_binomial_blurs_with_doubling_holes() -> None:
    point = torch.zeros(1, 3, 129, 129)
    point[..., 64, 64] = 1
    blurred = wavelet_fix(torch.zeros_like(point), point)[0, 0]
    taps = torch.tensor([1.0])
    for level in range(5):
        kernel = torch.zeros(2 * 2**level + 1)
        kernel[0], kernel[2**level], kernel[-1] = 0.25, 0.5, 0.25
        taps = torch.nn.functional.conv1d(
            taps[None, None], kernel[None, None], padding=len(kernel) - 1
        )[0, 0]
    assert torch.allclose(blurred[33:96, 33:96], taps[:, None] * taps, atol=1e-7)
    assert float(blurred.sum()) == pytest.approx(1, abs=1e-5)


def test_adain_gives_each_channel_the_references_mean_and_deviation() -> None:
    sample, reference = noise(3, 0.2, 0.9), noise(4, 0.4, 0.6)
    fixed = adain_fix(sample, reference)
    for moment in (torch.mean, torch.std):
        assert torch.allclose(moment(fixed, (2, 3)), moment(reference, (2, 3)), atol=1e-3)


def test_adain_of_a_flat_picture_is_the_references_mean() -> None:
    reference = noise(5, 0.2, 0.8)
    fixed = adain_fix(torch.full_like(reference, 0.1), reference)
    assert torch.allclose(fixed, reference.mean((2, 3), keepdim=True).expand_as(fixed), atol=1e-5)
