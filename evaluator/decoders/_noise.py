"""How much noise a strength stands for: it differs between schedulers by a factor of 30."""

import copy
import math
from typing import Any


def start_sigma(scheduler: Any, steps: int, strength: float) -> float | None:
    """Return sigma / sigma_data where image-to-image at this strength starts.

    Variance-preserving schedulers start at sqrt((1 - a) / a) for the cumulative alpha a of their
    first timestep. Schedulers with a table of sigmas: flow matching mixes (1 - s) x + s noise, so
    the ratio is s / (1 - s); the others have sigma itself, over sigma_data where they name one.

    Returns:
        None for a scheduler of none of these kinds, and infinity for pure noise.
    """
    scheduler = copy.deepcopy(scheduler)
    try:
        scheduler.set_timesteps(steps)
    except ValueError:
        # Flow schedulers with dynamic shifting want the picture's size first.
        return None
    skipped = max(steps - min(int(steps * strength), steps), 0) * getattr(scheduler, "order", 1)
    timesteps = scheduler.timesteps
    if skipped >= len(timesteps):
        return 0.0
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is not None:
        sigma = float(sigmas[skipped])
        if "Flow" in type(scheduler).__name__:
            return sigma / (1 - sigma) if sigma < 1 else float("inf")
        return sigma / float(scheduler.config.get("sigma_data", 1.0))
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if alphas is None:
        return None
    alpha = float(alphas[int(timesteps[skipped])])
    # Schedules with zero terminal SNR.
    return math.sqrt((1 - alpha) / alpha) if alpha > 0 else float("inf")
