"""Matches, flows, groups and meters as ovs-ofctl's users write them: read, and printed.

Nothing here is needed to speak OpenFlow; `import protocol` does not load it, and
`protocol.Flow` does when it is asked for.
"""

from .actions import actions_text, instructions_text, parse_actions, parse_instructions
from .flow import Flow
from .group import bucket_text, group_text, meter_text, parse_group, parse_meter
from .match import match_text, parse_match
from .spelling import spelled, spelled_actions

__all__ = [
    "Flow",
    "actions_text",
    "bucket_text",
    "group_text",
    "instructions_text",
    "match_text",
    "meter_text",
    "parse_actions",
    "parse_group",
    "parse_instructions",
    "parse_match",
    "parse_meter",
    "spelled",
    "spelled_actions",
]
