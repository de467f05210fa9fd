"""Getting models: the catalogue of what may be fetched, resumable downloads, and the thread that runs them.

The only room that may use the network. It does not load torch: the caller passes a function that checks files.
"""
