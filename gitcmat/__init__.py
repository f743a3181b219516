"""gitcmat runs coding agents from files in a git repository."""

__version__ = "0.1.0"
