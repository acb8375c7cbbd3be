"""Models of diffusers and transformers: loaded whole or not at all, and refused when they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evaluator.batches import is_device_lost, is_out_of_memory
from protocol.errors import CMCError, ModelError
from protocol.records import System


@contextmanager
def loading(library: str, system: System) -> Iterator[None]:
    """Refuse a system that a library cannot load, whatever it raises, or loads in part.

    The library says nothing of its own from here on, and draws no progress bars.

    Args:
        library: `diffusers` or `transformers`.
        system: what is loaded inside.

    Raises:
        ModelError: it is refused.
    """
    _be_quiet(library)
    with _refusing(f"{library} cannot load {system.label}"), _whole_weights():
        yield


@contextmanager
def running(model: Any) -> Iterator[None]:
    """Refuse a pipeline or network that fails when it is called, whatever it raises.

    Raises:
        ModelError: it does.
    """
    with _refusing(f"{type(model).__name__} cannot run"):
        yield


def _be_quiet(library: str) -> None:
    from transformers.utils import logging

    # It warns of "indexing errors" for a long caption, which a pipeline then cuts.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if library == "diffusers":
        from diffusers.utils import logging as diffusers_logging

        diffusers_logging.set_verbosity_error()
        diffusers_logging.disable_progress_bar()


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except CMCError:
        raise
    except Exception as error:  # a damaged checkpoint fails wherever the library first trips
        # Neither is the model's fault, and both are met elsewhere.
        if is_out_of_memory(error) or is_device_lost(error):
            raise
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelError(f"{what}: {reason}") from error


@contextmanager
def _whole_weights() -> Iterator[None]:
    """Let a network of transformers fail whose files lack weights, or hold some of another shape.

    It would fill them with random numbers, other ones each time, and say so in a log alone; as a
    part of a diffusers pipeline too, which has no argument to hear of it.
    """
    from transformers import PreTrainedModel

    finish = PreTrainedModel._finalize_model_loading

    def finish_whole(model: Any, config: Any, found: Any) -> Any:
        kind = type(model).__name__
        for name, saved, wanted in sorted(found.mismatched_keys):
            raise ValueError(
                f"{name} of {kind} is {tuple(saved)} in its files, wanted {tuple(wanted)}"
            )
        found = finish(model, config, found)
        missing = found.missing_keys
        if missing:
            raise ValueError(
                f"the files of {kind} lack {len(missing)} of its weights, such as {min(missing)}; "
                "save it whole, with save_pretrained"
            )
        return found

    PreTrainedModel._finalize_model_loading = staticmethod(finish_whole)
    try:
        yield
    finally:
        PreTrainedModel._finalize_model_loading = staticmethod(finish)
