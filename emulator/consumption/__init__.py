"""What a household uses: electricity and gas as pieces of constant flow, tariffs, and the switched loads."""
