"""How much noise a strength stands for: it differs between schedulers by a factor of 30."""

import copy
import inspect
import math
from typing import Any

from protocol.errors import ModelError


def sigma_at(scheduler: Any, timestep: Any) -> float | None:
    """Return sigma / sigma_data at one of a scheduler's current timesteps.

    Variance-preserving schedulers have sqrt((1 - a) / a) for the cumulative alpha a of the
    timestep (Song, Meng & Ermon, arXiv:2010.02502, section 4.3). Schedulers with a table of sigmas:
    flow matching mixes (1 - s) x + s noise (Lipman et al., arXiv:2210.02747, section 4.1), so the
    ratio is s / (1 - s); the others have sigma itself, over sigma_data where they name one.
    Trigonometric flow has cos(t) x + sin(t) noise (Lu & Song, arXiv:2410.11081), so tan(t).

    Returns:
        None for a scheduler of none of these kinds, and infinity for pure noise.
    """
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is not None:
        place = int((scheduler.timesteps == timestep).nonzero()[0])
        sigma = float(sigmas[place])
        if _is_flow(scheduler):
            return sigma / (1 - sigma) if sigma < 1 else math.inf
        return sigma / float(scheduler.config.get("sigma_data", 1.0))
    if scheduler.config.get("prediction_type") == "trigflow":
        angle = float(timestep)
        return math.tan(angle) if angle < math.pi / 2 else math.inf
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if alphas is None:
        return None
    alpha = float(alphas[int(timestep)])
    return math.sqrt((1 - alpha) / alpha) if alpha > 0 else math.inf


def start_sigma(scheduler: Any, steps: int, strength: float) -> float | None:
    """Return sigma / sigma_data where image-to-image at this strength starts.

    Returns:
        None where `sigma_at` has none, and for a flow scheduler with dynamic shifting, which wants
        the picture's size first.
    """
    scheduler = copy.deepcopy(scheduler)
    try:
        scheduler.set_timesteps(steps)
    except ValueError:
        return None
    skipped = max(steps - min(int(steps * strength), steps), 0) * getattr(scheduler, "order", 1)
    if skipped >= len(scheduler.timesteps):
        return 0.0
    return sigma_at(scheduler, scheduler.timesteps[skipped])


def reference_sigma(steps: int, strength: float) -> float:
    """Return the start of Stable Diffusion 1.5 with its own scheduler, PNDM, at this strength."""
    from diffusers import PNDMScheduler

    # scheduler_config.json of stable-diffusion-v1-5.
    scheduler = PNDMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        skip_prk_steps=True,
        steps_offset=1,
    )
    sigma = start_sigma(scheduler, steps, strength)
    if sigma is None:
        raise ModelError("diffusers' PNDM scheduler no longer has a table of alphas")
    return sigma


class StartWatch:
    """Stands before an image-to-image pipeline's `get_timesteps`: sees or chooses its start.

    Only there is the scheduler's table complete, with the shift that some models take from the
    picture's size; and pipelines round a strength to a step in two ways.
    """

    def __init__(self, pipeline: Any) -> None:
        """Take the method's place on this pipeline.

        Raises:
            ModelError: it has none.
        """
        if not hasattr(pipeline, "get_timesteps"):
            raise ModelError(
                f"{type(pipeline).__name__} does not say where it starts; "
                "`cmc systems` and the README name the adapters that know such models"
            )
        self._scheduler = pipeline.scheduler
        self._get_timesteps = pipeline.get_timesteps
        self._signature = inspect.signature(self._get_timesteps)
        self._asked: float | None = None
        self._found: float | None = None
        self._was_called = False
        pipeline.get_timesteps = self

    def ask(self, sigma: float | None) -> None:
        """Let the next run start as near as can be to this sigma / sigma_data, or by strength."""
        self._asked, self._found, self._was_called = sigma, None, False

    def report(self) -> float | None:
        """Return where the run since `ask` started, as sigma / sigma_data.

        Raises:
            ModelError: a start was asked for, and the pipeline chose its own.
        """
        if self._was_called:
            return self._found
        # Latent consistency models cut the scheduler's steps themselves, when they set them.
        if self._asked is not None:
            name = type(self._scheduler).__name__
            raise ModelError(f"{name} chooses its own start; leave out strength_match=snr")
        return sigma_at(self._scheduler, self._scheduler.timesteps[0])

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return what the pipeline's own method returns, for the chosen strength.

        Raises:
            ModelError: no step is left.
        """
        call = self._signature.bind(*args, **options)
        self._was_called = True
        if self._asked is not None:
            call.arguments["strength"] = self._nearest(call, self._asked)
        chosen = self._get_timesteps(*call.args, **call.kwargs)
        if not len(chosen[0]):
            steps, strength = (call.arguments[name] for name in ("num_inference_steps", "strength"))
            raise ModelError(
                f"{steps} steps at strength {strength} leave none to run; "
                f"wanted at least steps={math.ceil(1 / strength)}, or a greater strength"
            )
        self._found = sigma_at(self._scheduler, chosen[0][0])
        return chosen

    def _nearest(self, call: inspect.BoundArguments, asked: float) -> float:
        """Return the strength that starts nearest to `asked`, by ratio."""
        steps = int(call.arguments["num_inference_steps"])
        distances: dict[float, float] = {}
        # Half steps reach every start, whether the pipeline rounds the step up or down.
        for half_steps in range(1, 2 * steps + 1):
            strength = half_steps / (2 * steps)
            call.arguments["strength"] = strength
            timesteps = self._get_timesteps(*call.args, **call.kwargs)[0]
            sigma = sigma_at(self._scheduler, timesteps[0]) if len(timesteps) else None
            if sigma:
                distances[strength] = abs(math.log(sigma / asked))
        if not distances:
            name = type(self._scheduler).__name__
            raise ModelError(f"{name} names no noise level; leave out strength_match=snr")
        return min(distances, key=lambda strength: distances[strength])


def _is_flow(scheduler: Any) -> bool:
    return (
        "Flow" in type(scheduler).__name__
        or bool(scheduler.config.get("use_flow_sigmas"))
        or scheduler.config.get("prediction_type") == "flow_prediction"
    )
