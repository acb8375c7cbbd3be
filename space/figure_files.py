"""The figures as files: what there is to draw, and each figure as plotly's JSON."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from space.snapshot import Snapshot
from space.table import CONTENTS, benches, board, rows_by_bench

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Make = Callable[[], bytes]


def figure_makers(snapshot: Snapshot) -> dict[str, Make]:
    return {}
