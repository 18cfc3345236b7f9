"""A store as a folder: export, and import of a folder that may come from anyone."""
