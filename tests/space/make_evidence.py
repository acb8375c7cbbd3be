"""Evidence as the commands leave it beside a store: computed by the same functions, from noise."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from make_results import make_score

from protocol.ablations import Ablation, AblationResult, Point
from protocol.boards import bench_of
from protocol.controls import ControlFlag, Controls
from protocol.correlations import AgreementRow, Correlation, Correlations, Interval
from protocol.evidence import Evidence
from protocol.flags import disagreements
from protocol.mos import opinions
from protocol.ratings import COLUMNS, Rated, parse_ratings
from protocol.records import Result
from protocol.rules import Content, Dimension, Mode, Track
from protocol.secondary import RowScores, SecondaryScores
from protocol.statistics.additive import fit_additive
from protocol.statistics.bootstrap import deviations, draw_resamples, estimates
from protocol.statistics.files import made_from
from protocol.statistics.records import PairEffects
from protocol.studies import Study, describe_study

IMAGES = 30
STRATA = ["NSI", "SCI", "AIGI"] * (IMAGES // 3)


def make_evidence(results: Sequence[Result], name: str = "tiny-sd-random-weights") -> Evidence:
    """Return one piece of each kind; `name` is a system's in each."""
    return Evidence(
        effects=(make_effects(results, name),),
        ablations=tuple(make_ablation(vary, name) for vary in ("strength", "vvc_qp")),
        controls=(make_controls(results[0], name),),
        studies=(make_study(name),),
        correlations=(make_correlations(name),),
    )


def make_effects(results: Sequence[Result], name: str) -> PairEffects:
    """Return effects of two encoders and two decoders."""
    rng = np.random.default_rng(0)
    pairs = {
        (encoder, decoder): rng.normal(level, 0.1, IMAGES)
        for encoder, level in (("gpt4v.csv", 0.5), (name, 0.4))
        for decoder in ("RealVis", "echo")
    }
    bench = bench_of(results[0]).label
    of_bench = [r for r in results if bench_of(r).label == bench and r.request.i2t]
    return PairEffects(
        schema_version=1,
        track=Track.T2I_ULB,
        bench=bench,
        made_from=made_from(of_bench),
        result=fit_additive(pairs, STRATA, resamples=200),
    )


def make_ablation(vary: str, name: str) -> AblationResult:
    """Return three values in full mode."""
    rng = np.random.default_rng(1)
    drawn = draw_resamples(STRATA, 200, 0)
    points = []
    for value in ("0.2", "0.5", "0.8"):
        scores = rng.normal(float(value), 0.2, (IMAGES, 1))
        (mean,) = estimates(
            scores.mean(axis=0), deviations(scores, drawn), drawn.degrees_of_freedom
        )
        points.append(
            Point(
                system="system",
                value=value,
                mode=Mode.FULL,
                bits_per_pixel=0.03,
                means={"lpips": mean, "ssim": None},
                sets={"fid": -12.0},
                published={"lpips": 0.4},
            )
        )
    return AblationResult(
        plan=Ablation(
            name=f"of-{vary}",
            title=f"Varied {vary}",
            source="",
            vary=vary,
            values=("0.2", "0.5", "0.8"),
            modes=(Mode.FULL,),
            indicators=("lpips", "ssim"),
            set_indicators=("fid",),
            codec="",
            notes="",
        ),
        system=name,
        partner="gpt4v.csv",
        protocol="demo-0",
        dataset="demo",
        images=IMAGES,
        points=tuple(points),
        repeated=(),
    )


def make_controls(result: Result, name: str) -> Controls:
    """Return controls that one indicator disputes."""
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.02, IMAGES)
    system = {"ms_ssim": 0.6 + noise, "ssim": 0.4 + noise}
    control = {"ms_ssim": 0.5 + 0 * noise, "ssim": 0.5 + 0 * noise}
    (found,) = disagreements(system, control, STRATA, "ms_ssim", resamples=200)
    return Controls(
        request_id=result.request.request_id,
        system=name,
        partner="gpt4v.csv",
        protocol="demo-0",
        images=IMAGES,
        scores=(),
        flags=(ControlFlag(control="blur", mode=Mode.FULL, disagreement=found),),
        own_family=("AIGI_SDXL_000.png", "AIGI_SDXL_001.png"),
    )


def make_study(name: str) -> Study:
    """Return six viewers, one of whom clicks at random, and pictures of two systems."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.5, 4.5, 40)
    rows: list[dict[str, str | None]] = []
    for viewer in range(6):
        given = rng.uniform(0, 5, 40) if viewer == 5 else truth + rng.normal(0, 0.2, 40)
        for image, rating in enumerate(np.clip(given, 0, 5)):
            time = f"2026-01-01T00:{image:02d}:00Z"
            values = (
                f"v{viewer}",
                f"{'ab'[image % 2]}/{image}.png",
                "consistency",
                f"{rating:.2f}",
                time,
                "g0",
            )
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    parsed = parse_ratings(rows)
    return describe_study(name, parsed, [opinions(parsed, Rated.CONSISTENCY)])


def make_correlations(name: str) -> Correlations:
    """Return one indicator's line."""
    interval = Interval(value=0.8, low=0.7, high=0.9)
    return Correlations(
        opinions=name,
        rows=(
            AgreementRow(
                indicator="lpips",
                dimension=Dimension.FR,
                measured=Correlation(pictures=40, srocc=interval, krocc=interval, plcc=interval),
                weights_sha256="",
                published_srocc=0.583,
                published_krocc=0.406,
            ),
        ),
    )


def scored_by(result: Result, name: str, contents: tuple[Content | None, ...]) -> SecondaryScores:
    """Return one row's means in all modes but image, of which a picture could not be scored."""
    scores = tuple(
        make_score(mode, content, Dimension.FR, 0.4, scored=mode is not Mode.IMAGE)
        for mode in result.request.modes
        for content in contents
    )
    return SecondaryScores(
        protocol=result.request.protocol,
        dataset_sha256=result.request.dataset_sha256,
        indicator=replace(result.provenance.indicators[0], name=name),
        rows=(
            RowScores(
                request_id=result.request.request_id,
                per_image_sha256=result.per_image_sha256,
                scores=scores,
            ),
        ),
    )
