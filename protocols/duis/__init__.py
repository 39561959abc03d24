"""DUIS service requests, responses and alerts. See README.md."""
