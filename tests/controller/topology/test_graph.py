"""The graph: distances, paths and trees, whatever the switches and links are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.topology import Graph, Link, SwitchEnd

Cable = tuple[int, int]


def link(a: int, b: int, port_a: int = 0, port_b: int = 0) -> Link:
    """Return a link from `a` to `b`; ports are called by the switch at the other end."""
    return Link(SwitchEnd(a, port_a or b), SwitchEnd(b, port_b or a))


def graph_of(*cables: Cable) -> Graph:
    """Return a graph with these cables, both ways."""
    graph = Graph()
    for a, b in cables:
        graph.add(link(a, b))
        graph.add(link(b, a))
    return graph


def switches_of(path: tuple[Link, ...] | None) -> list[int] | None:
    """Return the switches that a path visits behind the first one."""
    return None if path is None else [one.dst.datapath_id for one in path]


cables = st.lists(
    st.tuples(st.integers(1, 8), st.integers(1, 8)).filter(lambda c: c[0] < c[1]),
    unique=True,
    max_size=16,
)


def distances(known: list[Cable], source: int) -> dict[int, int]:
    """Work out how far all switches are, by trying all cables again and again."""
    found = {source: 0}
    for _ in range(9):
        for a, b in [*known, *((b, a) for a, b in known)]:
            if a in found and found[a] + 1 < found.get(b, 99):
                found[b] = found[a] + 1
    return found


def test_a_path_leads_over_the_fewest_links() -> None:
    graph = graph_of((1, 2), (2, 3), (3, 4), (1, 4))
    assert switches_of(graph.path(1, 3)) in ([2, 3], [4, 3])
    assert switches_of(graph.path(1, 4)) == [4]


def test_a_switch_reaches_itself_over_no_link() -> None:
    assert graph_of((1, 2)).path(1, 1) == ()


def test_there_is_no_path_to_what_is_not_connected() -> None:
    graph = graph_of((1, 2), (3, 4))
    assert graph.path(1, 3) is None
    assert graph.next_links(1, 9) == []


def test_a_link_known_one_way_carries_nothing() -> None:
    graph = Graph()
    assert graph.add(link(1, 2))
    assert graph.path(1, 2) is None
    graph.add(link(2, 1))
    assert switches_of(graph.path(1, 2)) == [2]
    graph.remove(link(2, 1))
    assert graph.path(1, 2) is None
    assert link(1, 2).src in graph.links


def test_a_link_takes_the_place_of_the_one_that_began_there() -> None:
    graph = graph_of((1, 2))
    moved = link(1, 3, port_a=2, port_b=1)
    assert graph.add(moved)
    assert graph.links[moved.src] == moved
    assert graph.path(1, 2) is None


def test_what_is_known_already_is_no_news() -> None:
    graph = graph_of((1, 2))
    graph.notes(2)[1] = "as before"
    assert not graph.add(link(1, 2))
    assert not graph.remove(link(1, 3))
    assert graph.notes(2) == {1: "as before"}


def test_a_switch_that_goes_takes_its_links_along() -> None:
    graph = graph_of((1, 2), (2, 3))
    assert set(graph.remove_switch(2)) == {link(1, 2), link(2, 1), link(2, 3), link(3, 2)}
    assert (graph.switches, dict(graph.links)) == ([1, 3], {})
    assert graph.remove_switch(2) == []


def test_links_that_end_at_a_port_are_found() -> None:
    graph = graph_of((1, 2))
    behind_a_hub = link(3, 2, port_b=1)
    graph.add(behind_a_hub)
    assert set(graph.into(SwitchEnd(2, 1))) == {link(1, 2), behind_a_hub}


def test_all_shortest_ways_are_offered() -> None:
    graph = graph_of((1, 2), (1, 3), (2, 4), (3, 4), (1, 5), (5, 6), (6, 4))
    assert [one.dst.datapath_id for one in graph.next_links(1, 4)] == [2, 3]


def test_paths_come_the_shortest_first_and_visit_no_switch_twice() -> None:
    graph = graph_of((1, 2), (2, 4), (1, 3), (3, 4), (1, 5), (5, 6), (6, 4))
    found = list(graph.paths(1, 4, 9))
    assert [len(path) for path in found] == [2, 2, 3]
    assert len(set(found)) == 3


def test_no_more_paths_come_than_were_asked_for() -> None:
    graph = graph_of((1, 2), (2, 4), (1, 3), (3, 4))
    assert len(list(graph.paths(1, 4, 1))) == 1


def all_paths(known: list[Cable], here: int, target: int, seen: frozenset[int]) -> list[int]:
    """Return the lengths of all paths without circles, by walking each."""
    if here == target:
        return [0]
    near = {b for a, b in known if a == here} | {a for a, b in known if b == here}
    return [
        1 + rest
        for there in near - seen
        for rest in all_paths(known, there, target, seen | {there})
    ]


@given(cables)
def test_each_next_link_leads_nearer(known: list[Cable]) -> None:
    graph = graph_of(*known)
    for target in range(1, 9):
        far = distances(known, target)
        for source in range(1, 9):
            nearer = {one.dst.datapath_id for one in graph.next_links(source, target)}
            near = {b for a, b in known if a == source} | {a for a, b in known if b == source}
            assert nearer == {one for one in near if far.get(one, 99) < far.get(source, 0)}


@given(cables)
def test_all_paths_without_circles_are_found(known: list[Cable]) -> None:
    graph = graph_of(*known)
    wanted = sorted(all_paths(known, 1, 8, frozenset({1})))[:12]
    found = list(graph.paths(1, 8, 12))
    assert [len(path) for path in found] == wanted
    for path in found:
        assert all(a.dst.datapath_id == b.src.datapath_id for a, b in pairwise(path))
        visited = [1, *(one.dst.datapath_id for one in path)]
        assert len(set(visited)) == len(visited)


@given(cables)
def test_the_tree_joins_whatever_is_connected_and_has_no_circle(known: list[Cable]) -> None:
    graph = graph_of(*known)
    tree = graph.tree()
    chosen = [(a, b) for a, b in known if SwitchEnd(a, b) in tree]
    assert all(SwitchEnd(b, a) in tree for a, b in chosen)
    assert len(tree) == 2 * len(chosen)
    for source in graph.switches:
        assert distances(chosen, source).keys() == distances(known, source).keys()
    parts = {frozenset(distances(known, source)) for source in graph.switches}
    assert len(chosen) == len(graph.switches) - len(parts)


@pytest.mark.parametrize("first", [1, 2])
def test_a_change_is_seen_by_paths_and_tree(first: int) -> None:
    graph = graph_of((1, 2), (2, 3), (1, 3))
    assert len(graph.tree()) == 4
    assert switches_of(graph.path(first, 3)) == [3]
    graph.remove(link(first, 3))
    assert switches_of(graph.path(first, 3)) == [3 - first, 3]
    assert SwitchEnd(first, 3) not in graph.tree()


changes = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "add back", "remove back", "switch goes", "ask"]),
        st.tuples(st.integers(1, 6), st.integers(1, 6)).filter(lambda c: c[0] < c[1]),
    ),
    max_size=40,
)


@given(cables, changes)
def test_ways_are_right_whatever_changed_and_notes_are_of_what_is_so(
    known: list[Cable], steps: list[tuple[str, Cable]]
) -> None:
    """What is kept from one question to the next is what a new graph would answer."""
    graph = graph_of(*known)
    for step, (a, b) in steps:
        match step:
            case "add":
                graph.add(link(a, b))
            case "add back":
                graph.add(link(b, a))
            case "remove":
                graph.remove(link(a, b))
            case "remove back":
                graph.remove(link(b, a))
            case "switch goes":
                graph.remove_switch(a)
        fresh = Graph()
        for one in graph.links.values():
            fresh.add(one)
        # Of some targets only, so that others are asked about after several changes.
        for target in range(1, 9) if step == "ask" else [a]:
            notes = graph.notes(target)
            for source in range(1, 9):
                found = graph.next_links(source, target)
                assert found == fresh.next_links(source, target)
                assert notes.setdefault(source, found) == found


def test_what_is_noted_of_a_switch_stays_until_its_ways_change_or_it_is_forgotten() -> None:
    graph = graph_of((1, 2), (2, 3), (3, 4))
    graph.notes(4).update({1: "by 2", 2: "by 3"})
    graph.add(link(5, 1))
    assert graph.notes(4) == {1: "by 2", 2: "by 3"}
    graph.forget_notes(2)
    assert graph.notes(4) == {1: "by 2"}
    graph.remove(link(1, 2))
    assert graph.notes(4) == {}


def test_a_direction_that_carried_nothing_takes_no_other_link_along() -> None:
    """A hub joins three ports, so that probes of two of them come in at the third."""
    graph = graph_of((1, 2))
    astray = link(3, 2, port_b=1)  # it ends where the link from 1 does
    graph.add(astray)
    graph.remove(astray)
    assert switches_of(graph.path(1, 2)) == [2]
    assert switches_of(graph.path(2, 1)) == [1]
