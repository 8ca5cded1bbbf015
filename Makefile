# SPDX-License-Identifier: ISC
# Postern: one Makefile, no recursion, explicit lists.
#
#   make deps      install the packages of the lists below (apt-get, as root)
#   make           build everything into build/bin
#   make demo      build, then show greylisting in front of a real Postfix
#   make check     fast tests: lint, unit, scenarios, milter
#   make test      all tests, installs what they need
#   make bench fuzz analyze format coverage install clean
#
# V=1 shows commands. SAN=1 builds with AddressSanitizer and UBSan into
# build/san, SAN=thread with ThreadSanitizer into build/tsan, COV=1 for gcov
# into build/cov.

VERSION := 0.1.0

# ------------------------------------------------------------- packages
PACKAGES_BUILD := gcc libc6-dev make libev-dev libsqlite3-dev libpcre2-dev \
	libseccomp-dev nettle-dev libunbound-dev libspf2-dev libidn2-dev \
	libmilter-dev libopendkim-dev libssl-dev
PACKAGES_DEMO := postfix python3 iproute2 util-linux
PACKAGES_CHECK := openssl python3-cryptography python3-dkim python3-nacl
PACKAGES_TEST := $(PACKAGES_DEMO) $(PACKAGES_CHECK) clang libclang-rt-dev perl \
	mandoc valgrind \
	binutils postgrey db5.3-util systemd sqlite3 git procps \
	nsd ldnsutils \
	python3-spf python3-yaml \
	libmail-dkim-perl \
	opendkim opendkim-tools miltertest \
	postfix-policyd-spf-python postfix-policyd-spf-perl
PACKAGES_BENCH := postgrey sqlgrey libdbd-sqlite3-perl python3 iproute2 nsd \
	postfix-policyd-spf-python postfix-policyd-spf-perl \
	opendkim dkimpy-milter openssl
PACKAGES_DEVEL := clang-format cppcheck gcovr

# ---------------------------------------------------------------- lists
PROGRAMS := greylistd greylistctl spfd spfctl dkimd dkimctl

common_SRCS := \
	common/arena.c \
	common/args.c \
	common/authres.c \
	common/authres_parse.c \
	common/base64.c \
	common/config.c \
	common/config_file.c \
	common/config_help.c \
	common/config_value.c \
	common/daemon.c \
	common/daemon_process.c \
	common/dns.c \
	common/dns_answer.c \
	common/dns_config.c \
	common/dns_context.c \
	common/dns_loop.c \
	common/dns_thread.c \
	common/dns_options.c \
	common/dnspacket.c \
	common/err.c \
	common/header.c \
	common/hostname.c \
	common/ip.c \
	common/json.c \
	common/log.c \
	common/mailbox.c \
	common/memo.c \
	common/milter.c \
	common/milter_address.c \
	common/milter_edit.c \
	common/milter_engine.c \
	common/milter_message.c \
	common/milter_peers.c \
	common/milter_reply.c \
	common/milter_run.c \
	common/milter_session.c \
	common/now.c \
	common/policyengine.c \
	common/policyproto.c \
	common/policysrv.c \
	common/policysrv_conn.c \
	common/regex.c \
	common/sandbox.c \
	common/sock.c \
	common/sock_systemd.c \
	common/sockset.c \
	common/spf.c \
	common/spf_prepare.c \
	common/spf_result.c \
	common/spfanswers.c \
	common/spfcache.c \
	common/spfguard.c \
	common/spfidn.c \
	common/spfledger.c \
	common/spfledger_record.c \
	common/spfledger_trace.c \
	common/spfmacro.c \
	common/spfrecord.c \
	common/store.c \
	common/store_checkpoint.c \
	common/store_open.c \
	common/store_recover.c \
	common/store_schema.c \
	common/store_wal.c \
	common/str.c \
	common/textfile.c \
	common/tool.c \
	common/unit.c \
	common/xmem.c

