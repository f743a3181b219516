"""The demo: a small project, small programs as agents, and gitcmat itself, for real."""
