"""The application spanning_tree with short times, so that a test need not wait for a minute."""

from __future__ import annotations

from controller import run
from controller.apps.spanning_tree import SpanningTree
from controller.spanning_tree import Times

run(SpanningTree(Times(hello_time=0.25, max_age=2.0, forward_delay=0.5)))
