/* SPDX-License-Identifier: MIT */
/*
 * The shell behind backtick commands, as its parts share it: shell.c reads lists, pipelines, if and
 * for; shell_word.c expands words; shell_files.c knows what files there are; command_*.c are the
 * commands themselves.
 */
#ifndef TAPLINE_PACKETDRILL_SHELL_H
#define TAPLINE_PACKETDRILL_SHELL_H

#include "packetdrill/commands.h"

#define PD_SHELL_MAX_ARGS  256
#define PD_SHELL_MAX_DEPTH 24 /* of files that read files, $( ) in $( ), if in if */
#define PD_SHELL_MAX_STEPS 20000 /* commands in one run */
#define PD_SHELL_MAX_WORD  16384 /* bytes */
#define PD_SHELL_MAX_TEXT  (16u << 20) /* bytes of a file, of output */

struct pd_shell_pair {
	char *name, *value;
};

struct pd_shell_file {
	char *name;
	struct strbuf text;
};

struct pd_shell_count {
	char *name;
	u64 value;
};

struct pd_shell {
	const struct pd_command_ops *ops;
	void *ctx;
	const char *script_path;
	struct pd_shell_pair *variable;
	size_t variables;
	struct pd_shell_file *file; /* in memory */
	size_t files;
	struct pd_shell_count *history; /* of nstat */
	size_t counts;
	int steps;
	int depth;
};

/* One text that is being run: the command itself, a file that it reads, the inside of $( ). */
struct pd_reader {
	struct pd_shell *shell;
	const char *name; /* of the file, for messages */
	const char *begin, *p, *end;
	int first_line;
	bool live; /* false: what stands here is read and not run */
	bool exiting; /* exit, or a failure under set -e */
	bool errexit;
	int status;
	char *const *arg; /* $1 and so on */
	int args;
	struct strbuf *out, *err;
	const struct strbuf *in;
	struct pd_error *error;
};

/* A command about to run. */
struct pd_invocation {
	struct pd_reader *reader;
	struct pd_shell *shell;
	int argc;
	char **argv; /* ends with NULL */
	const struct strbuf *in;
	struct strbuf *out, *err;
};

/* Exit status, or -1 with the reader's error set. */
typedef int pd_command(struct pd_invocation *c);

/* Both always -1. */
int pd_shell_unknown(struct pd_reader *r, const char *what, const char *word);
int pd_shell_unknown_near(struct pd_reader *r, const char *what, const char *word,
			  const char *near);
/* The command that was meant; NULL: none is near. */
const char *pd_command_near(const char *name);
int pd_shell_broken(struct pd_reader *r, const char *what);

/* What an entry of the ops table gave: 0, or 2 with a message like rtnetlink's; -1 when unknown. */
int pd_shell_answer(struct pd_invocation *c, int result, const char *what, const char *word);

const char *pd_shell_get(const struct pd_shell *s, const char *name);

/* Reads and runs everything that a reader has. False with its error set. */
bool pd_shell_read(struct pd_reader *r);

/* Runs a file's text; -1 with the reader's error set. */
int pd_shell_source(struct pd_invocation *c, const char *path, int argc, char *const *argv);

/*
 * Reads a word with its quotes and expansions, and adds what it becomes (none, one or several
 * words) to argv. False with the error set. At the end of a command *count does not grow.
 */
bool pd_shell_word(struct pd_reader *r, char **argv, int *count);

/* Is the byte one that ends a word? */
bool pd_shell_ends_word(char c);

/* Does this text stand here? Blanks, comments and joined lines skipped. */
bool pd_shell_starts(const struct pd_reader *r, const char *text);
void pd_shell_skip_blanks(struct pd_reader *r);

/* Reads one simple command up to its end, and runs it unless the reader only reads. False with the
 * error set. */
bool pd_shell_simple(struct pd_reader *r, const struct strbuf *in, struct strbuf *out);

/* Writes a file in memory, or a sysctl below /proc/sys. 0 or -errno. */
int pd_shell_file_write(struct pd_shell *s, const char *path, const struct strbuf *text,
			bool append);
/* Forgets a file in memory. False: there is none of the name. */
bool pd_shell_file_remove(struct pd_shell *s, const char *path);
void pd_shell_files_free(struct pd_shell *s);

/* Command by name; NULL when there is none. */
pd_command *pd_command_find(const char *name);

pd_command pd_cmd_sysctl, pd_cmd_set_sysctls; /* command_sysctl.c */
pd_command pd_cmd_ip, pd_cmd_tc, pd_cmd_ethtool; /* command_ip.c */
pd_command pd_cmd_nstat, pd_cmd_ss, pd_cmd_netfilter, pd_cmd_modprobe; /* command_net.c */
pd_command pd_cmd_grep, pd_cmd_cat, pd_cmd_wc, pd_cmd_echo, pd_cmd_test; /* command_text.c */
pd_command pd_cmd_dd, pd_cmd_rm, pd_cmd_truncate; /* command_file.c */
pd_command pd_cmd_head, pd_cmd_sleep, pd_cmd_true, pd_cmd_false;

#endif
