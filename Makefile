# The manual of the project. `make` prints it.

PORT ?= 8080
DATA ?= ./data

# What is built and where: `make sanitize` has other builds.
BIN := .build/release
SWIFT_BUILD := swift build -c release
# A gateway reads, digests and copies its libraries when it starts, so they are without what only debuggers look at; the
# ones in $(BIN) have it.
KEEP_LIBRARY := objcopy --strip-debug
PLUGINS := auth control mailer branding realtime chat uploads webhooks
SWIFT_EXAMPLES := hello-swift conformance
# Examples that need an app around them, so a gateway of examples alone does not load them.
APP_EXAMPLES := tally
PYTHON := .venv/bin/python

# What the gateway is built with, and what the tests need beside it.
BUILD_PACKAGES := gcc libc6-dev libcrypt-dev libuv1-dev libssl-dev libsqlite3-dev libjansson-dev libargon2-dev libcurl4-openssl-dev zlib1g-dev libnghttp2-dev
TEST_PACKAGES := g++ openssl python3 python3-venv curl nghttp2-client chromium $(TOOL_PACKAGES)
# What plugins run, where it is there.
TOOL_PACKAGES := libvips-tools
CONFORMANCE_PACKAGES := testssl.sh nginx haproxy slowhttptest
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# Installs those packages of a list that are missing.
define install
	@missing=""; for package in $(1); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q '^install ok installed$$' \
	    || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "== installing$$missing"; \
	  $(SUDO) apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing; \
	fi
endef

# Makes the folder of a plugin that was built with the gateway: $(1) its sources, $(2) the folder. The library is a
# new file each time, because a running gateway has the old one mapped.
define assemble
	rm -rf $(2); mkdir -p $(2); cp $(1)/plugin.json $(2)/; \
	for part in migrations events; do \
	  if [ -d $(1)/$$part ]; then cp -r $(1)/$$part $(2)/; fi; \
	done; \
	$(KEEP_LIBRARY) $(BIN)/lib$$id.so $(2)/lib$$id.so
endef

.PHONY: help run build packages tools test sanitize bench torture coverage fuzz conformance format lint clean

help: ## Print this
	@echo "Sluice. Everything below works from a fresh clone."
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1~\2/p' $(MAKEFILE_LIST) | awk -F'~' '{ printf "%-20s %s\n", $$1, $$2 }'

run: build tools ## Build, then serve on http://127.0.0.1:8080 with the data in ./data (PORT=, DATA=)
	@exec $(BIN)/sluice serve --listen 127.0.0.1:$(PORT) --data $(DATA)

build: packages ## Install packages; build the gateway, its plugins and the examples, in release
	@command -v swift >/dev/null || { echo "swift is not on the PATH: install the Swift 6.3 toolchain"; exit 1; }
	@echo "== building the gateway and its plugins in $(BIN): some minutes the first time"
	@$(SWIFT_BUILD)
	@set -e; for id in $(PLUGINS); do $(call assemble,Plugins/$$id,$(BIN)/plugins/$$id); done
	@set -e; for id in $(SWIFT_EXAMPLES); do $(call assemble,examples/plugins/$$id,$(BIN)/examples/$$id); done
	@set -e; for id in $(APP_EXAMPLES); do $(call assemble,examples/plugins/$$id,$(BIN)/app-examples/$$id); done
	@echo "== building the example plugins in C and Rust"
	@$(MAKE) --no-print-directory -B -C examples/plugins/hello-c OUT=$(CURDIR)/$(BIN)/examples/hello-c
	@rm -f $(BIN)/examples/hello-rust/libhello-rust.so
	@if ! command -v cargo >/dev/null; then \
	  echo "== cargo is not on the PATH: examples/plugins/hello-rust is left out"; \
	  rm -rf $(BIN)/examples/hello-rust; \
	elif ! $(MAKE) --no-print-directory -C examples/plugins/hello-rust OUT=$(CURDIR)/$(BIN)/examples/hello-rust; then \
	  echo "== examples/plugins/hello-rust does not build here: it is left out"; \
	  rm -rf $(BIN)/examples/hello-rust; \
	fi
	@echo "== built: $(BIN)/sluice, $(BIN)/plugins, $(BIN)/examples"

packages:
	$(call install,$(BUILD_PACKAGES))

# Without them the gateway does all but what they do.
tools:
	-$(call install,$(TOOL_PACKAGES))

test: build .venv/ready ## Run all tests; the last line is "N passed, N failed"
	@$(PYTHON) Tests/run.py

# Plugins are of the same build, those in C too. What they need of the sanitizer is in the program, which would not show
# all of it by itself.
SHOWN := $(addprefix -Xlinker --export-dynamic-symbol=,__tsan_external_read __tsan_external_write \
  __tsan_ignore_thread_begin __tsan_ignore_thread_end)
sanitize: packages .venv/ready ## Run all tests under AddressSanitizer, then under ThreadSanitizer
	@set -e; for name in address thread; do \
	  $(MAKE) --no-print-directory build BIN=.build-$$name/debug \
	    SWIFT_BUILD="swift build --build-tests --scratch-path .build-$$name --sanitize $$name $(SHOWN)" \
	    KEEP_LIBRARY=cp CC=clang CFLAGS="-O1 -g -fsanitize=$$name"; \
	done
	@$(PYTHON) Tests/run.py --sanitize address thread

.venv/ready: Tests/requirements.txt
	$(call install,$(TEST_PACKAGES))
	@echo "== installing the tests' clients into .venv"
	@python3 -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	@touch $@

bench: build ## Measure beside nginx, uWebSockets and FastAPI, and print the ratios
	@python3 Tests/Bench/bench.py

torture: build .venv/ready ## Kill it under load for SECONDS (120) on a disk that loses what was not synced; then find two gateways that break their word
	@$(PYTHON) Tests/Torture/torture.py --seconds $(or $(SECONDS),120)
	@$(PYTHON) Tests/Torture/torture.py --seconds 20 --controls

coverage: packages ## Print line coverage for each target, from the Swift tests
	@swift test --scratch-path .build-coverage --enable-code-coverage --quiet
	@python3 Tests/coverage.py "$$(swift test --scratch-path .build-coverage --show-codecov-path)"

fuzz: packages .venv/ready ## Fuzz every reader of strangers' bytes for SECONDS (60) each, under AddressSanitizer
	@$(PYTHON) Tests/Fuzz/run.py --seconds $(or $(SECONDS),60)

conformance: build .venv/ready ## Try the tables of HTTP, the Autobahn suite, nginx and haproxy in front, slowhttptest and testssl.sh, and write docs/conformance*.md (FAST=1: only the tables and Autobahn's short part)
	$(if $(filter 1,$(FAST)),,$(call install,$(CONFORMANCE_PACKAGES)))
	@$(PYTHON) Tests/Conformance/run.py $(if $(filter 1,$(FAST)),--fast)

format: ## Format all Swift sources
	@swift format -i -r Package.swift Sources Plugins Tests examples

lint: ## Check the format of all Swift sources
	@swift format lint --strict -r Package.swift Sources Plugins Tests examples

clean: ## Remove what was built; data stays
	@rm -rf .build .build-coverage .build-address .build-thread .venv
