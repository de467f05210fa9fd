"""Getting models: the catalogue of what may be fetched, resumable downloads, and the thread that runs them.

The one room that may reach the network. Loads no torch: what a file must contain is checked by whoever asks.
"""
