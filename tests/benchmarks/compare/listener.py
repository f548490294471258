"""An application that hears of each packet, and does nothing about it."""

from controller import App, Datapath
from protocol import PacketIn


class Listener(App):
    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None: ...
