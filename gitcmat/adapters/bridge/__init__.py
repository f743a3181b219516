"""Our client of the Agent Client Protocol: a program between gitcmat and an agent that speaks it.

``python -I -m gitcmat.adapters.bridge`` is handed an `Errand` on its standard input, starts the
agent, has it take one turn, and prints what happens as one JSON object a line, the last of them
``end``. What the agent asks for on the way is answered by what the errand allows.
"""
