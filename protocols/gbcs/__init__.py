"""GBCS messages: envelope, protection, credentials, payloads. Start at `envelope.py`."""
