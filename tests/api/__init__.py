"""The functions of the library, as programs of all kinds call them."""
