"""Learning switch: sends each frame to where its destination was last heard."""

from controller import App, Datapath, run
from protocol import Ethernet, MacAddress, Match, Output, PacketIn, Port


class LearningSwitch(App):
    def __init__(self) -> None:
        self.ports: dict[int, dict[MacAddress, int]] = {}  # datapath_id -> MAC -> port

    async def switch_ready(self, datapath: Datapath) -> None:
        datapath.add_flow(Match(), [Output(Port.CONTROLLER)], priority=0)  # table miss

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        frame, ports = Ethernet.parse(message.data), self.ports.setdefault(datapath.datapath_id, {})
        ports[frame.src] = in_port = message.in_port
        if port := ports.get(frame.dst):
            match = Match(in_port=in_port, eth_src=frame.src, eth_dst=frame.dst)
            datapath.add_flow(match, [Output(port)], idle_timeout=300)
        datapath.packet_out(message, [Output(port or Port.FLOOD)])


if __name__ == "__main__":
    run(LearningSwitch())
