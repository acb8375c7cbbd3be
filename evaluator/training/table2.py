"""Table 2 with our numbers: how indicators agree with mean opinion scores."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluator.indicators import find_indicator
from evaluator.pictures import read_picture
from evaluator.progress import Reporter, silent
from evaluator.training.batches import check_sizes
from evaluator.training.correlation import correlate
from evaluator.training.labels import DIMENSIONS, Labelled
from evaluator.training.loop import RECORD
from evaluator.weights import find_weights
from protocol.correlations import AgreementRow
from protocol.errors import InputError
from protocol.published import read_table
from protocol.rules import Dimension


def agreement_row(
    name: str,
    labelled: Sequence[Labelled],
    *,
    weights: Path | None,
    device: str,
    report: Reporter = silent,
) -> AgreementRow:
    """Score the pictures whole and compare with their opinions."""
    module = find_indicator(name)
    check_sizes(labelled, has_reference=module.DIMENSION is Dimension.FR)
    found = find_weights(module.WEIGHTS, weights) if module.WEIGHTS else None
    indicator = module.load(found.path if found else None, device)
    scores: list[float] = []
    dimension = module.DIMENSION
    with report(name, len(labelled)) as advance:
        for item in labelled:
            references = [read_picture(item.reference)] if dimension is Dimension.FR else None
            scores += indicator.score([read_picture(item.picture)], references)
            advance(1)
    published = published_agreement(dimension).get(name)
    return AgreementRow(
        indicator=name,
        dimension=dimension,
        measured=correlate(scores, [item.mos for item in labelled]),
        weights_sha256=found.sha256 if found else "",
        published_srocc=published[0] if published else None,
        published_krocc=published[1] if published else None,
    )


def published_agreement(dimension: Dimension) -> Mapping[str, tuple[float, float]]:
    """Return SRoCC and KRoCC of table 2 by our indicators' names."""
    return {
        f"topiq_{dimension}" if row["metric"] == "TOPIQ" else row["metric"].lower(): (
            float(row["srocc"]),
            float(row["krocc"]),
        )
        for row in read_table("indicator_correlation")
        if row["dimension"] == DIMENSIONS[dimension]
    }


def table2_names() -> list[str]:
    """Return table 2's ten indicators by our names, consistency first."""
    return [name for dimension in Dimension for name in published_agreement(dimension)]


def held_out_by(folder: Path) -> list[str]:
    """Return the names of the pictures that the training in a folder held out.

    Raises:
        InputError: no training's record is there.
    """
    path = folder / RECORD
    try:
        names: list[str] = json.loads(path.read_bytes())["split"]["test"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no record of a training; wanted the folder that `cmc indicators train "
            "--out` wrote"
        ) from error
    return names


def only_held_out(labelled: Sequence[Labelled], names: Sequence[str]) -> list[Labelled]:
    """Return the pictures that a training held out.

    Raises:
        InputError: one of them is not there.
    """
    there = {item.name: item for item in labelled}
    missing = [name for name in names if name not in there]
    if missing:
        raise InputError(
            f"the training held out {len(names)} pictures, of which {len(missing)} are not among "
            f"the labels, first {missing[0]}"
        )
    return [there[name] for name in names]
