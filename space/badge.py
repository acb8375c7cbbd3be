"""A badge with a row's rank, for a model card: SVG, drawn here."""

import html

from protocol.rules import Track
from space.rows import Rows
from space.table import board
from space.words import TRACK_WORDS

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" '
    'aria-label="{label}: {value}"><title>{label}: {value}</title>'
    '<rect width="{width}" height="20" rx="3" fill="#444b55"/>'
    '<rect x="{split}" width="{right}" height="20" rx="3" fill="#0b5cad"/>'
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
    '<text x="6" y="14">{label}</text><text x="{text}" y="14">{value}</text></g></svg>'
)
_LONGEST = 60


def badge(name: str, rows: Rows) -> bytes | None:
    """Return the badge for `TRACK/REQUEST_ID` or `TRACK/MODEL`; None where there is no such row."""
    key, _, wanted = name.partition("/")
    track = next((track for track in Track if track.value == key), None)
    if track is None:
        return None
    for table in board(track, "all", rows).tables:
        for line in table.lines:
            if wanted in (line.values.get("request"), line.model):
                ranked = sum(other.rank is not None for other in table.lines)
                value = "not ranked" if line.rank is None else f"#{line.rank} of {ranked}"
                overall = line.values.get("overall")
                if isinstance(overall, float):
                    value += f" · {overall:.{table.digits}f}"
                return _draw(f"CMC-Bench {TRACK_WORDS[track].tab}", value)
    return None


def _draw(label: str, value: str) -> bytes:
    left, right = (12 + 7 * min(len(text), _LONGEST) for text in (label, value))
    shown = {"label": html.escape(label), "value": html.escape(value[:_LONGEST])}
    return _SVG.format(width=left + right, split=left, right=right, text=left + 6, **shown).encode()
