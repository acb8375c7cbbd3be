"""The epochs of a training, each ending in a checkpoint that is written whole."""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluator.indicators import find_indicator
from evaluator.progress import Reporter, silent
from evaluator.training.batches import check_sizes, epoch_batches, whole
from evaluator.training.labels import Labelled
from evaluator.training.networks import (
    BACKBONE,
    build_network,
    calibrated,
    exported,
    find_recipe,
    weights_name,
)
from evaluator.training.splits import Split, SplitBy
from evaluator.weights import SUMS
from protocol.errors import InputError
from protocol.files import write_whole
from protocol.jsonable import to_plain
from protocol.rules import Dimension

EPOCHS = 50
LEARNING_RATE = 2e-5
"""Both P A.3: Adam, mean squared error."""

CHECKPOINT = "checkpoint.pt"
RECORD = "training.json"
"""The plan, the figures of each epoch, and which pictures were held out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that decides what comes out of a training beside the pictures."""

    indicator: str
    epochs: int = EPOCHS
    learning_rate: float = LEARNING_RATE
    batch_size: int = 8
    crop: int = 0
    """Side in pixels; 0 stands for the indicator's own."""
    split_by: SplitBy = SplitBy.REFERENCE
    seed: int = 0
    mixed: bool = False
    """Half precision where it is safe: float16 on a GPU, bfloat16 on a CPU."""
    backbone: str = BACKBONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What is known after an epoch; the one before the first has number 0 and no loss."""

    number: int
    loss: float | None
    """Mean squared error over the training pictures, in opinions squared."""
    srocc: float
    """Of the held-out pictures, whole."""


@dataclass(slots=True, kw_only=True)
class _Run:
    plan: Plan
    split: Split
    device: str
    has_reference: bool
    model: Any
    optimiser: Any
    scaler: Any
    history: list[Epoch]


def train(
    plan: Plan,
    split: Split,
    folder: Path,
    *,
    weights: Path | None,
    device: str,
    resume: bool = False,
    report: Reporter = silent,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Train an indicator; `folder` then holds its weights, their sum and the epochs' figures.

    A stopped run goes on after its last whole epoch with `resume`, to the same numbers as if it
    had not been stopped: every epoch draws its order, crops and dropout from its own seed.

    Raises:
        InputError: `resume` finds no checkpoint or one of another plan, without `resume` there is
            one, or the network cannot see squares of the plan's side.
        PictureError: a picture is smaller than such a square, or unlike its reference.
    """
    path = folder / CHECKPOINT
    if path.exists() and not resume:
        raise InputError(f"{path} is of a run before; go on with --resume, or take another folder")
    if resume and not path.exists():
        raise InputError(f"{path} is missing; there is nothing to resume")
    recipe = find_recipe(plan.indicator)
    if recipe.is_fixed and plan.crop not in (0, recipe.crop):
        raise InputError(f"{plan.indicator} sees squares of {recipe.crop} pixels, not {plan.crop}")
    plan = replace(plan, crop=plan.crop or recipe.crop)
    run = _start(plan, split, None if resume else weights, device)
    check_sizes(split.train, has_reference=run.has_reference, crop=plan.crop)
    check_sizes(split.test, has_reference=run.has_reference)
    if resume:
        _restore(run, path)
    else:
        _calibrate(run, is_random=weights is None)
        run.history.append(Epoch(number=0, loss=None, srocc=_held_out_srocc(run)))
        on_epoch(run.history[-1])
        _keep(run, folder)
    for number in range(len(run.history), plan.epochs + 1):
        loss = _epoch(run, number, report)
        run.history.append(Epoch(number=number, loss=loss, srocc=_held_out_srocc(run)))
        on_epoch(run.history[-1])
        _keep(run, folder)
    _export(run, folder)
    return run.history


def _start(plan: Plan, split: Split, weights: Path | None, device: str) -> _Run:
    import torch

    torch.manual_seed(plan.seed)
    model = calibrated(plan.indicator, build_network(plan.indicator, weights, plan.backbone))
    model.to(device)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return _Run(
        plan=plan,
        split=split,
        device=device,
        has_reference=find_indicator(plan.indicator).DIMENSION is Dimension.FR,
        model=model,
        optimiser=torch.optim.Adam(trained, lr=plan.learning_rate),
        scaler=torch.amp.GradScaler(device, enabled=plan.mixed and device.startswith("cuda")),
        history=[],
    )


