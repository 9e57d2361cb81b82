"""Attacks on every route and parameter of an application, found by themselves: a fork's are attacked as well.

``values`` is what is sent, ``asked_names`` notices which parameters a view reads, ``world`` makes the rows and
people of this application, ``attacker`` sends and keeps what failed, and ``attacks`` says what is sent where.
"""
