"""The asset pipeline: the build, its manifest, the brand's colors and their contrast.

May import core.
"""
