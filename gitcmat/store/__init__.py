"""The only state: `.cmat/` files and the refs that hold them."""
