"""What a packet takes along beside its fields: its stack, and how far it may go yet."""

from __future__ import annotations

MAX_DEPTH = 64  #: resubmits, clones and groups within one another (ovs-actions(7) "Actions")
MAX_RESUBMITS = 4096  #: of a packet, all together
MAX_RECIRCULATIONS = 6  #: times that a packet comes again from connection tracking
MAX_STACK = 65_536  #: bytes that `push` may put there


class Budget:
    """What a packet and all its copies may use together."""

    __slots__ = ("copies", "egress", "resubmits")

    def __init__(self) -> None:
        self.resubmits = 0
        self.copies = 0  #: that groups made
        self.egress = 0  #: that went through egress tables


class Course:
    """What a packet carries from action to action."""

    __slots__ = ("budget", "depth", "recirculations", "stack", "stack_bytes")

    def __init__(self) -> None:
        self.budget = Budget()
        self.depth = 0
        self.recirculations = 0
        self.stack: list[tuple[int, int]] = []  #: number and bits, the top last
        self.stack_bytes = 0

    def fork(self) -> Course:
        """Return the course of a copy."""
        other = Course()
        other.budget, other.depth = self.budget, self.depth
        other.recirculations = self.recirculations
        other.stack, other.stack_bytes = self.stack.copy(), self.stack_bytes
        return other

    def push(self, number: int, n_bits: int) -> bool:
        """Put bits on the stack; False where there is no room."""
        size = -(-n_bits // 8)
        if self.stack_bytes + size > MAX_STACK:
            return False
        self.stack.append((number, n_bits))
        self.stack_bytes += size
        return True

    def pop(self) -> int | None:
        """Take the top off the stack; None where it is empty."""
        if not self.stack:
            return None
        number, n_bits = self.stack.pop()
        self.stack_bytes -= -(-n_bits // 8)
        return number


def resubmits(course: Course) -> str:
    """Count a resubmit; return why there may be none, nothing where it may be done."""
    if course.depth >= MAX_DEPTH:
        return f"more than {MAX_DEPTH} resubmits stand in one another"
    if course.budget.resubmits >= MAX_RESUBMITS:
        return f"more than {MAX_RESUBMITS} resubmits"
    course.budget.resubmits += 1
    return ""
