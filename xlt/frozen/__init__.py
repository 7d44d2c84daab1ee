"""Models on frozen sentence vectors: they cost seconds, and no training of the encoder."""
