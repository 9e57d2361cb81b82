"""The files and pages of docs/deploy, followed as far as a machine without a container engine allows."""
