"""A small stand-in for the AUTOMATIC1111 WebUI: a test instrument, and a way to try the extension without it.

`start` runs it as a process with an address; `tests.host.inprocess` runs jobs without HTTP.
"""

from tests.host.process import Host, start

__all__ = ["Host", "start"]
