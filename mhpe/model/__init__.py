"""The network: encoder, SCME, heads and losses."""
