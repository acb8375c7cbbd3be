"""The command line: `cmc`, also `python -m evaluator`.

One module a command in `evaluator/commands/`; each has HELP, `add_arguments` and `run`.
"""

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import NoReturn

from evaluator.run_log import hush_libraries
from protocol.errors import CMCError

COMMANDS = (
    *("demo", "submit", "queue", "work", "evaluate"),
    *("smoke", "reproduce", "rescore", "receive", "audit", "plan", "export"),
    "verify",
    "cache",
    *("encode", "decode", "info", "text-prior", "score", "systems", "leaderboard", "serve"),
    *("export-site", "freeze", "changes", "monitor"),
    *("statistics", "rates", "mos", "rate"),
    "dataset",
    *("indicators", "controls", "memorisation", "ablate", "tables"),
)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="cmc",
        description="Cross-modality image compression: codec, evaluator and leaderboard.",
        epilog="`cmc COMMAND --help` explains a command. Start with `cmc demo`.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"evaluator.commands.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused, 2 wrong usage."""
    _settle()
    options = make_parser().parse_args(arguments)
    computes = getattr(options, "computes", False)
    if computes:
        from evaluator.allocator import keep_freed_memory

        keep_freed_memory()
    try:
        with _ending_in_order(computes=computes):
            status: int = options.run(options)
            _prune(options)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CMCError, OSError, ModuleNotFoundError) as error:
        print(f"cmc {options.command}: {_said(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was done is kept", file=sys.stderr)
        return _leave(128 + signal.SIGINT)
    except _Ended as end:
        _leave(end.status)
        raise
    return status


def _said(error: Exception) -> str:
    """Return an error's text, which for a library that is missing is how to get it.

    Raises:
        ModuleNotFoundError: what is missing is a part of ours.
    """
    if not isinstance(error, ModuleNotFoundError):
        return str(error)
    library = (error.name or "").partition(".")[0]
    if library in ("", "evaluator", "submission", "protocol", "space", "dataset_cards"):
        raise error
    return f"{library} is not installed; pip install 'cmc-bench[evaluator]' brings what is needed"


def _settle() -> None:
    """Keep libraries quiet, and have what is printed printed."""
    # Two libraries ask hosts of their own about versions and usage; nobody asked for that.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    hush_libraries()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal has no letter for, as in a file's name, ends no command.
        sys.stdout.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _ending_in_order(*, computes: bool) -> Iterator[None]:
    """Let signals end what runs in order; afterwards they do what they did for the caller."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGTERM: signal.signal(signal.SIGTERM, _end)}
    # What is deaf to interrupts, as under `nohup`, stays so.
    if computes and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        handlers[signal.SIGINT] = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Ended(SystemExit):
    """The system told this process to end."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(self.status)


def _end(number: int, frame: object) -> NoReturn:
    """End as an interrupt does: what is held is given back, and what was started is stopped."""
    del frame
    raise _Ended(number)


def _interrupt(number: int, frame: object) -> NoReturn:
    """Say why this may take a while: what a thread is at is finished, unless there is a second."""
    del number, frame
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Not `print`: the main thread may be inside one.
    os.write(2, b"\nstopping after what is under way; Ctrl-C again stops at once\n")
    raise KeyboardInterrupt


def _leave(status: int) -> int:
    """Return a status, or end at once where a second signal left threads at work.

    Python would wait for some of them, and tear torch down under the others.
    """
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _prune(options: argparse.Namespace) -> None:
    """Prune the cache after a command that was told a size: nothing needs its pictures now."""
    if getattr(options, "cache_size", None) is not None:
        from evaluator.commands._options import cache_from
        from evaluator.pruning import prune

        prune(cache_from(options), options.cache_size)


if __name__ == "__main__":
    sys.exit(main())
