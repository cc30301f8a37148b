"""Noise learned from evidence: the same build replayed several times, what differs classified, the narrowest rule proposed."""
