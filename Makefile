# selecho. For GNU make 3.81 (the one that macOS has) or later.
#
#   make                      build/echo-server and build/echo-client
#   make run ARGS="--port 0"  builds, then starts the server in the foreground
#   make deps test            installs what the tests need, then runs them; with SANITIZE=1 under
#                             ASan and UBSan
#   make tutorial, test-tutorial       the steps of docs/tutorial/, and the commands that break them
#   make test-tutorial-windows         the same for Windows, under Wine
#   make static               build/static/echo-server and echo-client, which need no library of the
#                             system (musl-gcc; make deps-deploy)
#   make deps-deploy test-deploy       what docs/deploy/ has, tried as far as this machine can
#                             (Linux)
#   make windows              cross-builds build/windows/*.exe
#   make deps-windows test-windows     the cross compiler and Wine; the tests, run under Wine
#   make probe, probe-windows          prints what only the system, or Wine, can tell: what a short
#                             wait takes, whether a port can be bound again, whether answers are
#                             lost (a minute)
#   make deps-coverage coverage        what the tests reach: a table, and build/coverage/html
#   make coverage-windows     the same for the lines that are only built for Windows
#   make fuzz TIME=60         lets libFuzzer try the pure parts, each for so many seconds (clang)
#   make deps-checks          installs what torture, fuzz, coverage, prove and soak need (Debian)
#   make deps-torture torture torture-windows
#                             lets each call to the system fail in turn: under ASan and
#                             UBSan, and then, on Linux, in the programs as they are released; three
#                             minutes, TORTURE_LIMIT=2 for a quick look
#   make deps-prove prove     proves for all inputs up to a size that the pure parts do nothing
#                             undefined (Frama-C; Linux, 3 minutes)
#   make deps-lint lint       every check of the sources, and of what is made from them
#   make completions          writes docs/completions anew, from the options of the programs
#   make deps-completions test-completions
#                             asks the shells what they complete
#   make format               writes the sources in our style
#   make deps-bench bench     measures the server beside others (Linux), in a quarter of an hour;
#                             BENCH_ROUNDS=3 for a quick look
#   make soak TIME=600        lets clients of all kinds come and go for so many seconds; then the
#                             server has to be what it was (Linux)
#   make deps-field test-field         the server behind the real HAProxy (Linux, a minute)
#   make abuse                measures what clients that behave badly do to one that behaves well
#                             (Linux, five minutes)
#   make picture              draws docs/session.svg anew, from a real session (Linux)
#   make deps-release release all that is published of the last commit, in build/release
#   make release-manifests    the same, with what packagers need, for HOMEPAGE and MAINTAINER
#   make test-release         the same, and tries it
#   make dist                 build/selecho-VERSION.tar.gz of the last commit, and the programs built
#                             from it
#   make install, uninstall   PREFIX (/usr/local), DESTDIR
#   make clean                removes build/, where everything that is made stands
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are the user's; WERROR=1 turns warnings into errors.

PREFIX ?= /usr/local
CFLAGS ?= -O2
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
WARNINGS += -Wmissing-prototypes $(if $(WERROR),-Werror)

# What to build for: this machine, or Windows from another one (CROSS_MAKE, below). A build with
# SANITIZE=1 or for another platform has a folder of its own; so should one with other options that
# runs at the same time: BUILD=build/NAME.
ON_WINDOWS := $(filter Windows_NT,$(OS))
PLATFORM := $(if $(ON_WINDOWS),win32,posix)
BUILD := build$(if $(SANITIZE),/sanitize)
CROSS := $(if $(ON_WINDOWS),,x86_64-w64-mingw32-)
OBJDUMP := objdump

comma := ,
# What a fault could be turned into is limited: addresses differ from run to run, nothing that is
# written can be run, and a broken stack or a copy past the end of an object ends the program.
HARDENING :=
ifeq ($(PLATFORM),win32)
EXE := .exe
OTHER_PLATFORM := posix
SYSTEM_DEFINES := -D_WIN32_WINNT=0x0600
SYSTEM_LDFLAGS := -static-libgcc -Wl,--dynamicbase,--nxcompat$(if \
    $(findstring i686,$(CC)),,$(comma)--high-entropy-va)
