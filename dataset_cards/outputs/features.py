"""The table of what runs made: the columns of the benchmark's `distorted`, a folder a run."""

from pathlib import Path

from dataset_cards.cmc_bench.features import CONTENTS, DISTORTED
from dataset_cards.schema import Config, Dataset

RUNS = Config(
    name="outputs",
    about="A row for each picture and mode of each run.",
    columns=DISTORTED.columns,
    parts=("request_id", "mode"),
    splits=CONTENTS,
)

OUTPUTS = Dataset(name="CMC-Bench-outputs", folder=Path(__file__).parent, configs=(RUNS,))
