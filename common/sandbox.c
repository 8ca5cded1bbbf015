/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "common/str.h"

/* LeakSanitizer traces its own process at the end. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* (uid_t)-1 means "unchanged" to the system calls. */
#define ID_MAX (UINT32_MAX - 1)

static int
lookup_user(const char *user, uid_t *uid_r, gid_t *gid_r, bool *has_gid_r,
    struct err *err)
{
	unsigned long long number;
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL && str_to_uint(user, ID_MAX, &number)) {
		*uid_r = (uid_t)number;
		*has_gid_r = false;
		pw = getpwuid(*uid_r);
		if (pw == NULL)
			return 0;
	}
	if (pw == NULL && errno != 0 && errno != ENOENT)
		return err_set_errno(err, errno,
		    "cannot look up user"
		    " \"%s\"",
		    user);
	if (pw == NULL)
		return err_set(err, "there is no user \"%s\"", user);
	*uid_r = pw->pw_uid;
	*gid_r = pw->pw_gid;
	*has_gid_r = true;
	return 0;
}

static int
lookup_group(const char *group, gid_t *gid_r, struct err *err)
{
	unsigned long long number;
	const struct group *gr;

	errno = 0;
	gr = getgrnam(group);
	if (gr != NULL) {
		*gid_r = gr->gr_gid;
		return 0;
	}
	if (str_to_uint(group, ID_MAX, &number)) {
		*gid_r = (gid_t)number;
		return 0;
	}
	if (errno != 0 && errno != ENOENT)
		return err_set_errno(err, errno,
		    "cannot look up group"
		    " \"%s\"",
		    group);
	return err_set(err, "there is no group \"%s\"", group);
}

int
sandbox_lookup(const char *user, const char *group, uid_t *uid_r, gid_t *gid_r,
    struct err *err)
{
	bool has_gid = false;

	if (lookup_user(user, uid_r, gid_r, &has_gid, err) < 0)
		return -1;
	if (group[0] != '\0')
		return lookup_group(group, gid_r, err);
	if (!has_gid)
		return err_set(err,
		    "user %s has no entry in the password"
		    " file: set Group as well",
		    user);
	return 0;
}

/* Is there a way back to root? Then something is badly wrong. */
static bool
can_return(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) < 0 ||
	    getresgid(&rgid, &egid, &sgid) < 0)
		return true;
	if (ruid != uid || euid != uid || suid != uid || rgid != gid ||
	    egid != gid || sgid != gid)
		return true;
	if (uid == 0)
		return false;
	return setuid(0) == 0 || seteuid(0) == 0;
}

int
sandbox_drop(uid_t uid, gid_t gid, struct err *err)
{
	if (geteuid() != 0) {
		if (geteuid() == uid)
			return 0;
		return err_set(
		    err, "only root can become user %lu", (unsigned long)uid);
	}
	/* A container without a map of groups refuses, also when there is
	 * nothing to give up. */
	if (setgroups(0, NULL) < 0 && getgroups(0, NULL) != 0)
		return err_set_errno(err, errno,
		    "cannot give up"
		    " supplementary groups");
	if (setresgid(gid, gid, gid) < 0)
		return err_set_errno(
		    err, errno, "cannot become group %lu", (unsigned long)gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_set_errno(
		    err, errno, "cannot become user %lu", (unsigned long)uid);
	if (can_return(uid, gid))
		return err_set(err, "root's privileges came back after they"
				    " were given up");
	/* As after an exec by systemd with User=: a core dump is possible
	 * where the limit allows one. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}

/* Names instead of numbers: a kernel or library that does not know one just
 * has it skipped. */
static const char *const forbidden[] = {
	/* running programs, gaining privileges */
	"execve",
	"execveat",
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"capset",
	/* other processes' insides; kernel interfaces with a bad record */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"kcmp",
	"pidfd_getfd",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"add_key",
	"request_key",
	"keyctl",
	"modify_ldt",
	"vm86",
	"vm86old",
	"personality",
	/* mounts, roots, namespaces */
	"mount",
	"umount",
	"umount2",
	"pivot_root",
	"chroot",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"unshare",
	"setns",
	"open_by_handle_at",
	/* the machine */
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"swapon",
	"swapoff",
	"acct",
	"quotactl",
	"quotactl_fd",
	"sethostname",
	"setdomainname",
	"iopl",
	"ioperm",
	"syslog",
	"vhangup",
	"nfsservctl",
	"lookup_dcookie",
	/* the clock */
	"settimeofday",
	"clock_settime",
	"clock_settime64",
	"stime",
	"adjtimex",
	"clock_adjtime",
	"clock_adjtime64",
};

static int
deny_calls(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
		int call = seccomp_syscall_resolve_name(forbidden[i]);
		int r;

		if (call == __NR_SCMP_ERROR ||
		    (IS_SANITIZED && strcmp(forbidden[i], "ptrace") == 0))
			continue;
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
		/* -EDOM: this architecture has no such call. */
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

/* clone(2) is how threads are made, so only its namespaces are forbidden;
 * clone3(2) has its flags in memory, where a filter cannot look: as on an old
 * kernel, the C library then takes clone. */
static int
deny_namespaces(scmp_filter_ctx filter)
{
	static const scmp_datum_t flags[] = {
		CLONE_NEWNS,
		CLONE_NEWCGROUP,
		CLONE_NEWUTS,
		CLONE_NEWIPC,
		CLONE_NEWUSER,
		CLONE_NEWPID,
		CLONE_NEWNET,
	};
#if defined(__s390__)
	const unsigned int position = 1;
#else
	const unsigned int position = 0;
#endif
	int r = seccomp_rule_add(
	    filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 1,
		    SCMP_CMP(position, SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
	/* Typing into the administrator's terminal. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(ioctl), 1,
		    SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI));
	return r;
}

int
sandbox_enter(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (filter == NULL)
		return err_set(err, "cannot make a system call filter");
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = deny_calls(filter);
	if (r == 0)
		r = deny_namespaces(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0)
		return err_set_errno(err, -r,
		    "cannot load the system call"
		    " filter");
	return 0;
}
