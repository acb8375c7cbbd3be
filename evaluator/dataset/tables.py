"""Checks of rows: every picture decoded, every hash and every bit counted again."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dataset_cards.cmc_bench.features import (
    CAPTIONS,
    DISTORTED,
    GROUND_TRUTH,
    MOS,
    MOS_REFERENCES,
    RATINGS,
    REFERENCES,
)
from dataset_cards.cmc_bench.release import Release
from dataset_cards.layout import Shard, list_shards
from dataset_cards.parquet import find_odd, read_rows
from dataset_cards.schema import Config
from evaluator.dataset.faults import Faults
from evaluator.dataset.row_checks import (
    Sizes,
    check_bits,
    check_file,
    check_picture,
    check_sample,
    open_row,
)
from evaluator.looks import Looks
from protocol.mos import nsfw_reports
from protocol.ratings import COLUMNS, Reason, parse_ratings
from protocol.samples import parse_name


class BenchmarkCheck:
    """The benchmark's tables against what a release must hold."""

    def __init__(
        self, folder: Path, release: Release, faults: Faults, advance: Callable[[int], None]
    ) -> None:
        """Keep where to look and whom to tell."""
        self._folder, self._release = folder, release
        self._faults, self._advance = faults, advance
        self._sizes: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        """Look at every table."""
        self._ground_truth()
        self._references()
        self._captions()
        counts = check_made(self._folder, DISTORTED, self._sizes, self._faults, self._advance)
        for role, wanted in self._release.distorted.items():
            if counts[role] < wanted:
                self._faults.add(f"distorted, {role}", f"{counts[role]} pictures; wanted {wanted}")
        self._mos()

    def _rows(self, config: Config) -> Iterator[tuple[Shard, dict[str, Any]]]:
        yield from whole_rows(self._folder, config, self._faults, self._advance)

    def _ground_truth(self) -> None:
        looks = Looks()
        shas: dict[str, str] = {}
        low, high = self._release.shortest_side, self._release.longest_side
        for shard, row in self._rows(GROUND_TRUTH):
            name = row["name"]
            where = f"ground_truth, {name}"
            check_sample(where, shard, row, self._faults)
            if name in self._sizes:
                self._faults.add(where, "comes twice")
            self._sizes[name] = row["width"], row["height"]
            if not (low <= min(self._sizes[name]) and max(self._sizes[name]) <= high):
                size = f"{row['width']}x{row['height']}"
                self._faults.add(where, f"{size}; sides go from {low} to {high}")
            other = shas.setdefault(row["sha256"], name)
            if other != name:
                self._faults.add(where, f"a duplicate: the same file as {other}")
            if check_picture(where, row, None, self._faults):
                looks.add(name, open_row(row))
        self._compare("ground_truth", set(self._sizes))
        known = {tuple(sorted(pair)) for pair in self._release.near_duplicates}
        for one, two in looks.pairs():
            if (one, two) not in known:
                self._faults.add(f"ground_truth, {two}", f"looks like {one}: a near-duplicate")

    def _references(self) -> None:
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for shard, row in self._rows(REFERENCES):
            name, kind, origin = row["name"], row["kind"], row["origin"]
            where = f"references, {origin} {kind}, {name}"
            check_sample(where, shard, row, self._faults)
            if (origin, kind) != shard.parts:
                self._faults.add(where, f"lies in {shard.path}")
            if name in found[origin, kind]:
                self._faults.add(where, "comes twice")
            found[origin, kind].add(name)
            if check_picture(where, row, self._sizes, self._faults):
                check_bits(where, row, self._faults)
        for (origin, kind), names in found.items():
            self._compare(f"references, {origin} {kind}", names)
        for kind in self._release.references:
            if not any(kind == other for _, other in found):
                self._faults.add(f"references, {kind}", "missing for every picture")

    def _captions(self) -> None:
        found: dict[str, set[str]] = defaultdict(set)
        for shard, row in self._rows(CAPTIONS):
            name, i2t = row["name"], row["i2t"]
            where = f"captions, {i2t}, {name}"
            check_sample(where, shard, row, self._faults)
            if not row["caption"].strip():
                self._faults.add(where, "the caption is empty")
            if name in found[i2t]:
                self._faults.add(where, "comes twice")
            found[i2t].add(name)
        for i2t, names in found.items():
            self._compare(f"captions, {i2t}", names)
        for i2t in self._release.captions:
            if i2t not in found:
                self._faults.add(f"captions, {i2t}", "missing for every picture")

    def _mos(self) -> None:
        references: set[str] = set()
        reports: dict[str, int] = {}
        for _, row in self._rows(MOS_REFERENCES):
            if row["name"] in references:
                self._faults.add(f"mos_references, {row['name']}", "comes twice")
            references.add(row["name"])
            check_picture(f"mos_references, {row['name']}", row, None, self._faults)
        for _, row in self._rows(MOS):
            where = f"mos, {row['distorted']}"
            if row["distorted"] in reports:
                self._faults.add(where, "comes twice")
            reports[row["distorted"]] = row["nsfw_reports"]
            check_picture(where, row, None, self._faults)
            if row["reference"] not in references:
                self._faults.add(where, f"its reference {row['reference']} is missing")
        raters = self._ratings(reports)
        for what, count, wanted in (
            ("mos_references", len(references), self._release.mos_references),
            ("mos", len(reports), self._release.mos),
            ("ratings, viewers", len(raters), self._release.viewers),
        ):
            if count != wanted:
                self._faults.add(what, f"{count}; wanted {wanted}")

    def _ratings(self, reports: Mapping[str, int]) -> set[str]:
        """Check the ratings against the pictures' reports of offence; return the viewers."""
        rows = [row for _, row in self._rows(RATINGS)]
        parsed = parse_ratings({name: str(row[name]) for name in COLUMNS} for row in rows)
        for item in parsed.refused:
            if item.reason is not Reason.SUPERSEDED:
                where = f"ratings, {item.viewer}, {item.image}"
                self._faults.add(where, f"{item.reason}: {item.dimension!r} {item.rating}")
        for rating in parsed.ratings:
            if rating.image not in reports:
                where = f"ratings, {rating.viewer}, {rating.image}"
                self._faults.add(where, "rates a picture that mos has not")
        found = nsfw_reports(parsed)
        for name, said in reports.items():
            if said != found.get(name, 0):
                told = f"{said} reports as offensive; ratings has {found.get(name, 0)}"
                self._faults.add(f"mos, {name}", told)
        return {rating.viewer for rating in parsed.ratings}

    def _compare(self, table: str, names: set[str]) -> None:
        wanted = self._release.expected_names
        for name in sorted(wanted - names):
            self._faults.add(f"{table}, {name}", "missing")
        for name in sorted(names - wanted):
            self._faults.add(f"{table}, {name}", "is not one of this release's pictures")
        group_of = "{0.content}_{0.source}".format
        found = Counter(group_of(parse_name(name)) for name in names & wanted)
        for group, count in Counter(group_of(parse_name(name)) for name in wanted).items():
            if found[group] != count:
                self._faults.add(f"{table}, {group}", f"{found[group]} pictures; wanted {count}")


