"""Whose turn it is: a switch that brings much is read from slowly while others want a turn.

That is of use to somebody only while another, that brings little, brought something lately.
One switch alone, or many that all bring as much as they can, are read from as fast as goes.
Nothing is lost: what is not read waits in the switch, as TCP has it.
"""

from __future__ import annotations

FAIR_RATE = 2000.0  #: messages a second of one datapath, above which others go first
BURST = 0.25  # seconds' worth of them that may come at once
REST = 0.01  #: seconds between two reads of a datapath that lets others go first
LATELY = 0.5  # seconds for which one that brought something wants a turn
FEW = 16  # messages at most of which it is not asked each time how many came lately
MOMENT = 0.02  # seconds for which that holds
CALM = 1.0  # seconds without too much, after which one that brought much brings little again


class Allowance:
    """Tokens that come with a rate; it may be overdrawn, as what came is there already."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate, self._when = rate, now
        self._tokens = self._burst = rate * BURST

    def take(self, count: int, now: float) -> bool:
        """Take tokens; return whether any are left."""
        tokens, burst = self._tokens - count, self._burst
        if now > self._when:
            tokens += (now - self._when) * self.rate
            self._when = now
        # No debt is more than a burst, so that a short flood is forgotten soon.
        self._tokens = burst if tokens > burst else tokens if tokens > -burst else -burst
        return tokens > 0


class Turns:
    """Which datapaths brought little lately: the last one, and the last but one."""

    def __init__(self) -> None:
        # Of two there is always one that is another than whoever asks.
        self._last: tuple[Turn | None, float] = (None, 0.0)
        self._before: tuple[Turn | None, float] = (None, 0.0)

    def note(self, turn: Turn, now: float) -> None:
        """Note that a datapath which brings little brought something."""
        if self._last[0] is not turn:
            self._before = self._last
        self._last = turn, now

    def others_want(self, turn: Turn, now: float) -> bool:
        """Whether another datapath that brings little brought something lately."""
        who, when = self._before if self._last[0] is turn else self._last
        return who is not None and now - when < LATELY

    def forget(self, turn: Turn) -> None:
        """Let a datapath that is gone want nothing any more."""
        if self._before[0] is turn:
            self._before = (None, 0.0)
        if self._last[0] is turn:
            self._last, self._before = self._before, (None, 0.0)


class Turn:
    """What one datapath brought lately; `now` is in seconds on a clock that does not go back."""

    def __init__(self, turns: Turns, now: float) -> None:
        self._turns, self._allowance = turns, Allowance(FAIR_RATE, now)
        self._much_at = now - CALM  # when it brought too much last
        self._new = 0  # messages that were not taken into account yet
        self._look_at = now  # when they are, however few they are

    def waits(self, count: int, now: float) -> bool:
        """Take `count` messages into account; return whether others should go first now."""
        self._new = count = self._new + count
        if count < FEW and now < self._look_at:
            return False
        self._new = 0
        if not self._allowance.take(count, now):
            self._much_at = self._look_at = now
            return self._turns.others_want(self, now)
        self._look_at = now + MOMENT
        # Whoever is slowed down brings little only since it is slowed down.
        if count and now - self._much_at >= CALM:
            self._turns.note(self, now)
        return False

    def is_slowed(self, now: float) -> bool:
        """Return whether not much is to be read at once, though others need not go first now.

        Whoever is slowed down so far that it brings little would else be read from without
        measure as soon as its allowance is filled, and let the others wait once more.
        """
        return now - self._much_at < CALM and self._turns.others_want(self, now)

    def close(self) -> None:
        """The datapath is gone."""
        self._turns.forget(self)
