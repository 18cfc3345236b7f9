"""SynthHeads: rendered human heads with exact rotations, the suite's embedded data.

The head model is built from CC0 MakeHuman assets (see ``ORIGIN.md`` in this folder); everything else is
drawn at random from the population that :mod:`mhpe.synthheads.population` describes.
"""
