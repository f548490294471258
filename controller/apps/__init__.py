"""Bundled applications, one file each."""
