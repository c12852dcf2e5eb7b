"""Which server runs what, as plain state: blocks, windows, turns, what a server can run, and where work goes again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.experiments._schedule import Line, Place, Scheduler, Start, Work


def scheduler(*names: str, window: int = 2) -> Scheduler:
    made = Scheduler()
    made.places = {name: Place(name, window=window) for name in names}
    return made


def works(line: Line, count: int, **details: object) -> list[Work]:
    return [Work(line, payload=number, **details) for number in range(count)]  # type: ignore[arg-type]


def starts(made: Scheduler) -> list[Start]:
    found = []
    while (start := made.next()) is not None:
        found.append(start)
    return found


def told(found: list[Start]) -> list[tuple[str, object]]:
    return [(start.server, start.work.payload) for start in found]


def test_a_sweep_is_cut_into_contiguous_blocks_and_two_are_on_each_server() -> None:
    made = scheduler("a", "b", "c")
    line = Line(sweep=True)
    made.put(line, works(line, 30))
    assert sorted(told(starts(made))) == [("a", 0), ("a", 1), ("b", 10), ("b", 11), ("c", 20), ("c", 21)]


def test_who_is_done_early_takes_the_far_half_of_the_longest_block() -> None:
    made = scheduler("a", "b", window=1)
    line = Line(sweep=True)
    made.put(line, works(line, 20))
    order: list[object] = []
    while (start := made.next()) is not None:
        if start.server == "b":
            order.append(start.work.payload)
            made.leave(start.work)
    # Its own block, then half of what "a" has left: 1 to 9.
    assert order == [*range(10, 20), *range(5, 10), 3, 4, 2, 1]


def test_a_server_that_is_added_helps_at_once() -> None:
    made = scheduler("a")
    line = Line(sweep=True)
    made.put(line, works(line, 10))
    starts(made)
    made.places["b"] = Place("b")
    assert told(starts(made)) == [("b", 6), ("b", 7)]


def test_work_goes_only_where_it_can_run() -> None:
    made = scheduler("a", "b")
    made.places["a"].lacks = frozenset({("Loader", "name", "big")})
    made.places["b"].lacks = frozenset({("Upscale",)})
    line = Line(sweep=True)
    big = works(line, 6, needs=frozenset({("Loader", "name", "big")}))
    upscaled = works(line, 2, needs=frozenset({("Upscale",)}))
    made.put(line, [*big, *upscaled])
    ran: dict[str, list[Work]] = {"a": [], "b": []}
    while (start := made.next()) is not None:
        ran[start.server].append(start.work)
        made.leave(start.work)
    assert set(ran["a"]) == set(upscaled) and set(ran["b"]) == set(big)


def test_all_have_as_much_to_do_although_some_can_do_less() -> None:
    made = scheduler("a", "b")
    made.places["a"].lacks = frozenset({("New",)})
    line = Line(sweep=True)
    made.put(line, [*works(line, 6, needs=frozenset({("New",)})), *works(line, 14)])
    assert {name: len(block) for name, block in line.blocks.items()} == {"a": 10, "b": 10}


def test_what_no_server_can_run_any_more_is_handed_back() -> None:
    made = scheduler("a", "b")
    line = Line()
    (work,) = works(line, 1, model="xl", size=4.0)
    made.put(line, [work])
    for _ in range(2):
        (start,) = starts(made)
        made.bar(start.work)
        made.again(start.work, lost=False)
    assert starts(made) == [] and made.stranded() == [work] and made.stranded() == []


def test_out_of_memory_bars_that_model_and_size_from_that_server() -> None:
    made = scheduler("a", "b")
    line = Line()
    large, larger, small, other = (
        Work(line, model=model, size=size) for model, size in (("xl", 4.0), ("xl", 9.0), ("xl", 1.0), ("sd", 9.0))
    )
    made.put(line, [large])
    (start,) = starts(made)
    made.bar(start.work)
    barred = made.places[start.server]
    assert [barred.able(work) for work in (large, larger, small, other)] == [False, False, True, True]
    made.again(large, lost=False)
    (again,) = starts(made)
    assert again.server != start.server


def test_a_model_that_is_loaded_is_used() -> None:
    made = scheduler("a", "b")
    line = Line()
    for server, model in (("a", "one"), ("b", "two")):
        made.places[server].model = model
    made.put(line, [Work(line, model="two"), Work(line, model="one")])
    assert [start.server for start in starts(made)] == ["b", "a"]


def test_blocks_begin_where_their_model_is_loaded() -> None:
    made = scheduler("a", "b")
    made.places["a"].model = "two"
    line = Line(sweep=True)
    made.put(line, [*works(line, 5, model="one"), *works(line, 5, model="two")])
    assert {name: {work.model for work in block} for name, block in line.blocks.items()} == {"a": {"two"}, "b": {"one"}}


def test_servers_where_strangers_wait_come_last_and_get_one() -> None:
    made = scheduler("a", "b")
    made.places["a"].strangers = 3
    line = Line()
    made.put(line, works(line, 9))
    assert [start.server for start in starts(made)] == ["b", "b", "a"]


def test_lines_take_turns_however_much_each_has() -> None:
    made = scheduler("a", window=1)
    lines = [Line(str(number)) for number in range(3)]
    for line, count in zip(lines, (9, 3, 1), strict=True):
        made.put(line, works(line, count))
    served = []
    while (start := made.next()) is not None:
        served.append(start.work.line.name)
        made.leave(start.work)
    assert "".join(served) == "0120101000000"


def test_a_single_run_goes_before_the_cell_that_waits_but_not_twice() -> None:
    made = scheduler("a")
    line = Line(sweep=True)
    made.put(line, works(line, 10))
    first, waiting = starts(made)
    first.work.running = True
    person, other = Line("ana"), Line("ben")
    made.put(person, works(person, 1))
    (jump,) = starts(made)
    assert jump.front and jump.work.line is person and waiting.work.overtaken
    made.put(other, works(other, 1))
    assert starts(made) == []
    made.leave(first.work)
    assert starts(made) == [], "one runs and one waits"
    made.leave(jump.work)
    assert [start.work.line for start in starts(made)] == [other]


@pytest.mark.parametrize("change", ["strangers", "drained", "down"])
def test_nothing_is_overtaken_where_that_is_unfair_or_in_vain(change: str) -> None:
    made = scheduler("a")
    line = Line(sweep=True)
    made.put(line, works(line, 10))
    starts(made)[0].work.running = True
    place = made.places["a"]
    place.strangers, place.drained, place.up = int(change == "strangers"), change == "drained", change != "down"
    person = Line()
    made.put(person, works(person, 1))
    assert starts(made) == []


def test_what_a_server_lost_goes_to_another_one_first() -> None:
    made = scheduler("a", "b", window=1)
    line = Line(sweep=True)
    made.put(line, works(line, 6))
    lost = next(start.work for start in starts(made) if start.server == "a")
    assert made.set_up("a", False) == [lost]
    made.again(lost, lost=True)
    made.set_up("a", True)
    made.leave(made.places["b"].out[0])
    assert (lost.tries, lost.server) == (1, "")
    assert made.next() == Start(lost, "b")


def test_nothing_new_of_a_paused_line_but_what_was_begun() -> None:
    made = scheduler("a")
    line = Line(sweep=True)
    made.put(line, works(line, 4))
    begun = starts(made)[0].work
    line.paused = True
    made.again(begun, lost=True)
    assert told(starts(made)) == [("a", 0)]


def test_what_is_removed_leaves_its_block_to_the_others() -> None:
    made = scheduler("a", "b")
    line = Line(sweep=True)
    made.put(line, works(line, 8))
    assert made.remove("a") == []
    ran = []
    while (start := made.next()) is not None:
        ran.append(start.work.payload)
        made.leave(start.work)
    assert sorted(ran) == list(range(8))  # type: ignore[type-var]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_each_piece_of_work_ends_once_whatever_happens(data: st.DataObject) -> None:
    draw = data.draw
    names = "abcd"[: draw(st.integers(1, 4))]
    made = scheduler(*names)
    needs = frozenset({("New",)})
    for name in names[1:]:
        made.places[name].lacks = draw(st.sampled_from([frozenset(), needs]))
    lines = [Line(str(at), sweep=draw(st.booleans())) for at in range(3)]
    everything: list[Work] = []
    for line in lines:
        some = [Work(line, draw(st.sampled_from([frozenset(), needs]))) for _ in range(draw(st.integers(0, 12)))]
        made.put(line, some)
        everything += some
    ended: Counter[Work] = Counter()
    for _ in range(400):
        if len(ended) == len(everything):
            break
        for start in starts(made):
            assert made.places[start.server].able(start.work) and made.places[start.server].takes
        assert all(len(place.out) <= place.window + 1 for place in made.places.values())
        server = draw(st.sampled_from(names))
        what = draw(st.sampled_from(["end", "end", "end", "down", "up", "drain"]))
        place = made.places[server]
        if what == "end" and place.out:
            work = place.out[0]
            made.leave(work)
            ended[work] += 1
        elif what == "down":
            for work in made.set_up(server, False):
                made.again(work, lost=True)
        elif what == "up":
            made.set_up(server, True)
        elif what == "drain":
            place.drained = not place.drained
    for place in made.places.values():
        place.up, place.drained = True, False
    while True:
        starts(made)
        out = [work for place in made.places.values() for work in place.out]
        if not out:
            break
        made.leave(out[0])
        ended[out[0]] += 1
    assert sorted(ended.values()) == [1] * len(everything)
