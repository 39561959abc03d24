"""Schema versions of the store, one file each in `versions`. `schema` brings a store to the newest. See README.md."""
