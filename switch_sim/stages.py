"""Which tables a packet passes before its output port is known, and which behind that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stages:
    """The tables of a pipeline, parted into two stages (OF1.5.1 5.1 "Pipeline Processing").

    Tables below `first_egress` are ingress tables; from it on all are egress tables. None: there
    is no second stage.
    """

    n_tables: int
    first_egress: int | None = None

    def is_egress(self, table_id: int) -> bool:
        """Whether a table is passed behind the choice of an output port."""
        return self.first_egress is not None and table_id >= self.first_egress

    def tables_behind(self, table_id: int) -> range:
        """Return the tables to which a packet can go on from one: those behind, of its stage."""
        if self.first_egress is None or self.is_egress(table_id):
            return range(table_id + 1, self.n_tables)
        return range(table_id + 1, self.first_egress)
