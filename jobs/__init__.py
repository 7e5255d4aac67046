"""How it is run: the engines, the command line, the Python entry point."""
