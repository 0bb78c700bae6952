#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accounts.h"
#include "fail.h"

/* In the order of their numbers, capabilities(7). */
static const char *const CAPABILITIES[] = {
    "CHOWN",         "DAC_OVERRIDE",     "DAC_READ_SEARCH", "FOWNER",       "FSETID",      "KILL",
    "SETGID",        "SETUID",           "SETPCAP",         "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST",
    "NET_ADMIN",     "NET_RAW",          "IPC_LOCK",        "IPC_OWNER",    "SYS_MODULE",  "SYS_RAWIO",
    "SYS_CHROOT",    "SYS_PTRACE",       "SYS_PACCT",       "SYS_ADMIN",    "SYS_BOOT",    "SYS_NICE",
    "SYS_RESOURCE",  "SYS_TIME",         "SYS_TTY_CONFIG",  "MKNOD",        "LEASE",       "AUDIT_WRITE",
    "AUDIT_CONTROL", "SETFCAP",          "MAC_OVERRIDE",    "MAC_ADMIN",    "SYSLOG",      "WAKE_ALARM",
    "BLOCK_SUSPEND", "AUDIT_READ",       "PERFMON",         "BPF",          "CHECKPOINT_RESTORE",
};

uint64_t capability_bits(const char *name)
{
    if (strcmp(name, "ALL") == 0)
        return UINT64_MAX;
    for (size_t i = 0; i < sizeof CAPABILITIES / sizeof *CAPABILITIES; i++)
        if (strcmp(name, CAPABILITIES[i]) == 0)
            return UINT64_C(1) << i;
    return 0;
}

static void add_group(struct identity *identity, gid_t gid)
{
    identity->groups = grown(identity->groups, identity->group_count, sizeof *identity->groups);
    identity->groups[identity->group_count++] = gid;
}

/* The groups that the image gives the user, where the list asks for them (`+`) or there is none. */
static void find_groups(const struct wanted_identity *wanted, const char *user, struct identity *identity)
{
    const struct words *list = &wanted->groups;
    bool merges = list->count == 0 || strcmp(list->items[0], "+") == 0;

    identity->changes_groups = list->count > 0 || wanted->user;
    if (!identity->changes_groups)
        return;
    if (merges)
        add_groups_of(user, &identity->groups, &identity->group_count);
    for (size_t i = list->count > 0 && merges; i < list->count; i++) {
        gid_t gid;
        if (!find_group(list->items[i], &gid))
            fail(EXIT_REFUSED, "the image has no group %s", list->items[i]);
        add_group(identity, gid);
    }
}

void find_identity(const struct wanted_identity *wanted, struct identity *identity)
{
    struct account account;
    char current[16];

    snprintf(current, sizeof current, "%u", (unsigned)getuid());
    if (!find_user(wanted->user ? wanted->user : current, &account))
        fail(EXIT_REFUSED, "the image has no user %s", wanted->user);
    *identity = (struct identity){
        .changes_user = wanted->user,
        .changes_group = wanted->user || wanted->group,
        .uid = wanted->user ? account.uid : geteuid(),
        .gid = account.gid,
        .dropped = wanted->dropped,
        .no_new_privileges = wanted->no_new_privileges,
    };
    if (wanted->group && !find_group(wanted->group, &identity->gid))
        fail(EXIT_REFUSED, "the image has no group %s", wanted->group);
    find_groups(wanted, account.name, identity);
    memcpy(identity->home, account.home, sizeof identity->home);
}

/* The bounding set is what root, and any program with file capabilities, could get back. */
static void drop_bounding(uint64_t dropped)
{
    for (unsigned i = 0; i < 64; i++) {
        if (!(dropped >> i & 1) || prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
            fail(EXIT_SYSTEM, "cannot drop capability %u: %s; it needs SETPCAP", i, strerror(errno));
    }
}

/* Version 3 of capset(2): two halves of each set. The C library has no call for it. */
struct capability_half {
    uint32_t effective;
    uint32_t permitted;
    uint32_t inheritable;
};

static void drop_held(uint64_t dropped)
{
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522, 0};
    struct capability_half halves[2];

    if (syscall(SYS_capget, &header, halves) < 0)
        fail(EXIT_SYSTEM, "cannot read the capabilities: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        uint32_t kept = (uint32_t) ~(dropped >> (32 * i));
        halves[i].effective &= kept;
        halves[i].permitted &= kept;
        halves[i].inheritable &= kept;
    }
    /* What leaves the permitted or the inheritable set leaves the ambient one with it. */
    if (syscall(SYS_capset, &header, halves) < 0)
        fail(EXIT_SYSTEM, "cannot drop capabilities: %s", strerror(errno));
}

/* The bounding set first and the held ones last: changing it needs SETPCAP, changing users SETUID and SETGID. */
void become(const struct identity *identity)
{
    drop_bounding(identity->dropped);
    if (identity->changes_groups && setgroups(identity->group_count, identity->groups) < 0)
        fail(EXIT_SYSTEM, "cannot set the groups: %s", strerror(errno));
    if (identity->changes_group && setresgid(identity->gid, identity->gid, identity->gid) < 0)
        fail(EXIT_SYSTEM, "cannot become group %u: %s", identity->gid, strerror(errno));
    if (identity->changes_user && setresuid(identity->uid, identity->uid, identity->uid) < 0)
        fail(EXIT_SYSTEM, "cannot become user %u: %s", identity->uid, strerror(errno));
    if (identity->dropped)
        drop_held(identity->dropped);
    if (identity->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(EXIT_SYSTEM, "cannot give up new privileges: %s", strerror(errno));
}