def _restore(run: _Run, path: Path) -> None:
    import torch

    held = torch.load(path, map_location=run.device, weights_only=True)
    if held["fingerprint"] != _fingerprint(run):
        raise InputError(
            f"{path} is of another plan or other pictures: {held['plan']}; resume with the same "
            "options (more --epochs are allowed)"
        )
    run.model.load_state_dict(held["model"])
    run.optimiser.load_state_dict(held["optimiser"])
    run.scaler.load_state_dict(held["scaler"])
    run.history.extend(Epoch(**epoch) for epoch in held["history"])


def _fingerprint(run: _Run) -> str:
    parts = (run.split.train, run.split.test)
    names = [[item.name, item.mos] for part in parts for item in part]
    text = json.dumps([to_plain(replace(run.plan, epochs=0)), names])
    return hashlib.sha256(text.encode()).hexdigest()


def _calibrate(run: _Run, *, is_random: bool) -> None:
    """Set the line behind the network to the regression of opinions on its first scores.

    A network that is trained whole from random weights starts from the opinions' mean: the slope
    on what it says is chance, and every step of the training is multiplied by it. Heads on a
    frozen trunk are a few small weights, which need the slope to reach the opinions' scale.
    """
    import numpy as np

    chosen = run.split.train[:: max(1, len(run.split.train) // 64)]
    scores = np.array(_scores(run, chosen))
    opinions = np.array([item.mos for item in chosen])
    slope = float(np.mean((scores - scores.mean()) * (opinions - opinions.mean())))
    spread = float(scores.std())
    # A line that falls would turn the indicator round; such a network starts from the mean too.
    is_whole = all(parameter.requires_grad for parameter in run.model.parameters())
    is_known = spread > 1e-8 and slope > 0 and not (is_random and is_whole)
    scale = slope / spread**2 if is_known else 1.0
    run.model.scale.data.fill_(scale)
    run.model.offset.data.fill_(float(opinions.mean() - scale * scores.mean()))


def _epoch(run: _Run, number: int, report: Reporter) -> float:
    """Return the mean squared error over the epoch."""
    import torch

    plan, kind = run.plan, run.device.partition(":")[0]
    half = torch.float16 if kind == "cuda" else torch.bfloat16
    torch.manual_seed(plan.seed * 100_003 + number)
    run.model.train()
    total = 0.0
    batches = epoch_batches(
        run.split.train,
        has_reference=run.has_reference,
        crop=plan.crop,
        batch_size=plan.batch_size,
        seed=plan.seed,
        epoch=number,
    )
    with report(f"epoch {number}", len(run.split.train)) as advance:
        for inputs, opinions in batches:
            run.optimiser.zero_grad()
            with torch.autocast(kind, dtype=half, enabled=plan.mixed):
                scores = run.model([tensor.to(run.device) for tensor in inputs])
            loss = torch.nn.functional.mse_loss(scores.float(), opinions.to(run.device))
            run.scaler.scale(loss).backward()
            run.scaler.step(run.optimiser)
            run.scaler.update()
            total += loss.item() * len(opinions)
            advance(len(opinions))
    return total / len(run.split.train)


def _scores(run: _Run, labelled: Sequence[Labelled]) -> list[float]:
    """Return the scores of whole pictures."""
    import torch

    run.model.eval()
    with torch.inference_mode():
        return [
            float(
                run.model([t.to(run.device) for t in whole(item, has_reference=run.has_reference)])
            )
            for item in labelled
        ]


def _held_out_srocc(run: _Run) -> float:
    from scipy import stats

    scores = _scores(run, run.split.test)
    if len(set(scores)) < 2:
        return 0.0
    return float(stats.spearmanr(scores, [item.mos for item in run.split.test]).statistic)


def _keep(run: _Run, folder: Path) -> None:
    import torch

    history, plan = to_plain(run.history), to_plain(run.plan)
    file = io.BytesIO()
    torch.save(
        {
            "model": run.model.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "scaler": run.scaler.state_dict(),
            "history": history,
            "fingerprint": _fingerprint(run),
            "plan": json.dumps(plan),
        },
        file,
    )
    write_whole(folder / CHECKPOINT, file.getvalue())
    parts = {"train": run.split.train, "test": run.split.test}
    record = {
        "plan": plan,
        "history": history,
        "split": {part: sorted(item.name for item in items) for part, items in parts.items()},
    }
    write_whole(folder / RECORD, json.dumps(record, indent=1).encode())


def _export(run: _Run, folder: Path) -> None:
    import torch

    file = io.BytesIO()
    torch.save(exported(run.plan.indicator, run.model), file)
    name = weights_name(run.plan.indicator, run.plan.backbone)
    write_whole(folder / name, file.getvalue())
    line = f"{hashlib.sha256(file.getvalue()).hexdigest()}  {name}\n"
    write_whole(folder / SUMS, line.encode())
