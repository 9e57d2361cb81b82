"""Tests for the application; the folders mirror ``app/``."""
