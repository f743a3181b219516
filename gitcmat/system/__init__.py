"""The machine below us: processes, files, time, chance, logs. Standard library alone."""
