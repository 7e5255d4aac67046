"""``python -m tamis``."""

from .jobs.command import main

if __name__ == "__main__":
    main()
