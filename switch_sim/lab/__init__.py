"""Where controller and simulated switches meet in one process: the demo, and all commands."""
