"""Certificate-Based Key Establishment: the two machines of cluster 0x0800."""
