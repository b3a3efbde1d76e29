# What can be done here
default:
    @just --list --unsorted

# Install everything that development and tests need; may be run again
setup:
    uv sync --quiet
    @uv run python tools/needs.py

# Run the demo from this checkout on http://127.0.0.1:8000
dev *options:
    uv run selfcare demo {{ options }}

# Everything: setup, checks, tests on SQLite and PostgreSQL, browser journeys
test: setup check unit e2e

# Unit and integration tests; takes what pytest takes: just unit tests/kernel -x
unit *options:
    uv run pytest -n {{ workers }} {{ options }}

# Browser journeys in Debian's Chromium; one demo server for each file, so a file stays with one worker
e2e *options:
    uv run pytest e2e -n {{ workers }} --dist loadfile --no-loadscope-reorder {{ options }}

# Lint, format, types, import contracts, templates
check:
    uv run ruff check --quiet .
    uv run ruff format --check --quiet .
    uv run mypy
    uv run lint-imports --no-logo
    uv run djlint templates --lint --quiet

# Mend what can be mended by itself
fix:
    uv run ruff check --fix --quiet .
    uv run ruff format --quiet .

# Bring the database that SELFCARE_DATABASE_URL names to the schema of this checkout
migrate *options:
    uv run selfcare migrate {{ options }}

# Begin the demo anew
seed *options:
    uv run selfcare demo --fresh {{ options }}

# Measure the dashboard beside plain text and a static page, and print the table
bench *options:
    uv run python -m bench {{ options }}

# Measure the dashboard while 20 people sign in, as a ratio to when nobody does
bench-sign-ins *options:
    uv run python -m bench.sign_ins {{ options }}

# Measure usage at 100,000 customers, 10,000 services of one, and the download of a million records
bench-usage *options:
    uv run python -m bench.usage {{ options }}

# Measure counting what was used, in events per CPU-second and beside loops that only insert the record
bench-feed *options:
    uv run python -m bench.feed {{ options }}

# Measure the bytes of an open usage page while nothing happens, and how soon a use shows
bench-idle *options:
    uv run python -m bench.idle {{ options }}

# Measure finding a customer among a million, as a ratio to ten thousand
bench-search *options:
    uv run python -m bench.search {{ options }}

# Kill servers at every step of a payment, on both databases (600 schedules), then load one for minutes
soak: crashes load

# Only the first: kill servers between the click and the receipt and look what is left; takes --schedules, --steps
crashes *options:
    uv run python -m tests.crashes {{ options }}

# Only the second: load a running server for minutes and watch its memory, threads and errors
load *options:
    uv run python -m bench.soak {{ options }}

# What the continuous integration runs
ci: test

# Where it is forbidden to keep what Python compiled, every server of a journey would compile everything anew.
export PYTHONDONTWRITEBYTECODE := ""

workers := env("SELFCARE_TEST_WORKERS", "2")
