"""How a table behaves, told and changed (OF1.4.1 7.3.4.1 "Modify Flow Table Message")."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from protocol import OF12, OF13, BadPropertyCode, TableMod, TableModFailedCode, Version
from protocol.properties import ExperimenterProperty
from protocol.record import Record
from protocol.tables import EvictionFlags, TableConfig, TableDesc, TableEviction, TableVacancy

from .eviction import DEFAULT_EVICTION, SUPPORTED_EVICTION, Evictor
from .flow_table import FlowTable
from .refused import Refused
from .undo import UndoLog
from .vacancy import Vacancy, percent

MISS = TableConfig.TABLE_MISS_CONTINUE | TableConfig.TABLE_MISS_DROP
_SINCE_OF14 = TableConfig.EVICTION | TableConfig.VACANCY_EVENTS


def table_desc(table_id: int, table: FlowTable) -> TableDesc:
    """Return how a table behaves (OF1.4.1 7.3.5 "Table Description")."""
    config = TableConfig(0)
    flags = DEFAULT_EVICTION
    if table.evictor is not None:
        config, flags = config | TableConfig.EVICTION, table.evictor.flags
    properties: list[Record] = [TableEviction(flags)]
    if (vacancy := table.vacancy) is not None:
        config |= TableConfig.VACANCY_EVENTS
        room = percent(table.room, table.max_entries)
        properties.append(TableVacancy(vacancy.vacancy_down, vacancy.vacancy_up, room))
    return TableDesc(table_id, config, tuple(properties))


class TableChange:
    """What a table_mod asks for; Refused where that cannot be."""

    def __init__(self, message: TableMod, version: Version) -> None:
        self.version = version
        self.config = message.config
        self.eviction = DEFAULT_EVICTION
        self.thresholds: TableVacancy | None = None
        _check_config(message.config, version)
        self._read(message.properties)
        if message.config & TableConfig.VACANCY_EVENTS and self.thresholds is None:
            reason = "vacancy events need thresholds"
            raise Refused(BadPropertyCode.BAD_VALUE, reason)

    def _read(self, properties: Iterable[Record]) -> None:
        kinds = set()
        for one in properties:
            if type(one) in kinds:
                raise Refused(BadPropertyCode.DUP_TYPE, f"{type(one).__name__} stands twice")
            kinds.add(type(one))
            match one:
                case TableEviction(flags=flags):
                    self.eviction = _eviction(flags)
                case TableVacancy():
                    self.thresholds = _thresholds(one)
                case ExperimenterProperty(experimenter=who):
                    reason = f"experimenter {who:#x} is unknown"
                    raise Refused(BadPropertyCode.BAD_EXPERIMENTER, reason)
                case _:
                    raise Refused(BadPropertyCode.BAD_TYPE, f"{one!r} is not supported")

    def apply(self, table: FlowTable, undo: UndoLog) -> None:
        """Let a table behave so."""
        undo.note(partial(_restore, table, table.config, table.evictor, table.vacancy))
        if self.version <= OF12:
            table.config = TableConfig(self.config)
        elif self.version > OF13:
            self._set_eviction(table)
            self._set_vacancy(table)

    def _set_eviction(self, table: FlowTable) -> None:
        wanted = bool(self.config & TableConfig.EVICTION)
        table.evictor = Evictor(table, self.eviction) if wanted else None

    def _set_vacancy(self, table: FlowTable) -> None:
        table.vacancy = None
        if self.config & TableConfig.VACANCY_EVENTS and self.thresholds is not None:
            down, up = self.thresholds.vacancy_down, self.thresholds.vacancy_up
            table.vacancy = Vacancy(down, up, table.room, table.max_entries)


def _restore(
    table: FlowTable, config: TableConfig, evictor: Evictor | None, vacancy: Vacancy | None
) -> None:
    table.config, table.vacancy = config, vacancy
    # Entries that came meanwhile are not in the old one, but they left again before this.
    table.evictor = evictor


def _check_config(config: int, version: Version) -> None:
    # What is done on a miss: in OF1.1 and OF1.2. Afterwards the bits mean nothing, and stay.
    allowed = MISS if version <= OF13 else MISS | _SINCE_OF14
    if config & ~int(allowed) or (version <= OF12 and config == MISS):
        raise Refused(TableModFailedCode.BAD_CONFIG, f"config {config:#x} is unknown")


def _eviction(flags: int) -> EvictionFlags:
    if flags & ~int(SUPPORTED_EVICTION):
        reason = f"eviction by {flags:#x} is not supported"
        raise Refused(BadPropertyCode.BAD_VALUE, reason)
    return EvictionFlags(flags) or DEFAULT_EVICTION


def _thresholds(one: TableVacancy) -> TableVacancy:
    if not one.vacancy_down <= one.vacancy_up <= 100:
        reason = f"{one.vacancy_down} % and {one.vacancy_up} % are no thresholds"
        raise Refused(BadPropertyCode.BAD_VALUE, reason)
    return one
