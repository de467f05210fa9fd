"""Files on disk: adapters, image encoders and cached embeddings, recognised by content and read in parts.

May use torch, transformers and Pillow, `params` and `pictures`; which folders to search is handed in.
"""
