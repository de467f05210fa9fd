"""One module for each tab of the accordion, and the panel that fetches models within one of them.

As `page`; tabs know their fields and what they publish to each other, never each other.
"""
