"""Fetch files of published networks: resumed, checked, atomic.

`fetch` is the door; `download` speaks HTTP, `archive` reads zip archives.
"""
