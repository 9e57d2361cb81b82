"""The job queue, the schedule, the worker processes, and the sweeper, which delivers emails without the queue.

May import core, db and mail.
"""
