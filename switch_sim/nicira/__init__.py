"""Nicira's extensions, those that change forwarding: what each of them does (ovs-actions(7))."""
