"""`selfcare import`: an operator's own customers, services, usage and bills out of CSV files. See docs/import.md."""
