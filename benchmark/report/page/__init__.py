"""The page: one self-contained file that a person can read."""
