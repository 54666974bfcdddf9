/* SPDX-License-Identifier: MIT */
/*
 * What lives on from command to command: the shell's variables and its files in memory.
 */
#include "packetdrill/shell.h"

#include <stdlib.h>
#include <string.h>

struct pd_shell *pd_shell_new(const struct pd_command_ops *ops, void *ctx, const char *script_path)
{
	struct pd_shell *s = xrealloc(NULL, sizeof(*s));

	*s = (struct pd_shell){ .ops = ops, .ctx = ctx, .script_path = script_path };
	/* Always the same: a number of the machine's would show in the run. */
	pd_shell_set(s, "PPID", "1000");
	return s;
}

static void free_pairs(struct pd_shell_pair *pair, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(pair[i].name);
		free(pair[i].value);
	}
	free(pair);
}

void pd_shell_free(struct pd_shell *s)
{
	size_t i;

	if (!s)
		return;
	free_pairs(s->variable, s->variables);
	pd_shell_files_free(s);
	for (i = 0; i < s->counts; i++)
		free(s->history[i].name);
	free(s->history);
	free(s);
}

void pd_shell_set(struct pd_shell *s, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < s->variables && strcmp(s->variable[i].name, name) != 0; i++)
		;
	if (i == s->variables) {
		s->variable = xrealloc(s->variable, (i + 1) * sizeof(*s->variable));
		s->variable[i].name = xstrdup(name);
		s->variable[i].value = NULL;
		s->variables++;
	}
	free(s->variable[i].value);
	s->variable[i].value = xstrdup(value);
}

const char *pd_shell_get(const struct pd_shell *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->variables; i++) {
		if (strcmp(s->variable[i].name, name) == 0)
			return s->variable[i].value;
	}
	return NULL;
}
