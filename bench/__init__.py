"""What gitcmat costs, as ratios to what it cannot do without: ``python -m bench``."""
