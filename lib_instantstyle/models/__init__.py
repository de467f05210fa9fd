"""Files on disk: adapters, image encoders and cached embeddings, recognised by content and read in parts.

May use torch, transformers and Pillow, `params` and `pictures`; the caller says which folders to search.
"""
