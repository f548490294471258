"""What ONF lent to OF1.3 before OF1.4 had it: the standard's messages in other numbers."""

from __future__ import annotations

from .. import actions, bundles, roles
from ..actions import ActionShape
from ..oxm import ONF
from ..symmetric import EXPERIMENTER_NUMBER, experimenter_message
from ..version import OF13, OF14
from ..wire import Pad, between

_MESSAGES = between(OF13, OF13, EXPERIMENTER_NUMBER)


@ActionShape.experimenter(ONF, 3200, between(OF13, OF14, 0xFFFF))
class CopyField(actions.CopyField):
    """Copy bits from one field to another (EXT-320)."""

    layout = (Pad(2), *actions.CopyField.layout)


@experimenter_message(ONF, 2300, _MESSAGES)
class BundleControl(bundles.BundleControl):
    """Opens, closes, commits or discards a bundle, or says that it was done (EXT-230)."""


@experimenter_message(ONF, 2301, _MESSAGES)
class BundleAdd(bundles.BundleAdd):
    """Puts a message into a bundle; both have the same xid (EXT-230)."""


@experimenter_message(ONF, 1911, _MESSAGES)
class RoleStatus(roles.RoleStatus):
    """The controller has another role, since another one asked (EXT-191)."""


@experimenter_message(ONF, 2350, _MESSAGES)
class RequestForward(bundles.RequestForward):
    """Tells of a group_mod or meter_mod that another controller sent (EXT-235)."""