# What greylistd and greylistctl share.
greylist_SRCS := \
	greylistd/btree.c \
	greylistd/ctl_entry.c \
	greylistd/ctl_logline.c \
	greylistd/ctl_print.c \
	greylistd/ctl_text.c \
	greylistd/dnslist.c \
	greylistd/dnslist_checks.c \
	greylistd/facts.c \
	greylistd/facts_memory.c \
	greylistd/greylist.c \
	greylistd/greystore.c \
	greylistd/greystore_expire.c \
	greylistd/greystore_rows.c \
	greylistd/instances.c \
	greylistd/key.c \
	greylistd/namemap.c \
	greylistd/netmap.c \
	greylistd/options.c \
	greylistd/provider.c \
	greylistd/provider_walk.c \
	greylistd/providers.c \
	greylistd/rcptmap.c \
	greylistd/rcpttable.c \
	greylistd/regexset.c \
	greylistd/reply.c \
	greylistd/rules.c \
	greylistd/selection.c \
	greylistd/sender.c \
	greylistd/suspicion.c \
	greylistd/whitelist.c

greylistd_SRCS := greylistd/main.c greylistd/server.c \
	greylistd/server_setup.c greylistd/server_decide.c \
	greylistd/server_facts.c greylistd/server_housekeeping.c \
	greylistd/server_store.c
greylistctl_SRCS := greylistd/ctl.c $(patsubst %,greylistd/ctl_%.c,\
	dbcopy export forget import list maint merge postgrey report \
	report_print rule show stats)

# What spfd and spfctl share, for their tests as well.
spf_SRCS := $(patsubst %,spfd/%.c,answer ctl_advice ctl_caret ctl_survey \
	ctl_survey_sum findings header instances lists \
	options peruser policy server server_setup session session_lists \
	settings text verdict)
spfd_SRCS := spfd/main.c
spfctl_SRCS := $(patsubst %,spfd/%.c,ctl ctl_query ctl_record)

# What dkimd and dkimctl share, for their tests as well.
dkim_SRCS := $(patsubst %,dkimd/%.c,action claims outcome report \
	required result tagtext verify)
dkim_SRCS += $(patsubst %,dkimd/%.c,dataset dataset_load dataset_sqlite \
	hostlist keytable keytable_dir keytable_line options options_check \
	privkey settings signheaders signplan signtable)
dkim_SRCS += dkimd/keyrecord.c dkimd/keyrecord_der.c dkimd/lookup.c
dkim_SRCS += $(patsubst %,dkimd/%.c,bodylen choose engine engine_key \
	engine_keycache engine_memory engine_probe engine_sign \
	engine_verify sigfield)
dkim_SRCS += $(patsubst %,dkimd/%.c,ctl_file ctl_message ctl_rotation \
	ctl_txt signing verify_config)
dkimd_SRCS := $(patsubst %,dkimd/%.c,main server session \
	session_verify)
dkimctl_SRCS := $(patsubst %,dkimd/%.c,ctl ctl_genkey ctl_newkey ctl_rotate \
	ctl_show ctl_sign ctl_testkey ctl_verify)

polload_SRCS := $(patsubst %,tests/bench/%.c,hist load polload procstat \
	report target text triplet wire)
milterload_SRCS := $(patsubst %,tests/bench/%.c,hist milterload milterwire \
	procstat target)
filldb_SRCS := $(patsubst %,tests/bench/%.c,filldb text triplet)
floor_SRCS := $(patsubst %,tests/bench/%.c,floor target)

UNIT_TESTS := \
	test_arena test_args test_authres test_base64 \
	test_config test_config_style \
	test_daemon \
	test_dns test_dns_config test_dns_options test_dns_thread \
	test_dnspacket \
	test_err test_header test_ip test_log test_mailbox test_milter \
	test_now test_policyproto test_policysrv test_regex test_sandbox \
	test_sock test_sockset test_spf test_spf_kept test_spfanswers \
	test_spfcache test_spfguard test_spfguard_error test_spfidn \
	test_spfmacro test_spfrecord \
	test_store test_str test_tool test_unit test_xmem \
	test_btree test_ctl_entry test_ctl_logline test_ctl_print test_ctl_text \
	test_greylist test_greystore test_instances test_key test_namemap \
	test_dnslist test_dnslist_checks test_facts test_facts_memory \
	test_memo test_provider test_providers test_suspicion \
	test_netmap test_rcptmap test_rcpttable test_regexset test_reply \
	test_rules test_textfile test_whitelist \
	test_spfd_advice test_spfd_caret test_spfd_header \
	test_spfd_instances test_spfd_lists test_spfd_peruser \
	test_spfd_text test_spfd_verdict

# Those that link libdkimd.a.
DKIM_TESTS := test_choose test_dkimd_keyrecord test_dkimd_lookup \
	test_dkimd_claims test_dkimd_outcome test_dkimd_report \
	test_engine test_engine_threads test_sigfield test_tagtext
