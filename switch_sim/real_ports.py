"""The Tornado shell of ports on real interfaces: frames between those and the network."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from tornado.ioloop import IOLoop

from .interfaces import Interface, LinkWatch
from .network import End, Network

logger = logging.getLogger("switch_sim")


class RealPorts:
    """The ports of a network that are interfaces of this machine.

    `soon` is called when there is something for the network to do; `clock` gives seconds.
    """

    def __init__(
        self, network: Network, clock: Callable[[], float], soon: Callable[[], None]
    ) -> None:
        self._network, self._clock, self._soon = network, clock, soon
        self._interfaces: dict[End, Interface] = {}
        self._watch: LinkWatch | None = None

    def attach(self, switch: str, port_no: int, interface: Interface) -> None:
        """Make an interface a port of a switch; OSError where it is gone, ValueError where
        the switch has that port.
        """
        loop = IOLoop.current()
        if self._watch is None:  # before we look at the first one, so that nothing is missed
            self._watch = LinkWatch()
            loop.add_handler(self._watch.fileno(), self._look, loop.READ)
        end = self._network.plug(switch, interface.describe(port_no), self._clock())
        self._interfaces[end] = interface
        loop.add_handler(interface.fileno(), partial(self._receive, end, interface), loop.READ)

    def send(self) -> None:
        """Send the frames that leave the network; those that cannot go are lost, and counted."""
        for end, frame in self._network.frames_to_send():
            interface = self._interfaces.get(end)
            if interface is None or not interface.send(frame):
                self._network.switches[end.node].ports[end.port].lose(frame)

    def close(self) -> None:
        """Give all interfaces back."""
        loop = IOLoop.current()
        for interface in self._interfaces.values():
            loop.remove_handler(interface.fileno())
            interface.close()
        self._interfaces.clear()
        if self._watch is not None:
            loop.remove_handler(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def _receive(self, end: End, interface: Interface, *_: object) -> None:
        try:
            frames = interface.receive()
        except OSError as error:  # it will not become better: who watched it would never rest
            logger.warning("%s: interface %s is lost: %s", end, interface.name, error.strerror)
            IOLoop.current().remove_handler(interface.fileno())
            interface.close()
            del self._interfaces[end]
            self._network.set_port_link(end, False, self._clock())
        else:
            for frame in frames:
                self._network.receive(end, frame)
        self._soon()

    def _look(self, *_: object) -> None:
        """Look at all interfaces, since one has changed."""
        assert self._watch is not None
        self._watch.drain()
        for end, interface in self._interfaces.items():
            self._network.set_port_link(end, interface.is_up(), self._clock())
        self._soon()