def check_made(
    folder: Path,
    config: Config,
    sizes: Sizes | None,
    faults: Faults,
    advance: Callable[[int], None],
) -> Counter[str]:
    """Check decoded pictures and their files; return the number of rows by role.

    Args:
        folder: the dataset's.
        config: `distorted` or `outputs`.
        sizes: of the ground truths by name; None where they are not at hand.
        faults: what is wrong goes there.
        advance: is told of every row.
    """
    counts: Counter[str] = Counter()
    names: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for shard, row in whole_rows(folder, config, faults, advance):
        where = f"{config.name}, {'/'.join(shard.parts)}, {row['name']}"
        counts[row["role"]] += 1
        check_sample(where, shard, row, faults)
        if row["name"] in names[shard.parts]:
            faults.add(where, "comes twice")
        names[shard.parts].add(row["name"])
        if row["status"] == "decoded":
            check_picture(where, row, sizes, faults)
        elif row["image"] is not None:
            faults.add(where, f"has a picture, and the status {row['status']}")
        check_file(where, row, faults)
    for parts, found in names.items():
        where = f"{config.name}, {'/'.join(parts)}"
        for name in sorted((sizes or {}).keys() - found):
            faults.add(f"{where}, {name}", "missing")
        for name in sorted(found - sizes.keys()) if sizes is not None else ():
            faults.add(f"{where}, {name}", "is not one of this release's pictures")
    return counts


def whole_rows(
    folder: Path, config: Config, faults: Faults, advance: Callable[[int], None]
) -> Iterator[tuple[Shard, dict[str, Any]]]:
    """Yield the rows of a table that have what they must have, with their files."""
    for shard in list_shards(folder, config):
        for number, row in enumerate(read_rows(folder / shard.path)):
            if odd := find_odd(config, row):
                faults.add(f"{shard.path}, row {number}", f"{', '.join(odd)} missing")
            else:
                yield shard, row
            advance(1)
