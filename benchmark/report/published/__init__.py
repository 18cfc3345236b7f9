"""Published results: the slides' tables, what is wrong in them, and results of other methods."""
