"""The machine below us: processes, files, time, randomness and logs, with the standard library alone."""
