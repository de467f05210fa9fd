"""From pictures as they arrive to embeddings: decoded, looked up in the cache, or shown to the image encoder.

May import the host's ``modules`` for its infotext and interrogator; everything else it gets from a `hosts.host.Host`.
"""