SYSTEM_LIBS := -lws2_32 -lwinmm
else
OTHER_PLATFORM := win32
HARDENING := -fPIE -fstack-protector-strong
# The sanitizers check more than FORTIFY_SOURCE, which needs an optimizing compiler, and one that is
# new enough for level 3.
ifeq ($(SANITIZE)$(filter -O0,$(CFLAGS)),)
HARDENING += $(if $(filter -O%,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(shell \
    echo '\#include <stdio.h>' | $(CC) -O2 -Werror -D_FORTIFY_SOURCE=3 -E -x c - >/dev/null 2>&1 && \
    echo 3 || echo 2))
endif
# What the compiler builds for, which need not be this machine.
TARGET := $(shell $(CC) -dumpmachine)
SYSTEM_LDFLAGS := $(if $(findstring linux,$(TARGET))$(findstring freebsd,$(TARGET)),\
    $(if $(filter -static% -no-pie,$(LDFLAGS) $(CFLAGS)),,-pie) \
    -Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now$(comma)-z$(comma)noexecstack)
endif

ifdef SANITIZE
SANITIZERS := -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZERS += $(if $(FUZZING),-fsanitize=fuzzer-no-link)
endif

# _FILE_OFFSET_BITS: files of 2 GiB and more on systems of 32 bits (feature_test_macros(7)).
LANGUAGE := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
INCLUDES := -Icommon -Iserver -Iclient -Itest
COMPILE = $(CC) $(LANGUAGE) $(SYSTEM_DEFINES) $(INCLUDES) \
    $(if $(filter test/%,$<),$(CMOCKA_CFLAGS)) $(HARDENING) $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(SANITIZERS)
LINK = $(CC) $(HARDENING) $(CFLAGS) $(SANITIZERS) $(SYSTEM_LDFLAGS) $(LDFLAGS)
LIBS = $(LDLIBS) $(SYSTEM_LIBS) -lm

ON_MACOS := $(filter Darwin,$(shell uname -s))
# Where cmocka is, when the compiler does not look there by itself.
CMOCKA := $(if $(ON_MACOS),$(shell brew --prefix cmocka 2>/dev/null))
CMOCKA_CFLAGS = $(if $(CMOCKA),-isystem $(CMOCKA)/include)
CMOCKA_LIBS = $(if $(CMOCKA),-L$(CMOCKA)/lib) -lcmocka

# The sources in a folder that are for this platform, and the objects of sources.
sources = $(filter-out %_$(OTHER_PLATFORM).c,$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

COMMON := $(call objects,$(call sources,common))
SERVER := $(call objects,$(call sources,server))
CLIENT := $(call objects,$(foreach folder,client $(wildcard client/*/),\
    $(call sources,$(folder:/=))))
TEST_SUPPORT := $(call objects,$(filter-out test/test_%,$(call sources,test)))
TEST_SOURCES := $(filter test/test_%,$(call sources,test))
# Tests that put functions of their own in the place of others need a linker that knows --wrap;
# that of macOS does not.
UNLINKABLE := $(if $(ON_MACOS),$(filter test/test_wrap_%,$(TEST_SOURCES)))

PROGRAMS := $(BUILD)/echo-server$(EXE) $(BUILD)/echo-client$(EXE)
TESTS := $(patsubst %.c,$(BUILD)/%$(EXE),$(filter-out $(UNLINKABLE),$(TEST_SOURCES)))
# Everything that a test can call, for the linker to take from what it needs.
LIBRARY := $(BUILD)/obj/selecho.a

all: $(PROGRAMS)

$(BUILD)/echo-server$(EXE): $(SERVER) $(COMMON)
$(BUILD)/echo-client$(EXE): $(CLIENT) $(COMMON)
$(PROGRAMS):
	$(LINK) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out %/main.o,$(COMMON) $(SERVER) $(CLIENT))

%.a:
	@rm -f $@
	$(AR) qcs $@ $^

wrapped = $$(sed -n 's/.*[ *]__wrap_\([A-Za-z0-9_]*\)(.*/-Wl,--wrap=\1/p' $(1) | sort -u)

# A test that defines __wrap_NAME() gets the calls of NAME() in all that is linked. It declares both
# as `__typeof__(NAME) __wrap_NAME, __real_NAME;`, so that the compiler refuses any other type.
$(TESTS): $(BUILD)/test/%$(EXE): $(BUILD)/obj/test/%.o $(TEST_SUPPORT) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(call wrapped,test/$*.c) $(CMOCKA_LIBS) $(LIBS)

$(BUILD)/obj/%.o: %.c $(BUILD)/obj/command
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# Changes, and so everything is built anew, when the compiler or an option does.
$(BUILD)/obj/command: FORCE
	@mkdir -p $(@D)
	@new='$(subst ','\'',$(COMPILE) $(LINK) $(LIBS))'; \
	    [ "$$new" = "$$(cat $@ 2>/dev/null)" ] || printf '%s\n' "$$new" >$@

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d)

# What the benchmark compares with, of which some need a library, and what loads it besides
# echo-client.
BENCH := floor crowd
ifneq ($(filter bench,$(MAKECMDGOALS)),)
BENCH += $(foreach library,libuv libevent,$(shell pkg-config --exists $(library) && \
    echo $(library)_echo))
endif
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,$(BENCH))

$(BENCH_PROGRAMS): $(BUILD)/bench/%: test/bench/%.c test/bench/peer.c test/bench/peer.h $(LIBRARY)
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $(filter-out %.h,$^) \
	    $(if $(filter lib%,$*),$$(pkg-config --cflags --libs $(*:_echo=))) $(LIBS)

bench: $(PROGRAMS) $(BENCH_PROGRAMS)
	test/bench/run.sh $(BUILD)

# Clients of all kinds, for the server to outlive and for a well-behaved one to live beside (Linux).
SOAK_PROGRAMS := $(BUILD)/soak/churn $(BUILD)/soak/abusers

$(SOAK_PROGRAMS): $(BUILD)/soak/%: test/soak/%.c test/bench/peer.c test/bench/peer.h \
        test/random_numbers.c $(LIBRARY)
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $(filter-out %.h,$^) $(LIBS)

soak: $(PROGRAMS) $(SOAK_PROGRAMS)
	test/soak/soak.sh $(BUILD) $(TIME)

abuse: $(PROGRAMS) $(SOAK_PROGRAMS)
	test/soak/abuse.sh $(BUILD)

# Servers behind a proxy that many use.
test-field: $(PROGRAMS)
	test/field.sh $(BUILD)

# Programs that libFuzzer makes inputs for (clang); `make fuzz TIME=60` runs each for so many seconds.
TIME := 10
FUZZERS := $(patsubst test/fuzz/%.c,$(BUILD)/%,$(wildcard test/fuzz/fuzz_*.c))

$(FUZZERS): $(BUILD)/%: $(BUILD)/obj/test/fuzz/%.o $(BUILD)/obj/test/screen_model.o \
        $(BUILD)/obj/test/protocol_model.o $(LIBRARY)
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(call wrapped,test/fuzz/$*.c) $(LIBS)

fuzzers: $(FUZZERS)
fuzz:
	+$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz SANITIZE=1 FUZZING=1 fuzzers
	test/fuzz.sh build/fuzz $(TIME)

# PROVE=NAME: only test/prove/NAME.c.
prove:
	@LANGUAGE='$(LANGUAGE)' INCLUDES='$(INCLUDES)' test/prove.sh $(BUILD)/prove $(PROVE)

# The programs once more, with calls to the system that fail when they are told to, and the test
# that tells them.
FAULTS := $(call objects,$(filter-out %/torture.c %/reset_posix.c,$(call sources,test/torture)))
TORTURED := $(BUILD)/torture/echo-server$(EXE) $(BUILD)/torture/echo-client$(EXE)
TORTURE := $(BUILD)/torture/torture$(EXE)

$(BUILD)/torture/echo-server$(EXE): $(SERVER) $(COMMON) $(FAULTS)
$(BUILD)/torture/echo-client$(EXE): $(CLIENT) $(COMMON) $(FAULTS)
$(TORTURED):
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $$(sed -n 's/^REPLACE[A-Z_]*(\([a-z0-9_]*\),\{0,1\}.*/-Wl,--wrap=\1/p' \
	    test/torture/faults.c test/torture/faults_$(PLATFORM).c) $(LIBS)

$(TORTURE): $(BUILD)/obj/test/torture/torture.o $(TEST_SUPPORT) $(LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(CMOCKA_LIBS) $(LIBS)

# What resets connections, from outside.
RESET := $(BUILD)/torture/reset

$(RESET): $(BUILD)/obj/test/torture/reset_posix.o
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS)

# Leaks are found by the sanitizers; what is released has none. TORTURE_LIMIT=N: only the first N
# calls of each function fail.
torture:
	+$(MAKE) --no-print-directory SANITIZE=1 torture-inside
	+$(MAKE) --no-print-directory SANITIZE= torture-outside

torture-outside: $(PROGRAMS) $(RESET)
	test/torture/outside.sh $(BUILD)
	test/torture/situations.sh $(BUILD)

torture-inside: $(PROGRAMS) $(TORTURED) $(TORTURE)
	@ECHO_SERVER='$(call program_path,$(word 1,$(PROGRAMS)))' \
	    ECHO_CLIENT='$(call program_path,$(word 2,$(PROGRAMS)))' \
	    TORTURE_SERVER='$(call program_path,$(word 1,$(TORTURED)))' \
	    TORTURE_CLIENT='$(call program_path,$(word 2,$(TORTURED)))' \
	    TORTURE_REPORT=$(BUILD)/torture/report TEST_LIMIT=1800 $(UNDER) test/run.sh $(TORTURE); \
	    status=$$?; grep ' faults, ' $(TORTURE).log; exit $$status

# What the tests reach. The counters are mapped from files, so that a program that is killed counts
# as well, up to its end. Without assert(), whose failure is no branch that a test can take.
COVERAGE := -O0 -g -DNDEBUG -fprofile-instr-generate -fcoverage-mapping \
    -mllvm -runtime-counter-relocation -Wno-unused-parameter -Wno-unused-command-line-argument
COVERAGE_MAKE = LLVM_PROFILE_FILE='$(CURDIR)/build/coverage/profile/%m%c' TORTURE_LIMIT=12 \
    $(MAKE) --no-print-directory CC=clang BUILD=build/coverage SANITIZE= WERROR= \
    CFLAGS='$(COVERAGE)'

coverage:
	rm -rf build/coverage/profile
	+$(COVERAGE_MAKE) test
	+$(COVERAGE_MAKE) torture-inside
	test/coverage.sh build/coverage

# The Windows half is measured and shown, and no more: its counters are written at a regular exit
# alone, and much of it is reached only on Windows itself.
coverage-windows:
	@mkdir -p build/coverage-windows
	find build/coverage-windows -name '*.gcda' -delete
	+$(CROSS_MAKE) BUILD=build/coverage-windows CFLAGS='-O0 -g --coverage' test; status=$$?; \
	    test/coverage-windows.sh build/coverage-windows $(CROSS)gcov; exit $$status

# Facts that only the system can tell.
PROBE := $(call objects,$(call sources,test/probe) \
    $(filter test/process_% test/system_% test/attached_console_%,$(call sources,test)))

$(BUILD)/probe$(EXE): $(PROBE) $(LIBRARY)
	$(LINK) -o $@ $^ $(LIBS)

probe: $(PROGRAMS) $(BUILD)/probe$(EXE)
	@ECHO_SERVER='$(call program_path,$(word 1,$(PROGRAMS)))' \
	    $(UNDER) sh -c '$${WINE:+"$$WINE"} $(BUILD)/probe$(EXE) </dev/null'

# What shells complete the command lines with.
COMPLETIONS := $(BUILD)/completions$(EXE)

$(COMPLETIONS): $(BUILD)/obj/test/completions/completions.o $(LIBRARY)
	$(LINK) -o $@ $^ $(LIBS)

completions: $(COMPLETIONS)
	$< docs/completions

test-completions: $(PROGRAMS)
	test/completions/check.sh $(BUILD)

# The first picture of README.md.
picture: $(PROGRAMS)
	test/picture.sh $(BUILD) >$(BUILD)/session.svg
	cp $(BUILD)/session.svg docs/session.svg

# The steps of docs/tutorial/, and the commands that break them. Each takes from the rest what it
# uses.
STEPS := $(patsubst docs/%.c,$(BUILD)/%$(EXE),$(wildcard docs/tutorial/[0-9]*.c \
    docs/tutorial/client-*.c))
STEP_LIBRARY := $(BUILD)/obj/docs/tutorial/steps.a

$(STEP_LIBRARY): $(call objects,$(filter-out $(patsubst $(BUILD)/%$(EXE),docs/%.c,$(STEPS)),\
    $(call sources,docs/tutorial)))

$(STEPS): $(BUILD)/%$(EXE): $(BUILD)/obj/docs/%.o $(STEP_LIBRARY)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS) $(if $(EXE),,-pthread)

tutorial: $(STEPS) $(PROGRAMS)

# What a shell cannot do on Windows: to ask a program to stop.
STEPS_STOP := $(BUILD)/tutorial-stopping$(EXE)

$(STEPS_STOP): $(BUILD)/obj/test/tutorial/stopping.o $(TEST_SUPPORT) $(LIBRARY)
	$(LINK) -o $@ $^ $(CMOCKA_LIBS) $(LIBS)

test-tutorial: tutorial $(STEPS_STOP)
	@STEP_9='$(call program_path,$(BUILD)/tutorial/09-stopping$(EXE))' \
	    STEP_10='$(call program_path,$(BUILD)/tutorial/10-sets$(EXE))' \
	    $(UNDER) test/run.sh $(STEPS_STOP)
	$(UNDER) test/tutorial/matrix.sh $(BUILD) docs/tutorial/README.md docs/tutorial/README.zh-CN.md

run: $(BUILD)/echo-server$(EXE)
	$< $(ARGS)

# Tests start the programs by these paths: on Windows such as CreateProcess takes everywhere.
program_path = $(if $(EXE),$(subst /,\,$(1)),$(abspath $(1)))

test: $(PROGRAMS) $(TESTS)
	@$(if $(UNLINKABLE),echo "left out because this linker has no --wrap: $(UNLINKABLE)")
	@ECHO_SERVER='$(call program_path,$(word 1,$(PROGRAMS)))' \
	    ECHO_CLIENT='$(call program_path,$(word 2,$(PROGRAMS)))' $(UNDER) test/run.sh $(TESTS)

# This Makefile once more, for Windows; UNDER is what the tests run under elsewhere.
CROSS_MAKE = $(MAKE) --no-print-directory PLATFORM=win32 BUILD=build/windows SANITIZE= \
    CC=$(CROSS)gcc AR=$(CROSS)ar OBJDUMP=$(CROSS)objdump \
    $(if $(ON_WINDOWS),,CMOCKA=build/windows-deps/cmocka UNDER=test/wine.sh)

windows:
	+$(CROSS_MAKE) check-dlls check-hardening

test-windows: windows
	+$(CROSS_MAKE) test

test-tutorial-windows: $(PROGRAMS)
	+$(CROSS_MAKE) test-tutorial

torture-windows: windows
	+$(CROSS_MAKE) torture-inside

probe-windows: windows
	+$(CROSS_MAKE) probe

# What the programs are protected by, read from the files themselves.
check-hardening: $(PROGRAMS)
	OBJDUMP='$(OBJDUMP)' test/hardening.sh $(PROGRAMS)

# For a Linux that may have no file but the program. The specs of musl-gcc do not know -static-pie,
# and so the files at a program's two ends are named here.
MUSL_GCC := musl-gcc
MUSL = /usr/lib/$(patsubst %-gnu,%-musl,$(shell $(MUSL_GCC) -dumpmachine))
STATIC_MAKE = $(MAKE) --no-print-directory CC=$(MUSL_GCC) BUILD=build/static SANITIZE= \
    LDFLAGS='-static -nostartfiles -s -Wl,-pie,--no-dynamic-linker \
    $(MUSL)/rcrt1.o $(MUSL)/crti.o' LDLIBS=$(MUSL)/crtn.o

static:
	+$(STATIC_MAKE) check-static check-hardening

check-static: $(PROGRAMS)
	test/static.sh $(PROGRAMS)

# What docs/deploy/ has, tried with the static programs.
test-deploy: static
	test/deploy.sh build/static

# The programs have to run on a Windows on which nothing was installed for them.
check-dlls: $(PROGRAMS)
	@dlls=$$($(OBJDUMP) -p $(PROGRAMS) | sed -n 's/.*DLL Name: //p' | sort -u); \
	    echo "needs:" $$dlls; test -n "$$dlls" && ! echo "$$dlls" | \
	    grep -vixE '(kernel32|ws2_32|winmm|msvcrt|ucrtbase|api-ms-win-crt-[a-z0-9-]*)\.dll'

deps:
	CC='$(CC)' CMOCKA_CFLAGS='$(CMOCKA_CFLAGS)' test/deps.sh test
deps-torture: deps
	test/deps.sh torture
deps-field:
	test/deps.sh field
deps-bench:
	test/deps.sh bench
deps-lint:
	test/deps.sh lint
deps-prove:
	test/deps.sh prove
deps-completions:
	test/deps.sh completions
deps-coverage: deps
	test/deps.sh coverage
deps-checks: deps-torture deps-coverage deps-prove
deps-deploy:
	test/deps.sh deploy
deps-release:
	test/deps.sh release
	test/deps-musl-arm64.sh build/musl-arm64
deps-windows:
	test/deps.sh windows
	test/deps-cmocka.sh build/windows-deps -DCMAKE_SYSTEM_NAME=Windows \
	    -DCMAKE_C_COMPILER=$(CROSS)gcc -DCMAKE_SHARED_LINKER_FLAGS=-static-libgcc

lint: $(PROGRAMS) $(COMPLETIONS)
	BUILD='$(BUILD)' LANGUAGE='$(LANGUAGE)' INCLUDES='$(INCLUDES)' test/lint.sh
format:
	find common server client test docs -name '*.[ch]' -exec clang-format -i {} +

# Of the last commit, which is what is packed.
VERSION = $(shell git show HEAD:common/version.h | sed -n 's/.*define VERSION "\(.*\)"/\1/p')
DIST = selecho-$(VERSION)

source-archive:
	mkdir -p build
	git archive --prefix=$(DIST)/ HEAD | gzip -n9 >build/$(DIST).tar.gz

dist: source-archive
	rm -rf build/$(DIST)
	gzip -dc build/$(DIST).tar.gz | (cd build && tar -xf -)
	+$(MAKE) -C build/$(DIST) BUILD=build
	[ "$$(build/$(DIST)/build/echo-server$(EXE) --version)" = "echo-server $(VERSION)" ]
	rm -rf build/$(DIST)

# An archive of what is built, in the layout of `make install`. Only the sources and the compiler
# decide what is in it.
ARCHIVE = $(DIST)-$(if $(EXE),windows,linux)-$(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))

