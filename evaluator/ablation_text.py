"""An ablation as a table in Markdown and as a figure."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from evaluator.indicators import find_indicator
from evaluator.set_indicators import find_set_indicator, set_indicator_names
from protocol.ablations import Ablation, AblationResult, Point, Repeated


def ablation_table(found: AblationResult) -> str:
    """Return a table in Markdown, one row a value, system and mode."""
    plan = found.plan
    names = _indicators(found.points)
    sets = _set_indicators(found.points)
    heads = [plan.vary, "mode", "system", "bpp", *names, *sets]
    rows = []
    alone = {point.value: point for point in found.points if point.system == plan.codec}
    for point in found.points:
        means = [point.means.get(name) for name in names]
        cells = ["not scored" if m is None else f"{m.value:.4f}" for m in means]
        cells += [_number(point.sets.get(name)) for name in sets]
        rows.append([point.value, point.mode, point.system, f"{point.bits_per_pixel:.4f}", *cells])
        if point.published:
            printed = [_number(point.published.get(name)) for name in (*names, *sets)]
            rows.append(["", "", f"{point.system}, paper", "", *printed])
        if point.value in alone and point.system != plan.codec:
            rows += _improvements(alone[point.value], point, (*names, *sets))
    lines = [
        f"# {_title(plan)}",
        "",
        (
            f"{found.system} with {found.partner or 'no I2T model'}; {found.protocol}; "
            f"{found.images} pictures of {found.dataset}. Higher is better in every column"
            f"{_ABOUT_PAPER if any(point.published for point in found.points) else ''}."
        ),
        "",
        *_markdown(heads, rows),
    ]
    if found.repeated:
        lines += ["", *_markdown(_SEED_HEADS, _seed_rows(found))]
    return "\n".join([*lines, "", plan.notes]).rstrip() + "\n"


def ablation_figure(found: AblationResult) -> str:
    """Return a page with one curve an indicator; it holds all that it needs to be drawn."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    names = [*_indicators(found.points), *_set_indicators(found.points)]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=names)
    series = list(dict.fromkeys((point.system, point.mode) for point in found.points))
    for place, name in enumerate(names):
        for number, (system, mode) in enumerate(series):
            chosen = [p for p in found.points if (p.system, p.mode) == (system, mode)]
            colour = _COLOURS[number % len(_COLOURS)]
            figure.add_trace(
                go.Scatter(**_curve(chosen, name, colour), showlegend=place == 0),
                row=place // columns + 1,
                col=place % columns + 1,
            )
    figure.update_layout(
        title=f"{_title(found.plan)}: {found.system}, {found.protocol}, {found.images} pictures",
        template="plotly_white",
        height=120 + 260 * rows,
    )
    figure.update_xaxes(title_text=found.plan.vary, type="category")
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page


_ABOUT_PAPER = (
    "; the paper's rows are of its own pictures and weights, with LPIPS and FID turned like ours"
)
_COLOURS = ("#0b6e99", "#d9730d", "#0f7b6c", "#6940a5")
_SEED_HEADS = (
    *("mode", "indicator", "seeds", "mean of the seeds"),
    *("one seed's error of the mean", "the pictures'", "all seeds' and pictures'"),
)


def _title(plan: Ablation) -> str:
    where = plan.cited or plan.source
    return f"{plan.title} ({where})" if where else plan.title


def _curve(points: Sequence[Point], name: str, colour: str) -> dict[str, object]:
    """Return one system's curve in one mode; of single pictures' scores with intervals."""
    known = [(point.value, mean) for point in points if (mean := point.means.get(name))]
    sets = [(p.value, score) for p in points if (score := p.sets.get(name)) is not None]
    label = f"{points[0].system}, {points[0].mode}"
    return {
        "x": [value for value, _ in known or sets],
        "y": [mean.value for _, mean in known] or [score for _, score in sets],
        "error_y": {
            "array": [mean.high - mean.value for _, mean in known],
            "arrayminus": [mean.value - mean.low for _, mean in known],
            "thickness": 1,
        },
        "mode": "lines+markers",
        "name": label,
        "legendgroup": label,
        "line": {"color": colour},
    }


def _improvements(alone: Point, point: Point, names: Sequence[str]) -> Iterator[list[str]]:
    """Yield by how much a system's pictures are better than the codec's own, ours and printed."""
    for label, before, after in (
        ("improve", _measured(alone), _measured(point)),
        ("improve, paper", alone.published, point.published),
    ):
        shares = [_improvement(name, before.get(name), after.get(name)) for name in names]
        if any(shares):
            yield ["", "", label, "", *shares]


def _measured(point: Point) -> dict[str, float | None]:
    means = {name: None if mean is None else mean.value for name, mean in point.means.items()}
    return {**means, **point.sets}


def _improvement(name: str, before: float | None, after: float | None) -> str:
    """Return by how much one score is better than another, as P table A1 counts it.

    That is after / before - 1, of distances before / after - 1 in their own direction: from the
    printed LPIPS 0.523 and 0.435 follow the printed 20.2 %, and not 16.8 %.
    """
    if before is None or after is None:
        return ""
    facts = (find_set_indicator if name in set_indicator_names() else find_indicator)(name).FACTS
    if facts.lower_is_better:
        best = facts.highest or 0.0
        before, after = best - after, best - before
    return f"{after / before - 1:+.2%}" if before > 0 else ""


def _seed_rows(found: AblationResult) -> list[list[str]]:
    return [
        [
            str(row.mode),
            row.indicator,
            str(row.components.seeds),
            _mean_of_seeds(found, row),
            f"{row.components.standard_error_seed:.5f}",
            f"{row.components.standard_error_image:.5f}",
            f"{row.components.standard_error:.5f}",
        ]
        for row in found.repeated
    ]


def _mean_of_seeds(found: AblationResult, row: Repeated) -> str:
    means = [p.means.get(row.indicator) for p in found.points if p.mode is row.mode]
    known = [mean.value for mean in means if mean is not None]
    return f"{fmean(known):.4f}" if len(known) == len(means) else "not scored"


def _indicators(points: Iterable[Point]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.means))


def _set_indicators(points: Iterable[Point]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.sets))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
