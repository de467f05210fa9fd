"""Whatever comes in ends in success or in an error of our own family, within bounds of time and memory.

`targets` says what comes in and what is done with it. `test_targets` tries a few hundred fixed examples of each; `python
-m tests.fuzz --seconds 600` tries new ones for as long as it is told to.
"""
