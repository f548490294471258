"""What the shells of both sides need for their sockets: TLS, Unix sockets, when to dial again.

The one place in `protocol` that knows the system; nothing else in it may import from here.
"""
