"""Floating-point operations of a T2I model's network, counted while it decodes.

A watched network is run as ever. For each new shape of its inputs it is run once more on torch's
meta device, where nothing is computed or held, and torch's own formulas say what that takes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any


@dataclass(slots=True)
class Tally:
    """What was counted so far; two operations are one multiplication and one addition."""

    operations: int = 0
    is_complete: bool = True
    """False when a watched network could not be counted."""


_COUNTS: dict[str, dict[Any, int | None]] = {}
"""Operations by the shapes of a call, by class and configuration of a network."""

_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def counting() -> Iterator[Tally]:
    """Count the operations of the watched networks that this thread runs inside the block."""
    tally = Tally()
    token = _TALLY.set(tally)
    try:
        yield tally
    finally:
        _TALLY.reset(token)


def watch(network: Any) -> None:
    """Let a network's calls be counted; its answers stay as they are.

    Args:
        network: a `torch.nn.Module` that keeps no tensors between two calls, or they would be
            those of the count; its `forward` may be compiled. It is watched once, however
            many pipelines share it.
    """
    run = network.forward
    if getattr(run, "is_watched", False):
        return
    plain = type(network).forward.__get__(network)
    # Copies of one checkpoint, which lanes have, do as much.
    config = getattr(network, "config", None)
    alike = f"{type(network)} {config}"
    counts = _COUNTS.setdefault(alike, {}) if config else dict[Any, int | None]()

    @wraps(plain)
    def forward(*args: Any, **options: Any) -> Any:
        tally = _TALLY.get()
        if tally is not None:
            key = _shapes(args, options)
            if key not in counts:
                counts[key] = _count(network, plain, args, options)
            operations = counts[key]
            tally.operations += operations or 0
            tally.is_complete &= operations is not None
        return run(*args, **options)

    forward.is_watched = True  # type: ignore[attr-defined]
    network.forward = forward


def _shapes(args: Any, options: Any) -> Any:
    """Return what decides the count: shapes in their places, and values that are no tensors."""
    import torch
    from torch.utils import _pytree

    leaves, form = _pytree.tree_flatten((args, options))
    shapes = [
        tuple(leaf.shape) if isinstance(leaf, torch.Tensor) else repr(leaf) for leaf in leaves
    ]
    return tuple(shapes), str(form)


def _count(network: Any, plain: Callable[..., Any], args: Any, options: Any) -> int | None:
    """Return the operations of one call, or None for a network that meta tensors cannot run."""
    import torch
    from torch.utils import _pytree
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    class Count(TorchDispatchMode):  # type: ignore[no-untyped-call]
        operations = 0

        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            del types
            answer = function(*args, **(kwargs or {}))
            formula = flop_registry.get(function._overloadpacket)
            if formula is not None:
                self.operations += formula(*args, **(kwargs or {}), out_val=answer)
            return answer

    def move(values: Any) -> Any:
        return _pytree.tree_map_only(torch.Tensor, lambda tensor: tensor.to("meta"), values)

    state = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    watched = network.forward
    network.forward = plain
    try:
        # In inference mode torch hands a linear layer on whole, and the formulas know its parts.
        with torch.inference_mode(False), torch.no_grad():
            inputs, named, weights = move(args), move(options), move(state)
            with Count() as count:  # type: ignore[no-untyped-call]
                torch.func.functional_call(network, weights, inputs, named)
    # What meta tensors cannot do is not one kind of error, and no reason to decode no picture.
    except (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError):
        return None
    finally:
        network.forward = watched
    return int(count.operations)
