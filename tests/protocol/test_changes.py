"""What changed between two boards, and why; results made by hand, ranks counted as on the page."""

from collections.abc import Sequence
from dataclasses import replace

from made_provenance import make_provenance

from protocol.boards import bench_of
from protocol.changes import Change, Kind, change_columns, change_lines, compare_boards
from protocol.manifest import Former, ManifestEntry, Milestone
from protocol.records import IndicatorUse, Request, Result, Score, System
from protocol.rules import Content, Dimension, Mode, Role, Track
from protocol.standings import Side
from protocol.states import Action, Status
from protocol.statistics.bootstrap import Estimate
from protocol.statistics.records import BoardStatistics, RowStatistics

INJECTED = "<img src=x onerror=window.hacked=1>"


def result(model: str, score: float, **more: object) -> Result:
    """Return a T2I model's result in full and image mode."""
    revision, protocol, weights, run = (
        str(more.get(key, default))
        for key, default in (("revision", "a"), ("protocol", "demo-0"), ("weights", ""), ("run", 0))
    )
    painter = System(adapter="diffusers", model=model, revision=revision * 40, path="")
    captions = System(adapter="file", model="captions.csv", revision="c" * 40, path="")
    modes = (Mode.FULL, Mode.IMAGE)
    return Result(
        schema_version=1,
        request=Request(
            role=Role.T2I,
            i2t=captions,
            t2i=painter,
            codec=None,
            modes=modes,
            protocol=protocol,
            dataset="demo",
            dataset_sha256="1" * 64,
            submitter="ada",
            submitted_at="2026-01-01T00:00:00.000Z",
        ),
        source="verified",
        images=9,
        scores=tuple(
            Score(mode=m, dimension=d, content=None, images=9, not_scored=0, mean=score)
            for m in modes
            for d in Dimension
        ),
        rates=(),
        costs=(),
        provenance=make_provenance(
            code_version="0.1.0",
            indicators=tuple(
                IndicatorUse(
                    dimension=d,
                    name=f"topiq_{d}",
                    implementation="",
                    weights_sha256=weights and weights * 64,
                    weights_origin=weights and "lcysyzxdxc/CMC-Bench",
                )
                for d in Dimension
            ),
        ),
        per_image_sha256=f"{run}" * 64,
    )


def entry(of: Result, *steps: Milestone, successor: str = "") -> ManifestEntry:
    return ManifestEntry.of(
        of.request,
        status=Status.FINISHED,
        successor=successor,
        milestones=steps,
    )


def step(action: Action, reason: str = "", actor: str = "ada", successor: str = "") -> Milestone:
    return Milestone(
        action=action,
        at="2026-10-02T10:00:00.000Z",
        actor=actor,
        reason=reason,
        successor=successor,
    )


def side(name: str, results: Sequence[Result], *intervals: tuple[float, float]) -> Side:
    rows = tuple(
        RowStatistics(
            request_id=one.request.request_id,
            model="",
            partner="",
            per_image_sha256="",
            cells={},
            not_scored={},
            overall=Estimate(value=0.0, low=low, high=high, standard_error=0.0),
            standing=None,
        )
        for one, (low, high) in zip(results, intervals, strict=False)
    )
    statistics = BoardStatistics(
        schema_version=1,
        track=Track.T2I_ULB,
        bench=bench_of(results[0]).label if results else "",
        content=None,
        images=9,
        images_per_content={},
        resamples=10,
        seed=0,
        level=0.95,
        rows=rows,
        comparisons=(),
        leads=(),
    )
    return Side(name=name, at="2026-10-01", results=results, statistics=(statistics,))


def changes(before: Side, after: Side, *manifest: ManifestEntry) -> list[Change]:
    """Return the changes of the first track over all contents."""
    found = compare_boards(before, after, manifest, [Track.T2I_ULB])
    return [change for table in found.tables if not table.content for change in table.changes]


def test_a_row_that_came_says_who_asked_and_the_others_that_only_they_moved() -> None:
    low, high, new = result("low", 0.3), result("high", 0.5), result("new", 0.4)
    formerly = Former(request_id="0123456789", model="older", why="superseded")
    brought = entry(new, step(Action.SUBMIT), step(Action.FINISH, "finished", "a worker"))
    came, moved = changes(
        side("v1", [low, high]),
        side("live", [low, high, new]),
        replace(brought, formerly=(formerly,)),
    )
    assert (came.kind, came.model, came.rank_before, came.rank_after) == (Kind.CAME, "new", None, 2)
    assert (came.by, came.at[:10]) == ("ada", "2026-10-02")
    assert came.why == "a new result; formerly older (superseded, 01234567)"
    assert (moved.model, moved.rank_before, moved.rank_after) == ("low", 2, 3)
    assert (moved.difference, moved.why.split("; ")[1]) == (0.0, "other rows came, left or moved")