DKIM_TESTS += $(patsubst %,test_dkimctl_%,message rotation txt)
DKIM_TESTS += $(patsubst %,test_dkimd_%,dataset hostlist keytable options \
	privkey settings signheaders signplan)
UNIT_TESTS += $(DKIM_TESTS)

# Those where threads meet.
THREAD_TESTS := test_dkimd_lookup test_dns_thread test_engine_threads \
	test_policysrv test_store

FUZZERS := fuzz_authres fuzz_btree fuzz_config fuzz_ctl fuzz_dnspacket \
	fuzz_policyproto fuzz_key \
	fuzz_mailbox fuzz_whitelist \
	fuzz_spf fuzz_spfctl fuzz_spfd fuzz_spfmacro fuzz_spfrecord

# Those that link what dkimd is made of.
DKIM_FUZZERS := fuzz_dkimctl fuzz_dkimtables fuzz_engine fuzz_keyrecord \
	fuzz_sigfield
FUZZERS += $(DKIM_FUZZERS)

MANPAGES8 := greylistd/greylistd.8 greylistd/greylistctl.8 spfd/spfd.8 \
	spfd/spfctl.8 dkimd/dkimd.8 dkimd/dkimctl.8
MANPAGES5 := greylistd/greylistd.conf.5 spfd/spfd.conf.5 dkimd/dkimd.conf.5
CONFIGS := greylistd/greylistd.conf spfd/spfd.conf dkimd/dkimd.conf
LISTS := greylistd/whitelist_clients greylistd/whitelist_recipients
UNITS := greylistd.service greylistd.socket spfd.service \
	dkimd.service dkimd.socket

# ------------------------------------------------------------ variables
PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/postern
SYSCONFDIR ?= /etc
UNITDIR ?= /lib/systemd/system
DESTDIR ?=

ifeq ($(SAN),thread)
B := build/tsan
MODE_FLAGS := -O1 -fno-omit-frame-pointer -fsanitize=thread
else ifdef SAN
B := build/san
MODE_FLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
else ifdef COV
B := build/cov
MODE_FLAGS := -O0 --coverage
else
B := build
MODE_FLAGS := -O2 -D_FORTIFY_SOURCE=2
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wundef -Wvla -Wwrite-strings -Wcast-qual -Wformat=2 \
	-Wnull-dereference
CFLAGS ?= -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -DPOSTERN_VERSION='"$(VERSION)"' \
	$(WARNINGS) $(MODE_FLAGS) -fvisibility=hidden -fPIE \
	-fstack-protector-strong $(CFLAGS)
ALL_LDFLAGS = $(MODE_FLAGS) -pie -Wl,-z,relro,-z,now,-z,noexecstack \
	-Wl,--as-needed -Wl,--exclude-libs,libev.a $(LDFLAGS)
# libev is linked statically and hidden: the shared one exports libevent's
# names, and libunbound would pick them up. --as-needed keeps libunbound out
# of programs that ask no names.
LIBS := -l:libev.a -lm -lsqlite3 -lpcre2-8 -lseccomp -lnettle -lunbound \
	-lspf2 -lidn2 -lmilter -lopendkim -lcrypto -lpthread

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all deps demo test check check-lint check-unit check-scenarios \
	check-milter check-fault check-conformance check-reference check-system \
	check-san check-tsan check-threads check-valgrind built built-threads \
	built-fuzz bench fuzz analyze format coverage install install-opendkim \
	install-postgrey install-policyd-spf clean FORCE
all: $(PROGRAMS:%=$(B)/bin/%)

# ------------------------------------------------------------- packages
# Asks dpkg first: with everything in place nothing is fetched.
define install_packages
	@missing=; for p in $(1); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | \
	    grep -q '^install ok installed' || missing="$$missing $$p"; \
	done; \
	test -z "$$missing" || { \
	  echo "installing$$missing"; \
	  apt-get update -q >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
	    --no-install-recommends $$missing >build/apt.log 2>&1 || { \
	      tail -n 20 build/apt.log; \
	      echo "cannot install; run as root: apt-get install$$missing"; \
	      exit 1; }; }
endef

