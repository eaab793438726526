"""Fetch files of published networks: resumed, checked, atomic.

`fetch_network` is the entrance; `download` speaks HTTP, `zip_member` reads zip archives.
"""
