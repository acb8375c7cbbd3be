"""Procedurally painted, a stand-in for AI-generated images: noise, light and a little geometry."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from evaluator.demo.canvas import Field, fade, noise, over, plane, ramp, triple
from evaluator.demo.still_life import still_life


def paint_paintings() -> Iterator[tuple[str, Image.Image]]:
    """Yield file names and paintings, the same ones every time."""
    for number, paint in enumerate((_mountain_lake, _nebula, still_life, _deep_sea)):
        colours = paint(np.random.default_rng(number))
        pixels = np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
        yield f"AIGI_painted_{number:03}.png", Image.fromarray(pixels)


_SUNSET = (
    (0.0, (0.13, 0.15, 0.38)),
    (0.4, (0.52, 0.30, 0.52)),
    (0.75, (0.96, 0.52, 0.40)),
    (1.0, (1.0, 0.82, 0.52)),
)


def _mountain_lake(random: np.random.Generator) -> Field:
    """A sunset over ridges that a lake mirrors."""
    size, shore = (509, 341), 226
    x, y = plane(size)
    height = y * (size[1] / shore)
    clouds = noise(random, size, (3, 9), 5)
    picture = ramp(height + 0.05 * clouds, _SUNSET)
    from_sun = np.hypot(x - 0.98, y - 0.41)
    picture = over(picture, (1.0, 0.62, 0.45), 0.75 * fade(clouds - 2 * height, -1.0, 0.9))
    picture += np.exp(-from_sun * 6)[..., None] * triple((0.5, 0.34, 0.12))
    picture = over(picture, (1.0, 0.95, 0.78), fade(-from_sun, -0.052, -0.046))
    for layer in range(5):
        near = layer / 4
        ridge = noise(random, (size[0], 1), (2.5 + 1.5 * layer, 1), 7, 0.48)[0]
        top = 0.56 + 0.085 * layer - (0.075 - 0.012 * layer) * ridge
        depth = height - top[None, :]
        rock = 0.06 * noise(random, size, (14, 9), 4) * (0.4 + near)
        base = ramp(
            near + 0.8 * rock - 0.5 * depth, ((0, (0.78, 0.47, 0.52)), (1, (0.09, 0.09, 0.2)))
        )
        haze = over(base, (0.98, 0.62, 0.47), 0.55 * (1 - near) * fade(depth, 0.0, 0.3))
        picture = over(picture, haze, fade(depth, -0.004, 0.008))
    # The lake shows the scene upside down; waves grow towards the viewer.
    rows, columns = np.mgrid[shore : size[1], : size[0]]
    waves = noise(random, (size[0], size[1] - shore), (9, 32), 3)
    reach = (rows - shore) / (size[1] - shore)
    mirror = np.clip(2 * shore - rows - 2 + waves * (1 + 11 * reach), 0, shore - 2)
    row = mirror.astype(int)
    lake = over(picture[row, columns], picture[row + 1, columns], mirror - row)
    sheen = 0.06 * (waves * reach)[..., None]
    picture[shore:] = lake * triple((0.72, 0.72, 0.82)) + sheen
    return picture


_NEBULA = (
    (-2.2, (0.01, 0.01, 0.05)),
    (-0.6, (0.08, 0.05, 0.22)),
    (0.3, (0.42, 0.12, 0.48)),
    (1.1, (0.93, 0.35, 0.45)),
    (2.0, (1.0, 0.78, 0.55)),
)


def _nebula(random: np.random.Generator) -> Field:
    """Glowing gas between stars."""
    size = (320, 320)
    x, y = plane(size)
    bend_x, bend_y = (noise(random, size, (2, 2), 4) for _ in range(2))
    gas = noise(random, size, (3, 3), 6, 0.55)
    # Looking the noise up at places that other noise has moved makes filaments.
    columns = np.clip(x * 320 + 26 * bend_x, 0, 319).astype(int)
    rows = np.clip(y * 320 + 26 * bend_y, 0, 319).astype(int)
    band = 1.5 * np.exp(-(((y - 0.9 + 0.75 * x + 0.06 * bend_x) / 0.27) ** 2)) - 0.9
    density = 0.8 * gas[rows, columns] + 1.3 * band
    picture = ramp(density, _NEBULA)
    teal = fade(bend_y - 0.6 * bend_x + 0.5 * band, 0.1, 2.0)
    picture = over(picture, (0.10, 0.62, 0.72), 0.6 * teal * fade(density, -1.6, 0.6))
    dust = fade(gas[columns, rows], 0.7, 2.2)
    picture *= 1 - dust[..., None] * triple((0.8, 0.8, 0.62))
    places = random.random((170, 2))
    powers = random.random(170) ** 9
    tints = ramp(random.random(170).astype(np.float32), ((0, (0.7, 0.8, 1)), (1, (1, 0.9, 0.75))))
    for (left, top), power, tint in zip(places, powers, tints, strict=True):
        away = (np.hypot(x - left, y - top) * 320) ** 2
        glow = (0.35 + power) * np.exp(-away / (0.7 + 2.5 * power))
        if power > 0.35:
            cross = np.minimum(abs(x - left), abs(y - top)) * 320
            glow += 0.9 * power * np.exp(-cross * 1.6 - np.sqrt(away) / (9 * power))
            glow += 0.25 * power * np.exp(-np.sqrt(away) / 9)
        picture += glow[..., None] * tint
    return picture


def _deep_sea(random: np.random.Generator) -> Field:
    """Jellyfish in shafts of light above a reef."""
    size = (277, 401)
    x, y = plane(size)
    picture = ramp(y, ((0, (0.30, 0.78, 0.84)), (0.35, (0.06, 0.42, 0.62)), (1, (0.01, 0.07, 0.2))))
    angle = np.arctan2(x - 0.2, y + 0.35)
    fan = noise(random, (720, 1), (14, 1), 4, 0.6)[0]
    shafts = np.interp(angle, np.linspace(-1.2, 1.2, 720), fan).astype(np.float32)
    picture += (0.16 * fade(shafts, -0.3, 2) * (1 - fade(y, 0.1, 0.85)))[..., None]
    for left, top, bell, glow in (
        (0.2, 0.62, 0.055, 0.5),
        (0.55, 0.5, 0.07, 0.6),
        (0.31, 0.26, 0.13, 1),
    ):
        picture = _jellyfish(picture, random, (left, top), bell, glow)
    for layer in range(3):
        reef = noise(random, (size[0], 1), (4 + 2 * layer, 1), 6, 0.55)[0]
        top = 0.83 + 0.06 * layer - 0.026 * reef
        rough = 0.25 * noise(random, size, (12, 17), 4)
        rock = ramp(rough - layer * 0.25, ((-1, (0.0, 0.03, 0.09)), (1, (0.08, 0.36, 0.45))))
        picture = over(picture, rock, fade(y - top[None, :], -0.003, 0.006))
    motes = random.random((60, 3))
    for left, top, power in motes:
        away = np.hypot(x - left * 0.69, y - top * 0.85) * 401
        picture += (0.5 * power**2 * np.exp(-((away / (0.7 + power)) ** 2)))[..., None]
    return picture


def _jellyfish(
    below: Field, random: np.random.Generator, centre: tuple[float, float], bell: float, glow: float
) -> Field:
    """Lay one jellyfish over a picture; `bell` is half its width."""
    x, y = plane((below.shape[1], below.shape[0]))
    u, v = (x - centre[0]) / bell, (y - centre[1]) / bell
    picture = below + (0.35 * glow * np.exp(-np.hypot(u, v) * 1.3))[..., None] * triple(
        (0.9, 0.45, 0.75)
    )
    for strand in range(11):
        place = (strand - 5) / 5.8
        phase, sway, length = random.random(3)
        bend = place + 0.14 * np.sin(v * (1.6 + sway) + 6 * phase) * fade(v, 0.1, 2)
        width = 0.035 if strand % 2 else 0.075
        alpha = np.exp(-(((u - bend) / width) ** 2)) * fade(v, 0.0, 0.12)
        alpha *= 1 - fade(v, 1.4 + length, 2.6 + 1.6 * length)
        picture = over(picture, (1.0, 0.72, 0.86), 0.6 * glow * alpha)
    edge = 0.14 + 0.045 * np.cos(u * 21)
    dome = np.hypot(u, np.where(v < 0, v / 0.92, v / edge * 0.98))
    inside = 1 - fade(dome, 0.94, 1.0)
    rim = fade(dome, 0.45, 1.0)
    ribs = 0.12 * np.cos(np.arctan2(u, 1.15 - v) * 26) * fade(-v, -0.2, 0.3)
    tint = ramp(
        rim + ribs, ((0, (0.95, 0.52, 0.72)), (0.6, (0.86, 0.40, 0.78)), (1, (1.0, 0.86, 0.95)))
    )
    return over(picture, tint, glow * inside * (0.5 + 0.4 * rim))
