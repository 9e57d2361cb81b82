"""Tests for the models, on the database that the suite runs on."""
