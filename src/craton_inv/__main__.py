"""`python -m craton_inv`: the command line."""

from craton_inv.cli import main

if __name__ == "__main__":
    main()
