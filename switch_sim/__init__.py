"""An OpenFlow switch simulator: OpenFlow 1.0 to 1.5, frames in and frames out."""

from .session import Effects, Session
from .switch import Switch

__all__ = ["Effects", "Session", "Switch"]
