"""Controllers side by side: the same load on each, by turns, in one run on one machine.

    python -m tests.benchmarks.compare [--write FILE] [--rounds N] [--regression]

Those take part that are installed: ours also as C, where `make compiled` built it, os-ken,
ovs-testcontroller, and POX where the environment's POX names a checkout. `pointsman load` plays
the switches. What it measures is told beside the targets, whether they are met or not.
"""
