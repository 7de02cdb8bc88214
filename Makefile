# Everything works on a fresh clone; the logic is in creditfujian/dev.
PYTHON = $(shell sh creditfujian/dev/find_python.sh)
NEED = test -n "$(PYTHON)" || exit 1; "$(PYTHON)"

help:  ## these lines
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/  —/'

run:  ## the portal with demo data on http://127.0.0.1:8000 (PORT=8001 for another port)
	@$(NEED) creditfujian/dev/run.py

code:  ## the one-time code of a demo account: make code USER=data_officer (QR=1 shows a QR code for your phone)
	@$(NEED) creditfujian/dev/demo_code.py "$(USER)" $(if $(QR),--qr)

test:  ## all tests, browser tests included (ARGS="-k gateway" for some)
	@$(NEED) creditfujian/dev/test.py test $(ARGS)

lint:  ## ruff, types, layers, migrations
	@$(NEED) creditfujian/dev/test.py lint

bench:  ## intake beside a raw COPY and import-export (ARGS="--rows 100000"); publishing (ARGS="publish --items 500"), the query log (ARGS="log")
	@$(NEED) creditfujian/dev/test.py bench $(ARGS)

lock:  ## compile the lock files anew
	@$(NEED) creditfujian/dev/test.py lock

format:  ## put the code into shape
	@.venv/bin/python -m ruff check --fix . ; .venv/bin/python -m ruff format .

clean-data:  ## throw the demo's database, files and accounts away
	@$(NEED) creditfujian/dev/clean.py

.PHONY: help run code test lint bench lock format clean-data
