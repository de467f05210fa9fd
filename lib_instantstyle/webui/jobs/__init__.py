"""Styling one job: its arguments, its preflight, its prepared styles, its passes, and what is recorded of it.

Imports none of the host's ``modules``: it is handed a `hosts.host.Host` and the host's processing objects.
"""
