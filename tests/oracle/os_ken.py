"""os-ken at one version: its numbers, its classes, and what it makes of bytes."""

from __future__ import annotations

import importlib
import importlib.util
import json
from typing import Any

from protocol.version import Version

#: OpenFlow 1.1 is not among them.
VERSIONS = tuple(version for version in Version if version != Version.OF11)


def is_installed() -> bool:
    """Whether os-ken is here."""
    return importlib.util.find_spec("os_ken") is not None


class OsKen:
    """os-ken's two modules of a version, and the datapath that its messages ask for."""

    def __init__(self, version: Version) -> None:
        module = f"os_ken.ofproto.ofproto_v1_{version - 1}"
        self.version = version
        self.ofproto: Any = importlib.import_module(module)
        self.parser: Any = importlib.import_module(f"{module}_parser")
        self.protocol: Any = importlib.import_module("os_ken.ofproto.ofproto_protocol")
        self.common: Any = importlib.import_module("os_ken.ofproto.ofproto_parser")
        self.datapath = self.protocol.ProtocolDesc(version)

    def reads(self, data: bytes) -> bool:
        """Whether os-ken has a parser for messages of this number."""
        return data[1] in self.parser._MSG_PARSERS

    def read(self, data: bytes) -> Any:
        """Return the message as os-ken reads it, None where it fails."""
        version, number, length, xid = self.common.header(data)
        return self.common.msg(self.datapath, version, number, length, xid, data)


def serialized(message: Any) -> bytes:
    """Return the bytes of a message of os-ken."""
    message.serialize()
    return bytes(message.buf)


def words(message: Any) -> dict[str, Any]:
    """Return the fields of a message of os-ken, as they are in JSON."""
    ((_, fields),) = json.loads(json.dumps(message.to_jsondict())).items()
    assert isinstance(fields, dict)
    return fields
