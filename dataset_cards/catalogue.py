"""Every Hub dataset by its name."""

from collections.abc import Mapping

from dataset_cards.cmc_bench.features import CMC_BENCH
from dataset_cards.outputs.features import OUTPUTS
from dataset_cards.requests.features import REQUESTS
from dataset_cards.results.features import RESULTS
from dataset_cards.schema import Dataset

DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset for dataset in (CMC_BENCH, REQUESTS, RESULTS, OUTPUTS)
}
