"""Hub: sends each frame out of all other ports, and learns nothing."""

from controller import App, Datapath, run
from protocol import Match, Output, Port


class Hub(App):
    """One entry for all frames; the controller never sees any."""

    async def switch_ready(self, datapath: Datapath) -> None:
        """Let the switch flood by itself."""
        datapath.add_flow(Match(), [Output(Port.FLOOD)], priority=0)


if __name__ == "__main__":
    run(Hub())
