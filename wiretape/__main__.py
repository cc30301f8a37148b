"""`python -m wiretape`."""

from wiretape.cli import main

if __name__ == "__main__":
    main()
