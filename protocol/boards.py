"""The rows of a board, from published tables or from results, best first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from protocol.eligibility import may_be_ranked
from protocol.facts import Facts, facts_of_published, facts_of_result
from protocol.published import PublishedRow, aggregates, table_rows
from protocol.records import Result
from protocol.rules import TRACKS, Content, Dimension, Mode, Track
from protocol.scores import Cell, cell_name, dimension_means, overall

RELEASED_DATASET = "CMC-Bench"
RELEASED_WEIGHTS = "lcysyzxdxc/CMC-Bench"


@dataclass(frozen=True, slots=True, order=True)
class Bench:
    """What must be equal for two rows to stand on one table."""

    protocol: str
    dataset: str
    indicators: str
    """The ranking indicators, with a hash of their weights unless they are the released ones."""

    @property
    def label(self) -> str:
        """What people are shown."""
        return f"{self.protocol} · {self.dataset} · {self.indicators}"


PUBLISHED_BENCH = Bench("cmc-1", RELEASED_DATASET, "topiq_fr, topiq_nr (released weights)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a board."""

    model: str
    role: str
    track: Track
    source: str
    """`published`, `verified` or `self-reported`."""
    bench: Bench
    content: Content | None
    partner: str
    """The fixed other half of the pair; empty where it is not known."""
    overall: float | None
    """None when a mode of the board is missing: such a row is shown, and not ranked."""
    scores: Mapping[Cell, float]
    missing_modes: tuple[Mode, ...]
    """Those without both scores."""
    bits_per_pixel: Mapping[Mode, float]
    decode_seconds: Mapping[Mode, float]
    request_id: str
    """Empty for a published row."""
    encode_seconds: Mapping[Mode, float]
    part_bits: Mapping[Mode, Mapping[str, float]]
    """Mean bits of a picture's file by mode and part: `text`, `pixels`, `image`."""
    dimensions: Mapping[Dimension, float]
    """The mean of each dimension over the modes that the Overall is made from; empty without."""
    facts: Facts
    replications: int = 0
    """How many accounts ran a part of it again and found it to agree."""
    submissions: int | None = None
    """How many requests its account has made on its bench; None where that is not known."""

    @property
    def has_pictures(self) -> bool:
        """Whether anything was run or published for this content, scored or not."""
        return bool(self.scores or self.bits_per_pixel)

    @property
    def indicators(self) -> dict[str, float]:
        """The scores by name, `full_fr`; missing ones are absent."""
        return {cell_name(cell): score for cell, score in self.scores.items()}


def published_rows(track: Track, content: Content | None) -> list[Row]:
    """Return the published rows of a board, best first.

    Over all contents they are the public leaderboard's means at four decimals, with its Overall
    where it is of the board's modes; those of ULB and ELB, which follow from the means, are the
    paper's to its three decimals. For one content they are the paper's cells, and the Overall, of
    which none was printed, follows from them. Two boards average over fewer modes than their name
    says, as the published numbers do: T2I takes each system's own modes, and I2T for one content
    has no text scores.
    """
    rule = TRACKS[track]
    if content is not None:
        chosen = table_rows(track, content)
    else:
        chosen = tuple(
            row
            for row in aggregates()
            if row.role is rule.role and any(mode in rule.modes for mode, _ in row.scores)
        )
    return best_first(_published(track, content, row) for row in chosen)


def _published(track: Track, content: Content | None, row: PublishedRow) -> Row:
    modes = tuple(mode for mode in TRACKS[track].modes if (mode, Dimension.FR) in row.scores)
    is_printed = content is None and track in (Track.T2I, Track.I2T)
    return Row(
        model=row.model,
        role=row.role,
        track=track,
        source="published",
        bench=PUBLISHED_BENCH,
        content=content,
        partner="",
        overall=row.overall if is_printed else overall(track, row.scores, modes),
        scores={cell: score for cell, score in row.scores.items() if cell[0] in modes},
        missing_modes=tuple(mode for mode in TRACKS[track].modes if mode not in modes),
        bits_per_pixel={},
        decode_seconds={},
        request_id="",
        encode_seconds={},
        part_bits={},
        dimensions=dimension_means(row.scores, modes),
        facts=facts_of_published(row.model, row.role),
    )


def result_rows(
    results: Iterable[Result],
    track: Track,
    content: Content | None,
    replications: Mapping[str, int] | None = None,
    submissions: Mapping[str, int] | None = None,
) -> list[Row]:
    """Return the rows of a board that were run, best first; rows that lack a mode come last.

    Args:
        results: all of a store.
        track: the board.
        content: what the pictures show; None for all.
        replications: by request id, as `replication_counts` returns them.
        submissions: by request id, how many requests its account has made on its bench.
    """
    rule = TRACKS[track]
    agreed, made = replications or {}, submissions or {}

    def counted(row: Row) -> Row:
        return replace(
            row,
            replications=agreed.get(row.request_id, 0),
            submissions=made.get(row.request_id),
        )

    return best_first(
        counted(_measured(track, content, result))
        for result in results
        if result.request.role is rule.role and set(rule.modes) & set(result.request.modes)
    )


def _measured(track: Track, content: Content | None, result: Result) -> Row:
    modes = TRACKS[track].modes
    scores = {
        (score.mode, score.dimension): score.mean
        for score in result.scores
        if score.content is content and score.mean is not None and score.mode in modes
    }
    return Row(
        model=result.request.label,
        role=result.request.role,
        track=track,
        source=result.source,
        bench=bench_of(result),
        content=content,
        partner=result.request.partner,
        overall=overall(track, scores) if may_be_ranked(result) else None,
        scores=scores,
        missing_modes=tuple(
            mode for mode in modes if any((mode, dim) not in scores for dim in Dimension)
        ),
        bits_per_pixel={
            rate.mode: rate.bits_per_pixel
            for rate in result.rates
            if rate.content is content and rate.mode in modes
        },
        decode_seconds={c.mode: c.decode_seconds for c in result.costs if c.mode in modes},
        request_id=result.request.request_id,
        encode_seconds={c.mode: c.encode_seconds for c in result.costs if c.mode in modes},
        part_bits={
            rate.mode: {
                "text": 8 * rate.text_bytes,
                "pixels": 8 * rate.pixels_bytes,
                "image": 8 * rate.image_bytes,
            }
            for rate in result.rates
            if rate.content is content and rate.mode in modes
        },
        dimensions=dimension_means(scores, modes),
        facts=facts_of_result(result),
    )


def bench_of(result: Result) -> Bench:
    """Return the table that a result belongs to."""
    uses = sorted(result.provenance.indicators, key=lambda use: use.dimension)
    names = ", ".join(use.name for use in uses)
    weights = [use for use in uses if use.weights_sha256]
    if weights and all(use.weights_origin.startswith(RELEASED_WEIGHTS) for use in weights):
        names += " (released weights)"
    elif weights:
        names += f" (weights {', '.join(use.weights_sha256[:8] for use in weights)})"
    dataset = result.request.dataset
    if dataset != RELEASED_DATASET:
        # Anyone may call a folder of pictures "test": two folders of one name are two tables.
        dataset += f" ({result.request.dataset_sha256[:8]})"
    return Bench(result.request.protocol, dataset, names)


def best_first(rows: Iterable[Row]) -> list[Row]:
    """Sort by Overall, highest first; rows without one last, by name."""
    return sorted(
        rows,
        key=lambda row: (row.overall is None, -(row.overall or 0.0), row.model, row.partner),
    )
