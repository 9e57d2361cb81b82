"""Uploaded files: where they are stored, and how pictures are checked and made smaller.

May import core.
"""
