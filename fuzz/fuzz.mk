# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzing with libFuzzer on the stable toolchain (docs/reliability.md). What is
# found goes to fuzz/artifacts/; what is kept, to fuzz/corpora/ by `make fuzz-keep`.

CARGO_FUZZ := $(CURDIR)/.tools/bin/cargo-fuzz
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/corpora/*.txt)))
FUZZ ?= $(FUZZ_TARGETS)
SECONDS ?= 60
# libFuzzer needs flags that are not stable; our code has next to no unsafe for
# a sanitizer to watch.
FUZZ_ENV := RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$(CURDIR)/target/fuzz
FUZZ_WITH := --fuzz-dir fuzz --sanitizer none
CORPORA := $(FUZZ_ENV) $(CARGO) run -q --release --manifest-path fuzz/Cargo.toml --example corpora --

$(CARGO_FUZZ):
	$(CARGO) install -q --locked --root .tools cargo-fuzz

#: Development
.PHONY: fuzz fuzz-keep
fuzz: $(CARGO_FUZZ) ## Try to break every reader of outside bytes (FUZZ=names, SECONDS=each)
	@for target in $(FUZZ); do \
		$(CORPORA) unpack $$target && \
		$(FUZZ_ENV) $(CARGO_FUZZ) run $(FUZZ_WITH) $$target -- -max_total_time=$(SECONDS) \
			-max_len=2048 -timeout=10 -print_final_stats=1 -verbosity=0 || exit 1; done

fuzz-keep: $(CARGO_FUZZ) ## Keep what `make fuzz` found, as little of it as covers the same
	@for target in $(FUZZ); do \
		$(FUZZ_ENV) $(CARGO_FUZZ) cmin $(FUZZ_WITH) $$target -- -max_len=2048 && \
		$(CORPORA) pack $$target || exit 1; done
