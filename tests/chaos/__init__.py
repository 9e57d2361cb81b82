"""The whole site under random faults; see docs/delivery.md."""