PACKAGES_WANTED := $(sort $(PACKAGES_BUILD) \
	$(if $(filter deps,$(MAKECMDGOALS)),$(PACKAGES_CHECK)) \
	$(if $(filter demo,$(MAKECMDGOALS)),$(PACKAGES_DEMO)) \
	$(if $(filter test fuzz check-%,$(MAKECMDGOALS)),$(PACKAGES_TEST)) \
	$(if $(filter bench test,$(MAKECMDGOALS)),$(PACKAGES_BENCH)) \
	$(if $(filter analyze format coverage,$(MAKECMDGOALS)),\
	  $(PACKAGES_DEVEL) clang))
deps:
	@mkdir -p build
	$(call install_packages,$(PACKAGES_WANTED))

# These goals install what they need before the first file is compiled.
ifneq ($(filter deps demo test bench analyze coverage,$(MAKECMDGOALS)),)
NEEDS_DEPS := deps
endif

# ---------------------------------------------------------------- rules
obj = $(1:%.c=$(B)/obj/%.o)
common_OBJS := $(call obj,$(common_SRCS))
greylist_OBJS := $(call obj,$(greylist_SRCS))
spf_OBJS := $(call obj,$(spf_SRCS))
dkim_OBJS := $(call obj,$(dkim_SRCS))
ALL_SRCS := $(common_SRCS) $(greylist_SRCS) $(greylistd_SRCS) \
	$(greylistctl_SRCS) $(spf_SRCS) $(spfd_SRCS) $(spfctl_SRCS) \
	$(dkim_SRCS) $(dkimd_SRCS) $(dkimctl_SRCS)

# Changed flags or compiler rebuild everything.
FLAGS_NOW := $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(FLAGS_NOW))' >$@
FORCE:

