"""A random walk through all that people do with accounts, compared with a small model after each step.

``model.py`` says what must be true, ``site.py`` sends the forms and reads the mail, ``walk.py`` takes the steps (those
of ``owners.py`` and ``administrators.py``), ``invariants.py`` compares. ``tests/test_account_states.py`` runs it.
"""