def test_a_row_that_was_withdrawn_says_by_whom_and_why_and_shows_no_score() -> None:
    gone, stays = result("gone", 0.5), result("stays", 0.3)
    withdrawn = entry(gone, step(Action.FINISH), step(Action.WITHDRAW, INJECTED))
    left, _ = changes(side("v1", [gone, stays]), side("live", [stays]), withdrawn)
    assert (left.kind, left.rank_before, left.rank_after) == (Kind.LEFT, 1, None)
    assert (left.why, left.by) == (f"withdrawn: {INJECTED}", "ada")
    assert (left.overall_before, left.overall_after, left.interval_before) == (None, None, ())


def test_a_successor_stands_beside_the_row_whose_place_it_took() -> None:
    old, new = result("old/name", 0.3), result("new/name", 0.4)
    replaced = entry(
        old,
        step(Action.SUPERSEDE, "x", successor=new.request.request_id),
        successor=new.request.request_id,
    )
    (moved,) = changes(side("v1", [old]), side("live", [new]), replaced)
    assert moved.kind is Kind.MOVED
    assert (moved.overall_before, moved.overall_after) == (0.3, 0.4)
    assert moved.why.startswith("superseded: ")
    assert "formerly old/name" in moved.why


def test_a_row_whose_successor_has_not_run_says_which_it_is() -> None:
    old = result("old/name", 0.3)
    taken = step(Action.SUPERSEDE, "x", "bob", successor="0123456789")
    (left,) = changes(side("v1", [old]), side("live", []), entry(old, taken))
    assert (left.kind, left.why, left.by) == (Kind.LEFT, "superseded by 0123456789", "bob")


def test_a_row_that_stands_again_says_why() -> None:
    row = result("old/name", 0.3)
    steps = step(Action.FINISH), step(Action.SUPERSEDE), step(Action.RESTORE, "x was withdrawn")
    (came,) = changes(side("v1", []), side("live", [row]), entry(row, *steps))
    assert (came.kind, came.why, came.by) == (Kind.CAME, "stands again: x was withdrawn", "ada")
    # Nothing of that had happened to a board that was frozen when it was new.
    early = entry(row, replace(steps[0], at="2026-09-30"), *steps[1:])
    (came,) = changes(side("v1", []), side("v2", [row]), early)
    assert came.why == "a new result"


def test_another_commit_of_a_system_is_a_new_result_of_it() -> None:
    old, new = result("a/b", 0.3, revision="a"), result("a/b", 0.35, revision="b")
    withdrawn = entry(old, step(Action.WITHDRAW, "wrong file"))
    (moved,) = changes(side("v1", [old]), side("live", [new]), withdrawn)
    assert moved.why == (
        "a new result of the same system; the one before was withdrawn: wrong file; "
        "a/b: commit aaaaaaaa → bbbbbbbb"
    )
    back = entry(new, step(Action.FINISH), step(Action.SUPERSEDE), step(Action.RESTORE))
    (moved,) = changes(side("v1", [old]), side("live", [new]), withdrawn, back)
    assert moved.why.startswith("an earlier result of the same system; the one before was")


def test_the_same_request_that_ran_again_names_what_was_not_the_same() -> None:
    old, new = result("a/b", 0.3, weights="2"), result("a/b", 0.31, weights="3", run=1)
    (moved,) = changes(side("v1", [old]), side("live", [new]))
    assert moved.why == (
        "run again; weights of topiq_fr 22222222 → 33333333; "
        "weights of topiq_nr 22222222 → 33333333"
    )
    assert round(moved.difference or 0, 9) == 0.01


def test_a_run_by_another_version_of_the_code_says_so_and_another_mean_of_the_same_scores() -> None:
    old = result("a/b", 0.3)
    newer = replace(old.provenance, code_version="0.2.0")
    again = replace(result("a/b", 0.31, run=1), provenance=newer)
    (moved,) = changes(side("v1", [old]), side("live", [again]))
    assert moved.why == "run again; code 0.1.0 → 0.2.0"
    (moved,) = changes(side("v1", [old]), side("live", [result("a/b", 0.31)]))
    assert moved.why == "its Overall was computed anew from the same scores"


