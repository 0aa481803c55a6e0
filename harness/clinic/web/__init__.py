"""What answers over HTTP have in common: pages of a list, ranges of bytes, the edge cache."""
