"""Run the command line with ``python -m digits_cli``."""

from digits_cli.main import main

if __name__ == "__main__":
    main()
