/* SPDX-License-Identifier: MIT */
/*
 * Until commands.c and pycode.c are there: commands and blocks are not known, so that scripts with
 * them are skipped.
 */
#include "packetdrill/commands.h"
#include "packetdrill/pycode.h"

struct pd_shell *pd_shell_new(const struct pd_command_ops *ops, void *ctx, const char *script_path)
{
	(void)ops;
	(void)ctx;
	(void)script_path;
	return NULL;
}

void pd_shell_free(struct pd_shell *s)
{
	(void)s;
}

void pd_shell_set(struct pd_shell *s, const char *name, const char *value)
{
	(void)s;
	(void)name;
	(void)value;
}

bool pd_shell_run(struct pd_shell *s, struct pd_text command, int line, int *status,
		  struct strbuf *out, struct pd_error *error)
{
	(void)s;
	(void)command;
	(void)status;
	(void)out;
	pd_error_set(error, PD_ERROR_UNKNOWN, "", line, "`", "commands are not understood yet");
	return false;
}

struct pd_python *pd_python_new(const char *script_path)
{
	(void)script_path;
	return NULL;
}

void pd_python_free(struct pd_python *p)
{
	(void)p;
}

enum pd_python_result pd_python_run(struct pd_python *p, struct pd_text code, int line,
				    pd_python_lookup *lookup, void *ctx, struct strbuf *out,
				    struct pd_error *error)
{
	(void)p;
	(void)code;
	(void)lookup;
	(void)ctx;
	(void)out;
	pd_error_set(error, PD_ERROR_UNKNOWN, "", line, "%{", "blocks are not understood yet");
	return PD_PYTHON_ERROR;
}
