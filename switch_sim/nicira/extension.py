"""Nicira's extensions of one switch: what they know, and where they are plugged in."""

from __future__ import annotations

from protocol import Action
from protocol import nicira as nx

from ..flow_mods import FlowMods
from ..forwarding import Forwarding
from ..pipeline import Pipeline
from .actions import ALONE, Effect, SwitchActions
from .check import Checks
from .conntrack import Conntrack
from .learning import Learner, TellChanges
from .options import TunnelOptions
from .packet_ins import WaitingPackets
from .tracking import Tracker


class Extension:
    """What the extensions of a switch know: connections, learnt entries, packets that wait."""

    def __init__(
        self,
        pipeline: Pipeline,
        forwarding: Forwarding,
        flow_mods: FlowMods,
        tell_changes: TellChanges,
    ) -> None:
        self.pipeline, self.forwarding = pipeline, forwarding
        self.sample_count = 0  #: of packets that collectors would have been told of
        self.conntrack = Conntrack()
        self.waiting = WaitingPackets()
        self.options = TunnelOptions()
        self.learner = Learner(flow_mods, tell_changes)
        tracker = Tracker(self.conntrack, pipeline.process)
        effects: dict[type[Action], Effect] = {
            **ALONE,
            **SwitchActions(self).effects,
            nx.Learn: self.learner.learn,
            nx.Learn2: self.learner.learn,
            nx.Ct: tracker.track,
        }
        pipeline.actions.update(effects)
        Checks(flow_mods.checker).put_in(effects)

    def deadline(self) -> float | None:
        """Return when to call `expire` next, None for never."""
        return self.conntrack.deadline()

    def expire(self, now: float) -> None:
        """Forget what is over."""
        self.conntrack.expire(now)
