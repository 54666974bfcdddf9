/* SPDX-License-Identifier: MIT */
/* sysctl, and the kernel tree's set_sysctls.py, which leaves a script that sets all back. */
#include "packetdrill/shell.h"
#include "packetdrill/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Name of a sysctl with dots; the caller frees it. */
static char *dotted(const char *name)
{
	char *copy = xstrdup(name), *p;

	for (p = copy; *p; p++) {
		if (*p == '/')
			*p = '.';
	}
	return copy;
}

static int answer(struct pd_invocation *c, int result, const char *name)
{
	/* A kernel setting that we do not have: the script can not be judged. */
	if (result == -ENOENT || result == -EOPNOTSUPP) {
		char *near = c->shell->ops->sysctl_near ?
				     c->shell->ops->sysctl_near(c->shell->ctx, name) :
				     NULL;

		pd_shell_unknown_near(c->reader, "sysctl", name, near);
		free(near);
		return -1;
	}
	if (result == 0)
		return 0;
	strbuf_printf(c->err, "sysctl: setting key \"%s\": %s\n", name, pd_errno_name(-result));
	return 1;
}

static int get(struct pd_invocation *c, const char *name, struct strbuf *value)
{
	return answer(c,
		      c->shell->ops->sysctl_get ?
			      c->shell->ops->sysctl_get(c->shell->ctx, name, value) :
			      -EOPNOTSUPP,
		      name);
}

static int set(struct pd_invocation *c, const char *name, const char *value)
{
	return answer(c,
		      c->shell->ops->sysctl_set ?
			      c->shell->ops->sysctl_set(c->shell->ctx, name, value) :
			      -EOPNOTSUPP,
		      name);
}

struct flags {
	bool quiet, values, names, ignore; /* -e: a setting that is not there is no error */
};

static bool missing(struct pd_invocation *c, const char *name)
{
	const struct pd_command_ops *ops = c->shell->ops;
	struct strbuf value = { 0 };
	int err = ops->sysctl_get ? ops->sysctl_get(c->shell->ctx, name, &value) : 0;

	strbuf_free(&value);
	return err == -ENOENT;
}

static int one(struct pd_invocation *c, const char *argument, const struct flags *flags)
{
	const char *equals = strchr(argument, '=');
	struct strbuf value = { 0 };
	char *name = dotted(argument);
	int status;

	if (equals)
		name[equals - argument] = '\0';
	if (flags->ignore && missing(c, name)) {
		free(name);
		return 0;
	}
	if (equals) {
		status = set(c, name, equals + 1);
		if (status == 0 && !flags->quiet)
			strbuf_printf(c->out, "%s = %s\n", name, equals + 1);
	} else {
		status = get(c, name, &value);
		if (status == 0 && flags->names)
			strbuf_printf(c->out, "%s\n", name);
		else if (status == 0 && flags->values)
			strbuf_printf(c->out, "%s\n", strbuf_text(&value));
		else if (status == 0)
			strbuf_printf(c->out, "%s = %s\n", name, strbuf_text(&value));
	}
	strbuf_free(&value);
	free(name);
	return status;
}

int pd_cmd_sysctl(struct pd_invocation *c)
{
	struct flags flags = { 0 };
	int i, status = 0;

	for (i = 1; i < c->argc && c->argv[i][0] == '-'; i++) {
		const char *p;

		if (strncmp(c->argv[i], "--", 2) == 0)
			return pd_shell_unknown(c->reader, "option of sysctl", c->argv[i]);
		for (p = c->argv[i] + 1; *p; p++) {
			if (!strchr("eqwnN", *p))
				return pd_shell_unknown(c->reader, "option of sysctl", c->argv[i]);
			flags.quiet |= *p == 'q';
			flags.values |= *p == 'n';
			flags.names |= *p == 'N';
			flags.ignore |= *p == 'e';
		}
	}
	for (; i < c->argc; i++) {
		int result = one(c, c->argv[i], &flags);

		if (result < 0)
			return -1;
		status = result ? result : status;
	}
	return status;
}

/* A shell's word that gives the value back: quotes inside are left out, sysctls have none. */
static void add_restore(struct strbuf *script, const char *path, const char *value)
{
	const char *p;

	strbuf_puts(script, "echo \"");
	for (p = value; *p; p++) {
		if (!strchr("\"\\$`", *p))
			strbuf_putc(script, *p == '\n' ? ' ' : *p);
	}
	strbuf_printf(script, "\" > %s\n", path);
}

int pd_cmd_set_sysctls(struct pd_invocation *c)
{
	const char *ppid = pd_shell_get(c->shell, "PPID");
	struct strbuf script = { 0 }, old = { 0 }, file = { 0 };
	int i, status = 0;

	strbuf_puts(&script, "#!/bin/sh\n");
	for (i = 1; i < c->argc && status >= 0; i++) {
		const char *equals = strchr(c->argv[i], '=');
		char *path = xstrdup(c->argv[i]), *name;

		if (!equals || strncmp(path, "/proc/sys/", 10) != 0) {
			status = pd_shell_unknown(c->reader, "argument of set_sysctls.py", path);
			free(path);
			break;
		}
		path[equals - c->argv[i]] = '\0';
		name = dotted(path + 10);
		strbuf_clear(&old);
		status = get(c, name, &old);
		if (status == 0) {
			add_restore(&script, path, strbuf_text(&old));
			status = set(c, name, equals + 1);
		}
		free(name);
		free(path);
	}
	strbuf_printf(&file, "/tmp/sysctl_restore_%s.sh", ppid ? ppid : "");
	if (status >= 0)
		pd_shell_file_write(c->shell, strbuf_text(&file), &script, false);
	strbuf_free(&script);
	strbuf_free(&old);
	strbuf_free(&file);
	return status;
}
