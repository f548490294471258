"""What the shells of both sides need: TLS, Unix sockets, when to dial again, the terminal.

The one place in `protocol` that knows the system; nothing else in it may import from here.
"""
