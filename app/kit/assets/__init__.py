"""The asset pipeline: build, manifest, the images of a brand, and the contrast of its colors.

May import core.
"""
