"""A random walk through all that people do with accounts, compared with a small model after each step.

``model.py`` says what must be true, ``site.py`` presses the buttons and reads the mail, ``machine.py`` walks, and
``invariants.py`` compares. The walks are run by ``tests/test_account_states.py``.
"""
