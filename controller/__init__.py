"""The controller: applications are classes, switches are datapaths.

>>> from controller import App, Datapath, run
"""

from .app import App
from .cli import run
from .datapath import Datapath
from .options import Options
from .server import Controller

__all__ = ["App", "Controller", "Datapath", "Options", "run"]
