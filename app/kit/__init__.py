"""Machinery that knows nothing of this application.

A module here imports nothing of ``app`` but its neighbors, so a fork takes a newer kit
by copying the folder.
"""
