"""A still life of shiny balls on a table, by following rays of light."""

from typing import NamedTuple

import numpy as np

from evaluator.demo.canvas import Colour, Field, fade, noise, over, plane, ramp, triple


class _Ball(NamedTuple):
    centre: Colour
    radius: float
    colour: Colour


# Coordinates: x to the right, y up from the table, z away from the viewer.
_BALLS = (
    _Ball((-1.45, 0.80, 4.6), 0.80, (0.86, 0.18, 0.16)),
    _Ball((0.25, 1.05, 5.6), 1.05, (0.16, 0.42, 0.66)),
    _Ball((1.55, 0.65, 4.5), 0.65, (0.95, 0.68, 0.15)),
    _Ball((0.10, 0.42, 3.7), 0.42, (0.35, 0.62, 0.28)),
    _Ball((-0.62, 0.26, 3.2), 0.26, (0.93, 0.87, 0.78)),
    _Ball((1.02, 0.24, 3.2), 0.24, (0.55, 0.26, 0.58)),
)
_LIGHT = triple((-0.55, 0.72, -0.42))


class _Met(NamedTuple):
    """What each ray meets."""

    colours: Field
    normals: Field
    places: Field
    gloss: Field
    """`(H, W)`, how much the surface mirrors."""


def still_life(random: np.random.Generator) -> Field:
    """Coloured balls on a wooden table."""
    size, fine = (383, 257), 2
    wide = (size[0] * fine + fine, size[1] * fine + fine)
    x, y = plane(wide)
    rays = np.stack([(x - 0.745) * 1.1, 0.29 - y * 1.1, np.full_like(x, 1.15)], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    eye = np.broadcast_to(triple((0, 1.35, 0)), rays.shape)
    grain = noise(random, (768, 256), (3, 40), 4, 0.6)
    colours, normals, places, gloss = _trace(eye, rays, grain)
    bounced = rays - 2 * (rays * normals).sum(-1, keepdims=True) * normals
    mirrored = _trace(places + 1e-3 * normals, bounced, grain)[0]
    facing = 1 + np.minimum((rays * normals).sum(-1), 0)
    picture = over(colours, mirrored, gloss * (0.07 + 0.55 * facing**4))
    small = picture[: size[1] * fine, : size[0] * fine]
    mean: Field = small.reshape(size[1], fine, size[0], fine, 3).mean(axis=(1, 3))
    return mean


def _trace(start: Field, rays: Field, grain: Field) -> _Met:
    """Follow rays to what they meet.

    Args:
        start: `(H, W, 3)`, where each ray begins.
        rays: `(H, W, 3)`, directions of length 1.
        grain: pattern of the table's wood.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(rays[..., 1] < -1e-4, -start[..., 1] / rays[..., 1], 60).astype(np.float32)
    reach = np.clip(reach, 0, 60)
    places = start + rays * reach[..., None]
    base = _room(places, rays, grain)
    normals = np.broadcast_to(triple((0, 1, 0)), rays.shape)
    gloss = np.where(reach < 13, 0.35, 0).astype(np.float32)
    for ball in _BALLS:
        to_centre = triple(ball.centre) - start
        along = (to_centre * rays).sum(-1)
        gap = ball.radius**2 - (to_centre**2).sum(-1) + along**2
        distance = along - np.sqrt(np.maximum(gap, 0))
        hit = ((gap > 0) & (distance > 1e-2) & (distance < reach))[..., None]
        reach = np.where(hit[..., 0], distance, reach)
        places = np.where(hit, start + rays * distance[..., None], places)
        normals = np.where(hit, (places - triple(ball.centre)) / ball.radius, normals)
        base = np.where(hit, triple(ball.colour), base)
        gloss = np.where(hit[..., 0], 1, gloss)
    return _Met(_lit(base, normals, places, rays), normals, places, gloss)


def _room(places: Field, rays: Field, grain: Field) -> Field:
    """Return the colours of the table, and of the wall that it fades into."""
    # Every other plank is turned over, so that the grain meets itself at the seams.
    rows = abs((places[..., 2] * 40).astype(int) % (2 * grain.shape[0]) - grain.shape[0] + 0.5)
    columns = abs(
        (places[..., 0] * 90 + 900).astype(int) % (2 * grain.shape[1]) - grain.shape[1] + 0.5
    )
    wood = ramp(
        grain[rows.astype(int), columns.astype(int)],
        ((-2, (0.36, 0.20, 0.11)), (2, (0.66, 0.42, 0.24))),
    )
    wall = ramp(
        rays[..., 1] - 0.3 * rays[..., 0], ((-0.1, (0.62, 0.50, 0.42)), (0.5, (0.20, 0.20, 0.27)))
    )
    return over(wood, wall, fade(places[..., 2], 7, 13))


def _lit(base: Field, normals: Field, places: Field, rays: Field) -> Field:
    """Return the surface colours under a lamp at the upper left, with soft shadows."""
    sun = np.ones(base.shape[:2], np.float32)
    sky = np.ones(base.shape[:2], np.float32)
    for ball in _BALLS:
        to_centre = triple(ball.centre) - places
        apart = np.sqrt((to_centre**2).sum(-1))
        along = to_centre @ _LIGHT
        miss = np.sqrt(np.maximum(apart**2 - along**2, 0))
        blur = 0.08 + 0.12 * np.maximum(along, 0)
        shade = 1 - fade((miss - ball.radius) / blur, -1, 1)
        outside = apart > ball.radius * 1.01
        sun *= 1 - np.where(outside & (along > 0), shade, 0)
        towards = (to_centre * normals).sum(-1) / apart
        sky *= 1 - np.where(outside, np.clip(towards, 0, 1) * (ball.radius / apart) ** 2, 0)
    facing = np.clip(normals @ _LIGHT, 0, 1) * sun
    half = _LIGHT - rays
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    shine = np.clip((normals * half).sum(-1), 0, 1) ** 90 * sun
    glossy = np.where(normals[..., 1] > 0.999, 0.1, 0.9) * shine
    light = facing[..., None] * triple((1.0, 0.93, 0.82)) + sky[..., None] * triple(
        (0.26, 0.29, 0.36)
    )
    lit: Field = base * light + glossy[..., None]
    return lit