def test_an_interval_that_was_made_anew_is_a_change_and_the_same_one_is_none() -> None:
    row = result("a/b", 0.3)
    before, after = side("v1", [row], (0.2, 0.4)), side("live", [row], (0.25, 0.35))
    (moved,) = changes(before, after)
    assert moved.why == "its interval was computed anew"
    assert (moved.interval_before, moved.interval_after) == ((0.2, 0.4), (0.25, 0.35))
    assert changes(before, side("live", [row], (0.2, 0.4))) == []
    # The interval of another content's board is none of this one's.
    screens = replace(after.statistics[0], content=Content.SCI)
    with_screens = replace(before, name="live", statistics=(*before.statistics, screens))
    assert changes(before, with_screens) == []
    (lost,) = changes(before, side("live", [row]))
    assert lost.why == "no interval is stored for the rows as they are now"


def test_two_benches_of_one_board_are_compared_by_system() -> None:
    rows = [result("a/b", 0.3), result("a/b", 0.4, protocol="demo-1"), result("c/d", 0.2)]
    board = side("live", rows)
    first, second = compare_boards(board, board, (), [Track.T2I_ULB]).tables
    assert (first.bench_before, first.bench_after) == (second.bench_after, second.bench_before)
    to_newer = first if first.bench_after.startswith("demo-1") else second
    told = {change.model: change for change in to_newer.changes}
    assert told["a/b"].why == "protocol demo-0 → demo-1"
    assert (told["c/d"].kind, told["c/d"].why) == (Kind.LEFT, "was not run on the other bench")
    assert compare_boards(side("live", rows[:1]), side("live", rows[:1]), ()).tables == ()


def test_benches_of_other_pictures_and_other_indicators_say_which() -> None:
    here = result("a/b", 0.3)
    there = replace(result("a/b", 0.4, weights="2"), request=replace(here.request, dataset="other"))
    board = side("live", [here, there])
    told = {
        table.bench_before: table.changes[0].why
        for table in compare_boards(board, board, (), [Track.T2I_ULB]).tables
    }
    assert told[bench_of(here).label] == (
        "images demo (11111111) → other (11111111); "
        "indicators topiq_fr, topiq_nr → topiq_fr, topiq_nr (released weights); "
        "weights of topiq_fr none → 22222222; weights of topiq_nr none → 22222222"
    )


def test_of_two_commits_of_a_system_each_is_compared_with_itself() -> None:
    old = [result("a/b", 0.3, revision="a"), result("a/b", 0.35, revision="b")]
    board = side("live", [*old, result("a/b", 0.4, revision="b", protocol="demo-1")])
    tables = compare_boards(board, board, (), [Track.T2I_ULB]).tables
    (newer,) = (table for table in tables if table.bench_after.startswith("demo-1"))
    told = [(change.kind, change.overall_before, change.overall_after) for change in newer.changes]
    assert told == [(Kind.LEFT, None, None), (Kind.MOVED, 0.35, 0.4)]


def test_what_took_a_row_away_is_told_of_boards_before_it() -> None:
    row = result("a/b", 0.3)
    gone = entry(row, step(Action.FINISH), step(Action.WITHDRAW, "wrong file"))
    away = replace(gone, status=Status.WITHDRAWN)
    for at in ("2026-10-01", "2026-10-03"):
        assert away.removed_since(at) == gone.last(Action.WITHDRAW)
    # It came back: the board of the day before has lost it, that of the day after has it.
    assert gone.removed_since("2026-10-02T10:00:00.000Z") == gone.last(Action.WITHDRAW)
    assert gone.removed_since("2026-10-03") is None
    restored = entry(row, step(Action.FINISH), step(Action.SUPERSEDE), step(Action.RESTORE))
    assert restored.removed_since("2026-10-01") is None
    # The run that the board had was withdrawn before another of the row was restored.
    both = replace(gone, milestones=(*gone.milestones, *restored.milestones))
    assert both.removed_since("2026-10-01") == gone.last(Action.WITHDRAW)
    assert entry(row, step(Action.FINISH)).removed_since("2026-10-01") is None


def test_equal_systems_that_cannot_be_told_apart_are_not_matched() -> None:
    old = [result("a/b", 0.3, revision=r) for r in "ab"]
    new = [result("a/b", 0.3, revision=r) for r in "cd"]
    kinds = [change.kind for change in changes(side("v1", old), side("live", new))]
    assert kinds == [Kind.CAME] * 2 + [Kind.LEFT] * 2


def test_lines_are_flat_and_all_have_the_same_keys() -> None:
    rows = [result("a/b", 0.3), result("c/d", 0.2)]
    found = compare_boards(side("v1", rows, (0.1, 0.2)), side("live", rows[:1]), ())
    lines = change_lines(found)
    assert {tuple(line) for line in lines} == {change_columns()}
    assert all(not isinstance(value, tuple | list) for line in lines for value in line.values())
