/* SPDX-License-Identifier: MIT */
/*
 * Until commands.c is there: commands are not known, so that scripts with them are skipped.
 */
#include "packetdrill/commands.h"

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
