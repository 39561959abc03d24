"""Firmware files, and the two machines that move them: the downloading client and the serving hub."""
