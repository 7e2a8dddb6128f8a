# SPDX-License-Identifier: MIT
#
# make                  build/oci-macvlan-hook and build/oci-macvlan (needs cc, make, libyajl-dev, libmnl-dev)
# make demo             the walkthrough of README.md with real runc containers; installs what it needs
# make check            every test; installs what it needs
# make crash-test       kill -9 before every system call, every error, every reboot: all of it
# make soak SECONDS=60  real containers started, stopped and killed for that long
# make bench            against the floor and the peers; installs what it needs (bench-quick: a part)
# make lint             format, compilers' and analysers' warnings, layering
# make fuzz SECONDS=60  each fuzz target for that long
# make install          into DESTDIR/PREFIX
#
# SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer, into a folder of its own.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
CFLAGS ?= -O2 -g
SECONDS ?= 60

B := build$(if $(SAN),-san)

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wcast-qual -Wundef
HARDENING := -fPIE -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
COMMA := ,
SANITIZERS := $(if $(SAN),-fsanitize=address$(COMMA)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)

override CPPFLAGS += -I. -D_GNU_SOURCE -DOCI_MACVLAN_VERSION='"$(VERSION)"' \
	-DOCI_MACVLAN_LIBEXEC='"$(PREFIX)/libexec/oci-macvlan"' -MMD -MP
override CFLAGS += -std=gnu11 $(WARNINGS) $(HARDENING) $(SANITIZERS)
override LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANITIZERS)
# The C library first: most symbols are its, and the loader looks for each in this order.
LDLIBS := -lc -lyajl -lmnl

SCHEMA := $(wildcard schema/*.c)
IPAM := $(wildcard ipam/*.c)
WIRING := $(filter-out hook/main.c,$(wildcard hook/*.c))
CLI := $(wildcard hook/cli/*.c)
LIB := $(SCHEMA) $(IPAM) $(WIRING)
UNIT := $(wildcard tests/unit/test_*.c)
FUZZ := $(wildcard tests/fuzz/fuzz_*.c)
TOOLS := $(wildcard tests/tools/*.c)
CRASH_SHARED := $(filter-out tests/crash/crash_%.c,$(wildcard tests/crash/*.c))
CRASH := $(wildcard tests/crash/crash_*.c)
LAB := $(wildcard tests/lab/*.c)
BENCH := $(wildcard tests/bench/*.c)

objects = $(patsubst %.c,$(B)/obj/%.o,$(1))

all: $(B)/oci-macvlan-hook $(B)/oci-macvlan

$(B)/oci-macvlan-hook: $(call objects,$(LIB) hook/main.c)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/oci-macvlan: $(call objects,$(LIB) $(CLI))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Unit tests: one program a module, TAP on stdout. tests/unit/tap.c is what they share.
$(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/obj/tests/unit/tap.o $(call objects,$(LIB))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

unit: $(UNIT:tests/unit/%.c=$(B)/unit/%)

# Programs that the integration tests use.
$(B)/tools/%: $(B)/obj/tests/tools/%.o $(call objects,$(LIB))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

tools: $(TOOLS:tests/tools/%.c=$(B)/tools/%)

# The crash tests: tests/crash/crash_NAME.c is a program, the other files there are what they share.
$(B)/crash/%: $(B)/obj/tests/crash/crash_%.o $(call objects,$(CRASH_SHARED) $(LAB)) \
		$(B)/obj/tests/unit/tap.o $(call objects,$(LIB))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

crash: $(CRASH:tests/crash/crash_%.c=$(B)/crash/%)

# The benchmark. The floor and the empty program have the flags of the hook, and link what they use.
$(B)/bench/floor: $(B)/obj/tests/bench/floor.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lc -lmnl

$(B)/bench/empty: $(B)/obj/tests/bench/empty.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/bench/bench: $(call objects,$(filter-out tests/bench/floor.c tests/bench/empty.c,$(BENCH)) $(LAB) $(LIB))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-programs: $(B)/bench/floor $(B)/bench/empty $(B)/bench/bench

# Fuzz targets: libFuzzer, so clang; tests/fuzz/corpus/TARGET is the seed corpus.
FUZZFLAGS := -g -O1 -std=gnu11 -I. -D_GNU_SOURCE -DOCI_MACVLAN_VERSION='"$(VERSION)"' \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZED := $(SCHEMA) hook/lan.c hook/dhcp_values.c
build/fuzz/%: tests/fuzz/%.c $(FUZZED) $(wildcard schema/*.h hook/*.h)
	@mkdir -p $(@D)
	clang $(FUZZFLAGS) -o $@ $< $(FUZZED) -lyajl

fuzzers: $(FUZZ:tests/fuzz/%.c=build/fuzz/%)

fuzz: fuzzers
	tests/fuzz/run.sh $(SECONDS)

demo:
	tests/install.sh demo
	@echo "building"
	@$(MAKE) -s all
	tests/demo.sh $(B)

check:
	tests/install.sh check
	@echo "building"
	@$(MAKE) -s all unit tools crash fuzzers bench-programs
	tests/run.sh $(B)

crash-test:
	tests/install.sh check
	@echo "building"
	@$(MAKE) -s all crash
	tests/run.sh $(B) crash

soak:
	tests/install.sh check
	@echo "building"
	@$(MAKE) -s all crash
	tests/run.sh $(B) soak $(SECONDS)

bench:
	tests/install.sh bench
	@echo "building"
	@$(MAKE) -s all bench-programs
	tests/bench/run.sh $(B)

bench-quick:
	tests/install.sh bench-quick
	@echo "building"
	@$(MAKE) -s all bench-programs
	tests/bench/run.sh $(B) quick

lint:
	tests/install.sh lint
	tests/lint.sh

install: all
	install -D -m 0755 $(B)/oci-macvlan-hook $(DESTDIR)$(PREFIX)/libexec/oci-macvlan/oci-macvlan-hook
	install -D -m 0755 $(B)/oci-macvlan $(DESTDIR)$(PREFIX)/bin/oci-macvlan
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 hook/oci-macvlan-hook.8 hook/cli/oci-macvlan.8
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 schema/oci-macvlan-network.5
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/lib/NetworkManager/conf.d hook/host/90-oci-macvlan.conf
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/lib/systemd/network \
		hook/host/10-oci-macvlan.network hook/host/10-oci-macvlan.link

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/libexec/oci-macvlan/oci-macvlan-hook $(DESTDIR)$(PREFIX)/bin/oci-macvlan \
		$(DESTDIR)$(PREFIX)/share/man/man8/oci-macvlan-hook.8 \
		$(DESTDIR)$(PREFIX)/share/man/man8/oci-macvlan.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/oci-macvlan-network.5 \
		$(DESTDIR)$(PREFIX)/lib/NetworkManager/conf.d/90-oci-macvlan.conf \
		$(DESTDIR)$(PREFIX)/lib/systemd/network/10-oci-macvlan.network \
		$(DESTDIR)$(PREFIX)/lib/systemd/network/10-oci-macvlan.link
	-rmdir $(DESTDIR)$(PREFIX)/libexec/oci-macvlan

clean:
	rm -rf build build-san

.PHONY: all unit tools crash fuzzers fuzz demo check crash-test soak bench-programs bench \
	bench-quick lint install uninstall clean
.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
