"""`python -m selfcare` is the console script."""

from selfcare.cli import main

main()
