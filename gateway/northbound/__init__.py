"""The DSP as others reach it: served on lines, durable. See README.md."""
