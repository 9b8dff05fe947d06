# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything is done by tests/harness/run.py, which needs nothing but Python; this file names it.
# Variables: PYTHON (the interpreter to build .venv with), NATS_SERVER, NATS_SERVERS, V=1 (show all),
# NIGHTLY=1 (larger sizes).

RUN = python3 tests/harness/run.py
export PYTHON V NIGHTLY VERSION

TARGETS = demo test nightly bench docs lint sanity unit core conformance controller environment cluster examples package matrix integration molecule release clean help

.PHONY: $(TARGETS)
.DEFAULT_GOAL = help

$(TARGETS):
	@$(RUN) $@
