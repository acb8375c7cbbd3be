"""Options that name one thing: given twice they are refused, where argparse takes the last one."""

import argparse
from collections.abc import Sequence
from typing import Any


class Once(argparse.Action):
    """Keep the value of an option whose default is None, and refuse a second one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Take a value, unless there is one."""
        del parser, option_string
        if getattr(namespace, self.dest) is not None:
            raise argparse.ArgumentError(self, "given twice; one command runs one")
        setattr(namespace, self.dest, values)
