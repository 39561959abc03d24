"""One HAN node: MAC, NWK, APS and ZDP joined."""
