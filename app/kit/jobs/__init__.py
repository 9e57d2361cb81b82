"""The queue, the schedule, the worker processes, and the sweeper that needs no queue.

May import core, db and mail.
"""
