"""A running controller answers questions over a socket of this machine: one line, one answer."""
