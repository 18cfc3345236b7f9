"""Tools of developers, run from a checkout."""
