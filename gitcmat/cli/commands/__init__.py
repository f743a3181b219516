"""One module per noun, loaded when it is used."""
