"""A row as BibTeX and as CSV."""

import csv
import io
import re
from collections.abc import Sequence
from urllib.parse import quote

from protocol.frozen import FrozenEntry
from protocol.records import Result
from submission.exports.tasks import TaskValue

_OF_ADDRESSES = "/:?#[]@!$&'()*+,;=%~"
"""What stands in an address as it is, beside letters and digits (RFC 3986, section 2.2)."""
PAPER = """@article{li2024cmcbench,
  title = {CMC-Bench: Towards a New Paradigm of Visual Signal Compression},
  author = {Li, Chunyi and others},
  journal = {arXiv preprint arXiv:2406.09356},
  year = {2024}
}
"""


def bibtex(result: Result, url: str = "", frozen: FrozenEntry | None = None) -> str:
    """Return the paper's entry and one for this row: its id names it, whatever the board shows.

    Args:
        result: the row.
        url: where it is published.
        frozen: the frozen board that is cited; None for the live one.
    """
    request = result.request
    day = result.provenance.finished_at[:10]
    fields = {
        "title": f"CMC-Bench row of {request.label}"
        + (f" with {request.partner}" if request.partner else ""),
        "author": "{CMC-Bench leaderboard}",
        "year": day[:4],
        "note": f"Request {request.request_id}, protocol {request.protocol}, {result.source}, "
        f"run on {day}" + (_board(frozen) if frozen else ""),
    }
    lines = [f"  {name} = {{{_escaped(value)}}}" for name, value in fields.items()]
    if url:
        # TeX's \url prints what it is given: an address with a backslash before & is another one.
        lines.append(f"  url = {{{quote(url, safe=_OF_ADDRESSES)}}}")
    board = f"-{frozen.slug.replace('~', '-')}" if frozen else ""
    entry = "@misc{cmcbench-" + request.request_id + board + ",\n" + ",\n".join(lines) + "\n}\n"
    return f"{PAPER}\n{entry}"


_COLUMNS = (
    *("request_id", "role", "model", "revision", "partner", "protocol", "dataset", "task_id"),
    *("indicator", "value", "ci_low", "ci_high", "ci_level", "images", "source", "run_at"),
)


def csv_text(result: Result, values: Sequence[TaskValue]) -> str:
    """Return one line a task."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    request, system = result.request, result.request.compared
    for value in values:
        interval = value.interval
        bounds = (interval.low, interval.high, interval.level) if interval else ("", "", "")
        writer.writerow(
            (
                *(request.request_id, request.role, _cell(request.label)),
                *(system.revision if system else "", _cell(request.partner), request.protocol),
                *(_cell(request.dataset), value.task_id, value.indicator, value.value),
                *(*bounds, value.images, result.source, result.provenance.finished_at),
            )
        )
    return file.getvalue()


def _board(frozen: FrozenEntry) -> str:
    """Return how a board is cited: whoever has the file can check its sha256."""
    day = frozen.frozen_at[:10]
    return f", as of snapshot {frozen.label}, frozen on {day}, sha256 {frozen.sha256}"


def _escaped(text: str) -> str:
    """Return text without what BibTeX or TeX would take for a command."""
    if text.startswith("{"):
        return text
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[\\{}~^]", " ", text))


def _cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
