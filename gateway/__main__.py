"""`python -m gateway` is `hanlab`."""

from gateway.cli import main

main()
