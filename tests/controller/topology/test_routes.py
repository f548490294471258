"""Routes: entries that lead to the target from wherever a frame may come, and their index."""

from __future__ import annotations

import pytest

from controller.topology import Graph, Link, SwitchEnd
from controller.topology.routes import Entries, Pair, RouteTable, Step, entries
from protocol import MacAddress, Output

AB = Pair(MacAddress(0xA), MacAddress(0xB))
BA = Pair(MacAddress(0xB), MacAddress(0xA))


def end(datapath_id: int, port_no: int) -> SwitchEnd:
    """Return a port."""
    return SwitchEnd(datapath_id, port_no)


def square() -> Graph:
    """Return four switches in a circle; ports are called by the switch at the other end."""
    graph = Graph()
    for a, b in [(1, 2), (2, 3), (3, 4), (4, 1)]:
        for one, other in ((a, b), (b, a)):
            graph.add(Link(end(one, other), end(other, one)))
    return graph


def led(source: SwitchEnd, target: SwitchEnd, most: int) -> Entries | None:
    """Return entries in the square; each switch takes up to so many ports that lead nearer.

    An action says, in the place of a port, how many there were, if it takes several.
    """
    graph = square()

    def find(switch: int) -> Step | None:
        links = graph.next_links(switch, target.datapath_id)
        ports = [link.src.port_no for link in links[:most]]
        ends = [link.dst for link in links[:most]]
        said = ports[0] if len(ports) == 1 else 100 + len(ports)
        return (Output(said), ends) if links else None

    return entries(source, target, {}, find)


def test_a_frame_is_led_along_one_path() -> None:
    assert led(end(1, 9), end(3, 9), 1) == {
        end(1, 9): Output(2),
        end(2, 1): Output(3),
        end(3, 2): Output(9),
    }


def test_a_frame_may_come_along_each_path_that_it_may_take() -> None:
    found = led(end(1, 9), end(3, 9), 2)
    assert found is not None
    assert found[end(1, 9)] == Output(102)
    assert found.keys() == {end(1, 9), end(2, 1), end(4, 1), end(3, 2), end(3, 4)}


def test_hosts_of_one_switch_need_one_entry_and_those_of_one_port_none() -> None:
    assert led(end(1, 8), end(1, 9), 1) == {end(1, 8): Output(9)}
    assert led(end(1, 9), end(1, 9), 1) == {}


def test_nothing_leads_to_where_no_link_does() -> None:
    assert led(end(1, 9), end(7, 9), 1) is None


def test_what_is_known_of_a_switch_is_not_asked_for_again() -> None:
    known = {
        1: (Output(4), [end(4, 1)]),
        4: (Output(3), [end(3, 4)]),
    }
    found = entries(end(1, 9), end(3, 9), known, lambda switch: pytest.fail(f"{switch} is known"))
    assert found == {end(1, 9): Output(4), end(4, 1): Output(3), end(3, 4): Output(9)}


@pytest.fixture
def table() -> RouteTable:
    """Return a table with the routes of two hosts that speak with one another."""
    table = RouteTable(most=2)
    table.put(AB, {end(1, 9): Output(2), end(2, 1): Output(9)})
    table.put(BA, {end(2, 9): Output(1), end(1, 2): Output(9)})
    return table


def test_routes_are_found_by_switch_link_and_host(table: RouteTable) -> None:
    assert table.through(1) == table.through(2) == [AB, BA]
    assert table.over(Link(end(1, 2), end(2, 1))) == [AB]
    assert table.of_host(AB.source) == [AB, BA]
    assert table.through(3) == table.of_host(MacAddress(7)) == []


def test_a_route_takes_the_place_of_the_one_before(table: RouteTable) -> None:
    anew: Entries = {end(1, 9): Output(9)}
    table.put(AB, anew)
    assert (table.get(AB), table.through(2)) == (anew, [BA])


def test_of_a_new_route_the_entries_are_told_that_are_others(table: RouteTable) -> None:
    anew: Entries = {end(1, 9): Output(3), end(2, 1): Output(9), end(2, 3): Output(9)}
    assert table.put(AB, anew) == {end(1, 9): Output(3), end(2, 3): Output(9)}
    assert table.put(AB, dict(anew)) == {}
    assert table.over(Link(end(3, 2), end(2, 3))) == [AB]


def test_a_route_that_is_taken_out_leaves_nothing(table: RouteTable) -> None:
    assert table.pop(AB).keys() == {end(1, 9), end(2, 1)}
    assert AB not in table
    assert table.of_host(AB.source) == table.through(1) == [BA]
    assert table.pop(AB) == {}


def test_above_the_limit_the_oldest_is_given_up(table: RouteTable) -> None:
    assert table.oldest_above_limit() is None
    table.put(Pair(MacAddress(1), MacAddress(2)), {})
    assert table.oldest_above_limit() == AB
