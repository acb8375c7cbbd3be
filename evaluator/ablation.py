"""One thing varied and the rest kept: a plan file, the runs that the cache lacks, a table."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.codecs import check_quality
from evaluator.image_arrays import ImageArrays, image_arrays, require_indicators
from evaluator.run import evaluate
from evaluator.set_scores import set_scores
from protocol.ablations import Ablation, AblationResult, Point, Repeated
from protocol.errors import InputError, StatisticsError
from protocol.jsonable import from_json
from protocol.prompts import find_prompt
from protocol.published import read_table
from protocol.records import Request, Result, System
from protocol.rules import Mode, Role
from protocol.statistics.bootstrap import Estimate, deviations, draw_resamples, estimates
from protocol.statistics.components import separate
from protocol.versions import VARIABLES, as_counted, find_protocol, variant_name

if TYPE_CHECKING:
    from protocol.statistics.bootstrap import Array

PLANS = Path(__file__).parent / "plans"


def plan_names() -> list[str]:
    """Return the names of the plans that come with the package."""
    return sorted(path.stem for path in PLANS.glob("*.json"))


def read_plan(name: str) -> Ablation:
    """Return a plan by its name, or from a file of one's own.

    Raises:
        InputError: there is none, or it varies nothing or something that cannot be varied.
        RecordError: the file is of another form.
    """
    path = PLANS / f"{name}.json"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        raise InputError(
            f"no plan {name!r}; there are {', '.join(plan_names())}, and files of your own"
        )
    plan = from_json(Ablation, path.read_bytes())
    if plan.vary not in (*VARIABLES, "prompt"):
        raise InputError(f"{path} varies {plan.vary!r}; wanted {', '.join(VARIABLES)} or prompt")
    if not (plan.values and plan.modes):
        raise InputError(
            f"{path} has no {'modes' if plan.values else 'values'}; wanted one at least"
        )
    if plan.codec and plan.vary != "vvc_qp":
        raise InputError(
            f"{path} varies {plan.vary!r}, at which no codec can be run by itself; leave `codec` "
            f"empty, which is {plan.codec!r}, or vary vvc_qp"
        )
    return plan


def run_ablation(plan: Ablation, request: Request, bench: Bench) -> AblationResult:
    """Run every value of a plan; what the cache holds is not run again.

    Args:
        plan: what is varied.
        request: the system; its modes are replaced by the plan's.
        bench: where to run.

    Raises:
        CMCError: as for `evaluate`.
    """
    if "?" in request.protocol:
        raise InputError(f"{request.protocol} is a variant already; start from a protocol itself")
    require_indicators(plan.indicators, plan.set_indicators, bench.weights)
    counted = dict.fromkeys(as_counted(plan.vary, value) for value in plan.values)
    plan = replace(plan, values=tuple(counted))
    base = replace(request, modes=plan.modes)
    # A value that cannot be meant costs no run of those before it.
    asked = {value: _requests(plan, base, value) for value in plan.values}
    points: list[Point] = []
    arrays: list[ImageArrays] = []
    for value, requests in asked.items():
        for system, changed in requests.items():
            evaluation = evaluate(changed, bench)
            found = image_arrays(evaluation, plan.indicators, bench)
            sets = set_scores(evaluation, plan.set_indicators, bench)
            points += _points(plan, system, value, result=evaluation.result, found=found, sets=sets)
            arrays.append(found)
    return AblationResult(
        plan=plan,
        system=request.label,
        partner=request.partner,
        protocol=request.protocol,
        dataset=request.dataset,
        images=len(arrays[0].names),
        points=tuple(points),
        repeated=_repeated(arrays) if plan.vary == "seed" else (),
    )


def _requests(plan: Ablation, request: Request, value: str) -> dict[str, Request]:
    """Return the system's request, and the codec's where the plan has one."""
    if plan.vary == "prompt":
        return {"system": replace(request, i2t=_with_prompt(request.i2t, value))}
    varied = replace(request, protocol=variant_name(request.protocol, {plan.vary: value}))
    find_protocol(varied.protocol)
    if plan.vary == "vvc_qp":
        check_quality("vvc", value)
    if not plan.codec:
        return {"system": varied}
    check_quality(plan.codec, value)
    codec = System(adapter=plan.codec, model=value, revision="", path="")
    alone = replace(request, role=Role.CODEC, i2t=None, t2i=None, codec=codec, modes=(Mode.IMAGE,))
    return {plan.codec: alone, "system": varied}


def _with_prompt(i2t: System | None, value: str) -> System:
    from evaluator.captioners import find_captioner

    if i2t is None or "prompt" not in find_captioner(i2t.adapter).SETTINGS:
        raise InputError(
            f"{i2t.label if i2t else 'no I2T model'} cannot be asked for a length; name one that "
            "takes a prompt, for example --i2t transformers:FOLDER"
        )
    return replace(i2t, settings={**i2t.settings, "prompt": find_prompt(value).name})


def _points(
    plan: Ablation,
    system: str,
    value: str,
    *,
    result: Result,
    found: ImageArrays,
    sets: Mapping[Mode, Mapping[str, float | None]],
) -> list[Point]:
    rates = {rate.mode: rate.bits_per_pixel for rate in result.rates if rate.content is None}
    return [
        Point(
            system=system,
            value=value,
            mode=mode,
            bits_per_pixel=rates[mode],
            means={name: _mean(values, found.strata) for name, values in by_name.items()},
            sets=sets.get(mode, {}),
            published=published_row(plan, system, value, mode),
        )
        for mode, by_name in found.scores.items()
    ]


def _mean(values: "Array", strata: Sequence[str]) -> Estimate | None:
    """Return a mean over pictures; a missing score is never left out of it."""
    import numpy as np

    if np.isnan(values).any():
        return None
    if len(values) < 2:
        only = float(values[0])
        return Estimate(value=only, standard_error=0.0, low=only, high=only)
    drawn = draw_resamples(strata)
    column = values[:, None]
    (found,) = estimates(column.mean(axis=0), deviations(column, drawn), drawn.degrees_of_freedom)
    return found


def published_row(plan: Ablation, system: str, value: str, mode: Mode) -> dict[str, float]:
    """Return the row of P table A1 for a QP, with distances turned as ours are.

    It has VVC by itself and full mode; nothing else that is varied has printed numbers.
    """
    label = {("vvc", Mode.IMAGE): "VVC", ("system", Mode.FULL): "CMC"}.get((system, mode))
    if plan.vary != "vvc_qp" or label is None:
        return {}
    turned = {"lpips": lambda x: 1 - x, "fid": lambda x: -x}
    for row in read_table("reference_quality"):
        if row["vvc_qp"] == value and row["image"] == label:
            return {
                name: turned.get(name, float)(float(text))
                for name, text in row.items()
                if name not in ("vvc_qp", "image")
            }
    return {}


def _repeated(arrays: Sequence[ImageArrays]) -> tuple[Repeated, ...]:
    import numpy as np

    first = arrays[0]
    found = []
    for mode, by_name in first.scores.items():
        for name in by_name:
            scores = np.stack([one.scores[mode][name] for one in arrays])
            # One seed, or too few pictures that all seeds scored, leave nothing to separate; the
            # means in the table stand without it.
            with suppress(StatisticsError):
                components = separate(scores, first.strata)
                found.append(Repeated(mode=mode, indicator=name, components=components))
    return tuple(found)
