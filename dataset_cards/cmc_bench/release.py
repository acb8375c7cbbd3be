"""What a release must hold: the facts of the benchmark, and a way to state those of another set."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from protocol.errors import DatasetError, PictureError, RecordError
from protocol.jsonable import from_json
from protocol.samples import parse_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The pictures and tables that a set must have, no more and no fewer."""

    name: str
    ground_truth: Mapping[str, int]
    """Pictures by content and source: `NSI_pgc`: 200 means `NSI_pgc_000.png` to `_199.png`."""
    shortest_side: int
    """Fewest pixels that a side of a ground truth may have."""
    longest_side: int
    references: tuple[str, ...]
    """Kinds of which every ground truth has one."""
    captions: tuple[str, ...]
    """I2T models that must have a caption for every ground truth."""
    distorted: Mapping[str, int]
    """Pictures in `distorted` by role, at least."""
    mos_references: int
    mos: int
    """Pictures with mean opinion scores."""
    viewers: int
    """Viewers in `ratings`."""
    names: tuple[str, ...] = field(default_factory=tuple)
    """The ground truths by name, where they are not numbered from 0."""
    near_duplicates: tuple[tuple[str, ...], ...] = field(default_factory=tuple)
    """Pairs of names that look alike and are known to."""

    @property
    def expected_names(self) -> frozenset[str]:
        """The file names of the ground truth."""
        if self.names:
            return frozenset(self.names)
        return frozenset(
            f"{group}_{number:03d}.png"
            for group, count in self.ground_truth.items()
            for number in range(count)
        )


CMC_BENCH_1 = Release(
    name="cmc-bench-1",
    # P 3.1, and the names of the released caption files.
    ground_truth={
        "NSI_pgc": 200,
        "NSI_ugc": 200,
        "SCI_movie": 100,
        "SCI_game": 100,
        "SCI_screen": 100,
        "AIGI_DALLE3": 50,
        "AIGI_MJ": 50,
        "AIGI_PG": 50,
        "AIGI_Pixart": 50,
        "AIGI_SDXL": 50,
        "AIGI_SSD": 50,
    },
    # The benchmark's pictures have 512 to 1024 pixels a side.
    shortest_side=512,
    longest_side=1024,
    references=("image", "pixel"),
    captions=("gpt4v", "qwen"),
    # P 3.3: 6 I2T models x 3 modes; 8 T2I models x 4 modes and 4 x 2.
    distorted={"I2T": 18_000, "T2I": 40_000},
    # P 3.4 and A.2.
    mos_references=100,
    mos=4_000,
    viewers=20,
)

ARCHIVES_1 = replace(
    CMC_BENCH_1, name="cmc-bench-1-archives", distorted={}, mos_references=0, mos=0, viewers=0
)
"""What can be made of the archives that were published: no labels and no decoded pictures."""

RELEASES: Mapping[str, Release] = {release.name: release for release in (CMC_BENCH_1, ARCHIVES_1)}


def find_release(text: str) -> Release:
    """Return the release of a name, or that a JSON file states.

    Raises:
        DatasetError: there is none of this name, or the file states none.
    """
    if text in RELEASES:
        return RELEASES[text]
    path = Path(text)
    if not path.is_file():
        raise DatasetError(
            f"no release {text!r} and no such file; there are {', '.join(RELEASES)}, "
            "or give a JSON file with the keys of one"
        )
    try:
        release = from_json(Release, path.read_bytes())
        for name in release.expected_names:
            parse_name(name)
    except (RecordError, PictureError) as error:
        raise DatasetError(f"{path}: {error}") from error
    if unknown := sorted(set(release.references) - set(CMC_BENCH_1.references)):
        wanted = ", ".join(CMC_BENCH_1.references)
        raise DatasetError(f"{path}: no references {', '.join(unknown)}; there are {wanted}")
    return release
