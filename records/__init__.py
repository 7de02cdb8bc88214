"""Records about natural persons: what a department decided, and how it came in."""
