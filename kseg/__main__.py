"""`python -m kseg` is the command `kseg`."""

from kseg.cli import main

if __name__ == "__main__":
    main()
