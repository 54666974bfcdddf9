/* SPDX-License-Identifier: MIT */
/*
 * The backtick commands of packetdrill scripts, understood without a shell: a reader for the small
 * part of the shell's language that scripts use, and the commands they call (sysctl, ip, tc, nstat,
 * ss, cat, grep, sleep, ...). What they do to the host goes through an ops table, so that nothing
 * here knows a stack. What is not known ends in an error of kind PD_ERROR_UNKNOWN with file, line
 * and word, never in silence.
 */
#ifndef TAPLINE_PACKETDRILL_COMMANDS_H
#define TAPLINE_PACKETDRILL_COMMANDS_H

#include "base/strbuf.h"
#include "tc/tc.h"
#include "packetdrill/script.h"

/*
 * What the host can do for the commands. Every entry returns 0 or -errno; -EOPNOTSUPP where the
 * host knows no such thing (the script is skipped then). An entry may be NULL: the same.
 */
struct pd_route {
	enum { PD_ROUTE_ADD, PD_ROUTE_CHANGE, PD_ROUTE_REPLACE, PD_ROUTE_DEL } verb;
	bool v6;
	const char *dst; /* "192.0.2.1", "192.0.2.0/24", "default" */
	const char *via, *dev, *src; /* NULL when not given */
	/* Metrics, 0: not given. */
	u32 advmss, mtu, initcwnd, initrwnd, window, rtt_ms, rto_min_ms, cwnd, ssthresh, hoplimit;
	u32 reordering, quickack, features_ecn, fastopen_no_cookie, metric;
	bool mtu_lock, cwnd_lock;
	const char *congctl;
};

struct pd_command_ops {
	/* Sysctls by name with dots ("net.ipv4.tcp_sack"); values as text. -ENOENT: no such one. */
	int (*sysctl_get)(void *ctx, const char *name, struct strbuf *out);
	int (*sysctl_set)(void *ctx, const char *name, const char *value);
	/* The name that was meant, to be freed; NULL: none is near. */
	char *(*sysctl_near)(void *ctx, const char *name);
	/* Files below /proc that are no sysctls ("/proc/net/tcp"). */
	int (*proc_read)(void *ctx, const char *path, struct strbuf *out);
	/* Every counter by nstat's name. */
	int (*counters)(void *ctx, void (*fn)(void *arg, const char *name, u64 value), void *arg);
	/*
	 * One line per TCP socket as `ss -Htan` prints it ("TIME-WAIT 0 0 192.168.0.1:8080
	 * 192.0.2.1:1234"), state names as ss prints them.
	 */
	int (*ss)(void *ctx, struct strbuf *out);
	int (*route)(void *ctx, const struct pd_route *route);
	int (*route_show)(void *ctx, bool v6, struct strbuf *out);
	int (*metrics_flush)(void *ctx, const char *address); /* NULL: all */
	int (*metrics_show)(void *ctx, const char *address, struct strbuf *out);
	/* A request to traffic control (not `show`); *why has what tc prints when it is refused. */
	int (*qdisc)(void *ctx, const struct tc_command *tc, struct strbuf *why);
	int (*link_set)(void *ctx, const char *dev, const char *key, const char *value);
	int (*addr)(void *ctx, bool add, const char *address, const char *dev);
	/* ethtool -K dev feature on|off */
	int (*feature)(void *ctx, const char *dev, const char *feature, bool on);
	/*
	 * iptables, ip6tables, nft, conntrack: argv as typed (argv[0] is the command). Output into
	 * *out; *status is the command's exit status. -EOPNOTSUPP with *bad the word not known.
	 */
	int (*netfilter)(void *ctx, int argc, char *const *argv, struct strbuf *out, int *status,
			 const char **bad);
	/* Virtual time goes on by that much. */
	int (*sleep)(void *ctx, u64 ns);
};

/* The state that lives on between the commands of one script: variables and files in memory. */
struct pd_shell;

/* `ops`, `ctx` and the script's path (".sh" files are looked for beside it) must outlive it. */
struct pd_shell *pd_shell_new(const struct pd_command_ops *ops, void *ctx, const char *script_path);
void pd_shell_free(struct pd_shell *s);

/* A variable as --env gives it. */
void pd_shell_set(struct pd_shell *s, const char *name, const char *value);

/* Content of a file: in memory, below /proc, or a script beside ours. 0 or -errno. */
int pd_shell_file_read(struct pd_shell *s, const char *path, struct strbuf *out);

/*
 * Runs one command text. False when something is not known or not well formed (*error, kind
 * PD_ERROR_UNKNOWN or PD_ERROR_SYNTAX). Else true: *status is the exit status, and what was printed
 * to standard output and error is added to *out.
 */
bool pd_shell_run(struct pd_shell *s, struct pd_text command, int line, int *status,
		  struct strbuf *out, struct pd_error *error);

#endif