archive: $(PROGRAMS)
	rm -rf $(BUILD)/$(ARCHIVE)
	+umask 022 && $(MAKE) --no-print-directory install DESTDIR= PREFIX=$(BUILD)/$(ARCHIVE) && \
	    install -m 644 LICENSE README.md CHANGELOG.md $(BUILD)/$(ARCHIVE)
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
	    test/release/pack.sh $(BUILD)/$(ARCHIVE) $(if $(EXE),zip,tar.gz)

archive-static:
	+$(STATIC_MAKE) archive
archive-windows:
	+$(CROSS_MAKE) LDFLAGS=-s archive

# All that is published of the last commit. The programs are built from the source archive, so that
# nothing which was not committed gets in.
RELEASE := build/release
IN_RELEASE = $(MAKE) --no-print-directory -C $(RELEASE)/$(DIST) VERSION=$(VERSION) \
    SOURCE_DATE_EPOCH=$(shell git log -1 --format=%ct)
ARM64 := $(CURDIR)/build/musl-arm64

release: source-archive
	rm -rf $(RELEASE)
	mkdir -p $(RELEASE)
	cp build/$(DIST).tar.gz $(RELEASE)
	gzip -dc build/$(DIST).tar.gz | (cd $(RELEASE) && tar -xf -)
	+$(IN_RELEASE) archive-static
	+$(IN_RELEASE) archive-static MUSL_GCC=$(ARM64)/musl-gcc MUSL=$(ARM64)/usr/lib/aarch64-linux-musl
	+$(IN_RELEASE) archive-windows
	mv $(RELEASE)/$(DIST)/build/*/$(DIST)-* $(RELEASE)
	rm -r $(RELEASE)/$(DIST)
	cd $(RELEASE) && sha256sum $(DIST)* >SHA256SUMS

# The project has no home yet; these stand for it.
HOMEPAGE := https://example.org/selecho
MAINTAINER := selecho contributors <selecho@example.org>

release-manifests: release
	VERSION=$(VERSION) HOMEPAGE='$(HOMEPAGE)' MAINTAINER='$(MAINTAINER)' \
	    SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
	    test/release/manifests.sh $(RELEASE) $(RELEASE)/packaging

test-release: release-manifests
	SCHEMAS='$(SCHEMAS)' test/wine.sh test/release/check.sh $(RELEASE) $(VERSION)

# Where below PREFIX everything but the programs is installed.
DATA := share/man/man1 share/bash-completion/completions share/zsh/site-functions \
    share/fish/vendor_completions.d share/selecho
share/man/man1 := $(wildcard docs/*.1)
share/bash-completion/completions := $(wildcard docs/completions/bash/*)
share/zsh/site-functions := $(wildcard docs/completions/zsh/*)
share/fish/vendor_completions.d := $(wildcard docs/completions/fish/*)
share/selecho := $(wildcard docs/completions/powershell/*)

install: $(PROGRAMS)
	mkdir -p $(patsubst %,'$(DESTDIR)$(PREFIX)/%',bin $(DATA))
	install -m 755 $(PROGRAMS) '$(DESTDIR)$(PREFIX)/bin'
	$(foreach folder,$(DATA),install -m 644 $($(folder)) '$(DESTDIR)$(PREFIX)/$(folder)' && )true

uninstall:
	rm -f $(patsubst %,'$(DESTDIR)$(PREFIX)/bin/%',$(notdir $(PROGRAMS)))
	rm -f $(foreach folder,$(DATA),$(patsubst %,'$(DESTDIR)$(PREFIX)/$(folder)/%',\
	    $(notdir $($(folder)))))

clean:
	rm -rf build

# `make -j deps test` must not build before everything is there.
ifneq ($(filter deps%,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.PHONY: all run test windows test-windows probe probe-windows check-hardening check-dlls \
    check-static static test-deploy deps-deploy test-field deps-field bench soak abuse fuzz \
    fuzzers coverage coverage-windows torture torture-inside torture-outside torture-windows \
    prove picture completions test-completions deps-completions deps deps-checks deps-coverage \
    deps-torture deps-prove deps-bench deps-lint deps-windows lint format dist install \
    uninstall clean FORCE
.PHONY: source-archive archive archive-static archive-windows release release-manifests \
    test-release deps-release
