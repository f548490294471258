"""Controllers without sockets that answer switches in virtual time, as a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count

from protocol import (
    OF13,
    Connection,
    FeaturesRequest,
    FlowMod,
    Match,
    Message,
    Opened,
    Output,
    PacketIn,
    PacketOut,
    Port,
    Version,
)
from switch_sim.load.answers import Answers
from switch_sim.load.course import Course, Phase
from switch_sim.load.lane import SPARE, Lane
from switch_sim.load.plan import Plan
from switch_sim.load.tally import Tally

TICK = 0.001  #: seconds from one look to the next
Policy = Callable[[PacketIn], Iterable[Message]]
FLOOD = (Output(Port.FLOOD),)


def by_buffer(message: PacketIn) -> Iterable[Message]:
    """Let the packet go by its number."""
    return (PacketOut(FLOOD, buffer_id=message.buffer_id),)


def by_data(message: PacketIn) -> Iterable[Message]:
    """Send the packet back whole."""
    return (PacketOut(FLOOD, message.data),)


def by_flow_mod(message: PacketIn) -> Iterable[Message]:
    """Let the packet go by the entry that is added."""
    return (FlowMod(buffer_id=message.buffer_id),)


def by_both(message: PacketIn) -> Iterable[Message]:
    """Add an entry, and let the packet go."""
    return (FlowMod(Match(in_port=1)), *by_buffer(message))


class FakeController:
    """Takes bytes of one switch, asks for its features, and obeys a policy."""

    def __init__(self, version: Version = OF13, policy: Policy = by_both) -> None:
        self.policy = policy
        self.connection = Connection(0, {version})
        self.heard: list[Message] = []

    def receive(self, data: bytes, now: float) -> bytes:
        for event in self.connection.receive_data(data, now):
            if isinstance(event, Opened):
                self.connection.send(FeaturesRequest())
            elif isinstance(event, PacketIn):
                for message in self.policy(event):
                    self.connection.send(message)
            elif isinstance(event, Message):
                self.heard.append(event)
        return self.connection.data_to_send()


class Cable:
    """Joins a lane to a controller, both in memory."""

    def __init__(self, lane: Lane, controller: FakeController) -> None:
        self.lane, self.controller = lane, controller
        self._said = self._rest = b""

    def carry(self) -> None:
        """Take what the switch has to say, as a socket would that has room for all."""
        self._said += b"".join(self.lane.out)
        self.lane.out = []

    def exchange(self, now: float) -> None:
        """Carry what both have to say, once."""
        self.carry()
        said, self._said = self._said, b""
        self.deliver(self.controller.receive(said, now), now)

    def deliver(self, data: bytes, now: float) -> None:
        """Bring bytes to the switch."""
        data = self._rest + data
        if data:
            buffer = bytearray(data) + bytes(SPARE)
            self._rest = data[self.lane.receive(buffer, len(data), now) :]
            self.lane.fill(now)
            self.carry()
            self.lane.settle()


def lane(version: Version = OF13, **options: int) -> Lane:
    """A switch that did not say anything yet."""
    return Lane(Answers(1, ports=4, **options), {version}, Tally(), now=0)


def greeted(version: Version = OF13, policy: Policy = by_both) -> Cable:
    """A switch whose controller knows its features."""
    cable = Cable(lane(version), FakeController(version, policy))
    for _ in range(4):
        cable.exchange(0)
    assert cable.lane.featured is not None
    return cable


def run(
    plan: Plan,
    policy: Policy = by_both,
    delay: int = 1,
    limit: float = 100,
    controllers: Sequence[FakeController | None] = (),
) -> Course:
    """Run in virtual time with a controller that takes `delay` ticks for each exchange.

    It must be over in `limit` seconds. `controllers` are those of the first switches, None for
    one that hears nothing.
    """
    (version,) = plan.versions
    tally = Tally()
    numbers = range(plan.first, plan.first + plan.switches)
    lanes = [Lane(Answers(one, plan.ports), plan.versions, tally, 0) for one in numbers]
    others = [FakeController(version, policy) for _ in lanes[len(controllers) :]]
    pairs = zip(lanes, [*controllers, *others], strict=True)
    cables = [Cable(one, controller) for one, controller in pairs if controller is not None]
    course = Course(plan, lanes, 0)
    for tick in count(1):
        now = tick * TICK
        if tick % delay == 0:
            for cable in cables:
                cable.exchange(now)
        course.advance(now)
        for cable in cables:
            cable.carry()
        if course.phase is Phase.READY:
            course.go(now)
        if course.phase is Phase.DONE:
            return course
        assert now < limit
    raise AssertionError


def unanswered(every: int) -> Policy:
    """Answer all but every so manieth packet that is not a broadcast."""
    seen = count(1)

    def policy(message: PacketIn) -> Iterable[Message]:
        if message.data[0] == 0xFF or next(seen) % every:
            return by_both(message)
        return ()

    return policy