$(B)/obj/%.o: %.c $(B)/flags | $(NEEDS_DEPS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libcommon.a: $(common_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/libgreylist.a: $(greylist_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/libspfd.a: $(spf_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/libdkimd.a: $(dkim_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

define link
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)
endef

ARCHIVES := $(B)/libgreylist.a $(B)/libcommon.a
$(B)/bin/greylistd: $(call obj,$(greylistd_SRCS)) $(ARCHIVES)
	$(link)
$(B)/bin/greylistctl: $(call obj,$(greylistctl_SRCS)) $(ARCHIVES)
	$(link)

SPF_ARCHIVES := $(B)/libspfd.a $(B)/libcommon.a
$(B)/bin/spfd: $(call obj,$(spfd_SRCS)) $(SPF_ARCHIVES)
	$(link)
$(B)/bin/spfctl: $(call obj,$(spfctl_SRCS)) $(SPF_ARCHIVES)
	$(link)

DKIM_ARCHIVES := $(B)/libdkimd.a $(B)/libcommon.a
$(B)/bin/dkimd: $(call obj,$(dkimd_SRCS)) $(DKIM_ARCHIVES)
	$(link)
$(B)/bin/dkimctl: $(call obj,$(dkimctl_SRCS)) $(DKIM_ARCHIVES)
	$(link)

# Unit tests and the small programs of other tiers.
oracle_OBJS := $(call obj,tests/oracle/spforacle.c tests/oracle/spfzone.c)
$(patsubst %,$(B)/t/test_%,spf spf_kept spfguard spfguard_error): \
	$(oracle_OBJS)
$(B)/t/test_%: $(B)/obj/tests/unit/test_%.o $(ARCHIVES)
	$(link)
$(B)/t/test_spfd_%: $(B)/obj/tests/unit/test_spfd_%.o $(SPF_ARCHIVES)
	$(link)
$(DKIM_TESTS:%=$(B)/t/%): $(B)/t/%: $(B)/obj/tests/unit/%.o $(DKIM_ARCHIVES)
	$(link)
$(B)/t/keytool: $(B)/obj/tests/reference/keytool.o $(ARCHIVES)
	$(link)
$(B)/t/polload: $(call obj,$(polload_SRCS)) $(ARCHIVES)
	$(link)
$(B)/t/milterload: $(call obj,$(milterload_SRCS)) $(ARCHIVES)
	$(link)
$(B)/t/rawdkim: $(B)/obj/tests/bench/rawdkim.o $(DKIM_ARCHIVES)
	$(link)
$(B)/t/filldb: $(call obj,$(filldb_SRCS)) $(ARCHIVES)
	$(link)
$(B)/t/floor: $(call obj,$(floor_SRCS)) $(ARCHIVES)
	$(link)
$(B)/t/spfcases: $(B)/obj/tests/conformance/spfcases.o $(oracle_OBJS) \
		$(ARCHIVES)
	$(link)
$(B)/t/dkimcases: $(B)/obj/tests/conformance/dkimcases.o $(DKIM_ARCHIVES)
	$(link)
$(B)/t/storetool: $(B)/obj/tests/fault/storetool.o $(ARCHIVES)
	$(link)
$(B)/t/testmilter: $(B)/obj/tests/milter/testmilter.o $(ARCHIVES)
	$(link)
$(B)/t/dnsask: $(B)/obj/tests/dns/dnsask.o $(ARCHIVES)
	$(link)

TEST_PROGRAMS := $(UNIT_TESTS:%=$(B)/t/%)
# Objects of tests are kept: make would take them for intermediate files.
.SECONDARY:

-include $(patsubst %.o,%.d,$(call obj,$(ALL_SRCS))) \
	$(wildcard $(B)/obj/tests/*/*.d)

# ---------------------------------------------------------------- tests
# All tiers speak TAP. BINDIR and TOOLDIR tell tests where the programs are.
PROVE := prove --timer
export BINDIR := $(abspath $(B)/bin)
export TOOLDIR := $(abspath $(B)/t)
export PYTHONDONTWRITEBYTECODE := 1

SCENARIOS := tests/scenarios/greylistd/*.scn tests/scenarios/spfd/*.scn \
	tests/scenarios/dkimd/*.scn
TOOLS := $(B)/t/keytool $(B)/t/polload $(B)/t/filldb $(B)/t/floor \
	$(B)/t/milterload $(B)/t/rawdkim $(B)/t/testmilter

# The fast tiers; with SAN=1 under sanitizers.
check: check-lint check-unit check-scenarios check-milter
check-lint: all
	$(PROVE) tests/lint/t_*.py
check-unit: $(TEST_PROGRAMS)
	$(PROVE) -e '' $(TEST_PROGRAMS)
check-scenarios: all $(B)/t/testmilter
	$(PROVE) tests/scenario/t_player.py
	$(PROVE) -j2 -e tests/run $(SCENARIOS)
check-milter: $(B)/t/testmilter
	$(PROVE) tests/milter/t_*.py

# The tiers that need more of the machine or other programs.
check-fault: all $(B)/t/storetool $(B)/t/dnsask
	$(PROVE) tests/fault/t_*.py
check-conformance: $(B)/t/spfcases $(B)/t/dkimcases
	$(PROVE) tests/conformance/t_*.py
check-reference: all $(TOOLS)
	$(PROVE) tests/reference/t_*.py
check-system: all $(B)/t/testmilter
	$(PROVE) tests/system/t_*.py
# Compilers may run side by side, tests may not: these are built first.
JOBS := $(shell nproc)
built: all $(TEST_PROGRAMS) $(B)/t/testmilter
built-threads: $(THREAD_TESTS:%=$(B)/t/%) $(B)/t/testmilter
built-fuzz: $(FUZZERS:%=build/fuzz/%)
check-san:
	$(MAKE) -j$(JOBS) SAN=1 built
	$(MAKE) SAN=1 check-unit check-scenarios check-milter
check-tsan:
	$(MAKE) -j$(JOBS) SAN=thread built-threads
	$(MAKE) SAN=thread check-threads check-milter
check-threads: $(THREAD_TESTS:%=$(B)/t/%)
	$(PROVE) -e "" $^
check-valgrind: all $(TEST_PROGRAMS)
	tests/valgrind

# Everything, in short forms where a tier can also run for long.
test: deps
	$(MAKE) -j$(JOBS) built $(TOOLS)
	$(MAKE) check
	$(MAKE) check-fault check-conformance check-reference check-system
	$(MAKE) check-san check-tsan check-valgrind
	$(MAKE) -j$(JOBS) built-fuzz
	$(MAKE) FUZZ_SECONDS=2 fuzz
	BENCH_SHORT=1 $(MAKE) bench

demo: all
	tests/system/demo.py

bench: all $(TOOLS)
	tests/bench/run
	tests/bench/greydns
	tests/bench/spf
	tests/bench/dkim

# --------------------------------------------------------- fuzz targets
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := -std=c11 -D_GNU_SOURCE -I. -DPOSTERN_VERSION='"$(VERSION)"' \
	-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_OBJS := $(patsubst %.c,build/fuzz/obj/%.o,$(common_SRCS) \
	$(greylist_SRCS))
build/fuzz/obj/%.o: %.c | $(NEEDS_DEPS)
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
build/fuzz/fuzz_spf: build/fuzz/obj/tests/oracle/spforacle.o \
	build/fuzz/obj/tests/oracle/spfzone.o
FUZZ_SPFD_OBJS := $(patsubst %.c,build/fuzz/obj/%.o,$(common_SRCS) \
	$(spf_SRCS))
build/fuzz/fuzz_spfctl build/fuzz/fuzz_spfd: \
		build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SPFD_OBJS)
	$(call say,FUZZLD,$@)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
FUZZ_DKIM_OBJS := $(patsubst %.c,build/fuzz/obj/%.o,$(common_SRCS) \
	$(dkim_SRCS))
$(DKIM_FUZZERS:%=build/fuzz/%): \
		build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_DKIM_OBJS)
	$(call say,FUZZLD,$@)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_OBJS)
	$(call say,FUZZLD,$@)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
-include $(FUZZ_OBJS:%.o=%.d) $(FUZZ_SPFD_OBJS:%.o=%.d) \
	$(FUZZ_DKIM_OBJS:%.o=%.d)

fuzz: $(FUZZERS:%=build/fuzz/%)
	tests/fuzz/run $(FUZZ_SECONDS) $^

# ------------------------------------------------------------ housework
analyze:
	$(Q)mkdir -p build
	cppcheck -q --std=c11 -I. --inline-suppr --error-exitcode=1 \
		--enable=warning,portability,performance $(ALL_SRCS)
	for f in $(ALL_SRCS); do gcc -std=c11 -D_GNU_SOURCE -I. -O0 \
		-DPOSTERN_VERSION='"0"' -fanalyzer -c -o build/analyze.o $$f \
		|| exit 1; done
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
coverage:
	$(MAKE) COV=1 check-unit check-scenarios
	gcovr -r . --object-directory build/cov -e tests

# -------------------------------------------------------------- install
subst_paths = sed -e 's,@SBINDIR@,$(SBINDIR),g'
install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(SYSCONFDIR)/postern \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(DOCDIR)
	install -m 755 $(PROGRAMS:%=$(B)/bin/%) $(DESTDIR)$(SBINDIR)
	install -m 644 $(MANPAGES8) $(DESTDIR)$(MANDIR)/man8
	install -m 644 $(MANPAGES5) $(DESTDIR)$(MANDIR)/man5
	for f in $(CONFIGS); do \
	  to=$(DESTDIR)$(SYSCONFDIR)/postern/$${f##*/}; \
	  test -e $$to || install -m 644 $$f $$to || exit 1; done
	install -m 644 $(LISTS) $(DESTDIR)$(SYSCONFDIR)/postern
	for f in $(UNITS); do $(subst_paths) systemd/$$f \
	  >$(DESTDIR)$(UNITDIR)/$$f || exit 1; done
	install -m 644 systemd/postern.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/postern.conf
	install -m 644 systemd/postern.tmpfiles \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/postern.conf
	install -m 644 README.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)

# greylistd under postgrey's name; the package postgrey must be gone.
install-postgrey: install
	ln -sf greylistd $(DESTDIR)$(SBINDIR)/postgrey
	install -d $(DESTDIR)$(PREFIX)/bin
	ln -sf $(SBINDIR)/greylistctl $(DESTDIR)$(PREFIX)/bin/postgreyreport
	$(subst_paths) systemd/postgrey.service \
		>$(DESTDIR)$(UNITDIR)/postgrey.service

# spfd under the name of policyd-spf; that package must be gone.
install-policyd-spf: install
	install -d $(DESTDIR)$(PREFIX)/bin
	ln -sf $(SBINDIR)/spfd $(DESTDIR)$(PREFIX)/bin/policyd-spf

# dkimd and dkimctl under the names of opendkim and its tools; the packages
# must be gone.
install-opendkim: install
	ln -sf dkimctl $(DESTDIR)$(SBINDIR)/opendkim-genkey
	ln -sf dkimctl $(DESTDIR)$(SBINDIR)/opendkim-testkey
	ln -sf dkimd $(DESTDIR)$(SBINDIR)/opendkim
	$(subst_paths) systemd/opendkim.service \
		>$(DESTDIR)$(UNITDIR)/opendkim.service

clean:
	rm -rf build
