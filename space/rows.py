"""The rows of all boards of one snapshot, each made once and when it is first asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from protocol.boards import (
    Bench,
    Row,
    bench_of,
    best_first,
    published_rows,
    result_rows,
)
from protocol.evidence import Evidence
from protocol.records import Result
from protocol.rules import TRACKS, Content, Track
from protocol.statistics.records import BoardStatistics
from space.flags import Flags, row_flags, with_flags
from space.secondary import by_request
from space.snapshot import Snapshot


class Rows:
    """What boards, figures and pairs are made from."""

    def __init__(
        self,
        results: Sequence[Result] = (),
        statistics: Sequence[BoardStatistics] = (),
        replications: Mapping[str, int] | None = None,
        evidence: Evidence | None = None,
        submissions: Mapping[str, int] | None = None,
        *,
        formerly: Mapping[str, str] | None = None,
        cautions: Flags | None = None,
    ) -> None:
        """Keep the results; no row is made yet.

        Args:
            results: all of them.
            statistics: what is stored about exactly these results.
            replications: by request id, how many accounts found a run to agree with theirs.
            evidence: what else lies beside the results.
            submissions: by request id, how many requests its account has made on its bench.
            formerly: by request id, what the row was called before.
            cautions: flags that follow from elsewhere than results and evidence.
        """
        self.results = tuple(results)
        self.evidence = evidence or Evidence()
        self.flags = with_flags(row_flags(self.results, statistics, self.evidence), cautions or {})
        self.secondary = by_request(self.evidence.secondary)
        self.formerly = formerly or {}
        self._replications = replications or {}
        self._submissions = submissions or {}
        self._statistics = {(s.track, s.content, s.bench): s for s in statistics}
        self._grouped: dict[tuple[Track, Content | None], dict[Bench, list[Row]]] = {}

    @classmethod
    def of(cls, snapshot: Snapshot, cautions: Flags | None = None) -> "Rows":
        """Return the rows of a snapshot."""
        return cls(
            snapshot.results,
            snapshot.statistics,
            snapshot.replications,
            snapshot.evidence,
            snapshot.submissions,
            formerly={
                entry.request_id: ", ".join(former.text for former in entry.formerly)
                for entry in snapshot.manifest
                if entry.formerly
            },
            cautions=cautions,
        )

    def by_bench(self, track: Track, content: Content | None) -> dict[Bench, list[Row]]:
        """Return a track's rows for one content, best first, of what ran pictures of it."""
        key = (track, content)
        if key not in self._grouped:
            counts = (self._replications, self._submissions)
            measured = result_rows(self.results, track, content, *counts)
            found = [*published_rows(track, content), *measured]
            grouped: dict[Bench, list[Row]] = {}
            for row in best_first(found):
                if row.has_pictures:
                    grouped.setdefault(row.bench, []).append(row)
            self._grouped[key] = grouped
        return self._grouped[key]

    def benches(self, track: Track) -> list[Bench]:
        """Return the benches with a row on a track: measured ones first, then the published."""
        rows = self.by_bench(track, None)
        measured = {b for b in rows if any(row.source != "published" for row in rows[b])}
        return sorted(rows, key=lambda bench: (bench not in measured, bench))

    def has(self, track: Track) -> bool:
        """Tell whether a track has a row."""
        role = TRACKS[track].role
        return bool(published_rows(track, None)) or any(
            result.request.role is role for result in self.results
        )

    def results_of(self, bench: Bench) -> Sequence[Result]:
        """Return the results that stand on the tables of a bench."""
        return self._results_by_bench.get(bench, ())

    def statistics_of(
        self, track: Track, content: Content | None, bench: Bench
    ) -> BoardStatistics | None:
        """Return what is stored about a table's rows; None where nothing is."""
        return self._statistics.get((track, content, bench.label))

    @cached_property
    def _results_by_bench(self) -> dict[Bench, list[Result]]:
        grouped: dict[Bench, list[Result]] = {}
        for result in self.results:
            grouped.setdefault(bench_of(result), []).append(result)
        return grouped
