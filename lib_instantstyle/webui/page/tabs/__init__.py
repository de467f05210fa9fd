"""One module for each tab of the accordion, and the panel that fetches models within one of them.

May import what `page` may; tabs reach each other through their fields and topics only, never by import.
"""
