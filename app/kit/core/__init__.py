"""Settings from the environment, the command line, logs, error reports, metrics and signing keys.

Every other room may import this one; it imports no other.
"""
