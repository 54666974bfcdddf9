/* SPDX-License-Identifier: MIT */
/*
 * Finding and reading tapline.args. Which files hold for a test hangs on where the test lies, not
 * on how its path was written or from where it is run.
 */
#include "run/args.h"

#include "base/data.h"
#include "lua/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "tapline.args"

static const char *const sections[] = { "[4]", "[6]", "[mapped]" };

static bool at_line(const struct args_file *f, int line, struct strbuf *error)
{
	strbuf_printf(error, "%s:%d: ", f->name, line);
	return false;
}

static bool take_section(const struct args_file *f, int line, const char *text, u8 *families,
			 struct strbuf *error)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (strcmp(text, sections[i]) == 0) {
			*families = (u8)(1u << i);
			return true;
		}
	}
	at_line(f, line, error);
	strbuf_printf(error, "'%s' is no section: there are [4], [6] and [mapped]", text);
	return false;
}

/* Tries one of our own options where it does no harm. */
static bool try_option(const struct args_option *o, struct strbuf *error)
{
	struct run_options scratch = { .profile = "linux" };
	struct script_config config = { .profile = "linux" };
	char *value = o->value ? xstrdup(o->value) : NULL;
	bool ok = run_options_apply(&scratch, o->name, value, error);

	config.settings = scratch.settings;
	config.setting_count = scratch.setting_count;
	ok = ok && settings_check(&config, error);
	run_options_free(&scratch);
	free(value);
	return ok;
}

static bool check_option(const struct args_file *f, const struct args_option *o,
			 struct strbuf *error)
{
	struct strbuf message = { 0 };
	int known = pd_option_check(o->name, o->value, NULL, &message);
	bool ok = known > 0 || (!known && try_option(o, &message));

	if (!ok) {
		at_line(f, o->line, error);
		strbuf_puts(error, strbuf_text(&message));
	}
	strbuf_free(&message);
	return ok;
}

/* "--name=value", "--name value", "-D value": the value is the rest of the line. */
static bool take_option(struct args_file *f, int line, char *text, u8 families,
			struct strbuf *error)
{
	struct args_option o = { .name = text, .line = line, .families = families };
	size_t len;

	if (text[0] != '-') {
		at_line(f, line, error);
		strbuf_printf(error, "'%s' is neither an option nor a section", text);
		return false;
	}
	len = strcspn(text, text[1] == '-' ? "= \t" : " \t");
	if (text[len]) {
		o.value = text + len + 1;
		if (text[len] != '=')
			o.value += strspn(o.value, " \t");
		text[len] = 0;
	}
	if (!check_option(f, &o, error))
		return false;
	f->options = xrealloc(f->options, (f->count + 1) * sizeof(*f->options));
	f->options[f->count++] = o;
	return true;
}

bool args_parse(struct args_file *f, struct strbuf *error)
{
	char *at = f->text.data;
	u8 families = ARGS_ALL;
	int line = 0;

	while (at && *at) {
		size_t len = strcspn(at, "\n");
		char *next = at + len + (at[len] == '\n');
		bool ok = true;

		line++;
		while (len && strchr(" \t\r", at[len - 1]))
			len--;
		at[len] = 0;
		at += strspn(at, " \t");
		if (*at == '[')
			ok = take_section(f, line, at, &families, error);
		else if (*at && *at != '#')
			ok = take_option(f, line, at, families, error);
		if (!ok)
			return false;
		at = next;
	}
	return true;
}

/* -- Finding -- */

/* The name that messages have for the file in a folder. */
static char *shown_name(const char *folder)
{
	char cwd[PATH_MAX];
	struct strbuf name = { 0 };
	size_t len;

	if (!getcwd(cwd, sizeof(cwd)))
		cwd[0] = 0;
	len = strlen(cwd);
	if (len && strncmp(folder, cwd, len) == 0 && (!folder[len] || folder[len] == '/'))
		strbuf_printf(&name, "%s%s" NAME, folder[len] ? folder + len + 1 : "",
			      folder[len] ? "/" : "");
	else
		strbuf_printf(&name, "%s/" NAME, folder);
	return name.data;
}

static struct args_file *read_file(const char *folder, size_t len)
{
	struct args_file *f = xrealloc(NULL, sizeof(*f));
	struct strbuf path = { 0 };
	struct strbuf error = { 0 };
	int code;

	*f = (struct args_file){ .folder = xstrdup(folder) };
	f->folder[len] = 0;
	f->name = shown_name(f->folder);
	strbuf_printf(&path, "%s/" NAME, f->folder);
	code = data_read_file(strbuf_text(&path), &f->text);
	if (code && code != ENOENT) {
		at_line(f, 1, &error);
		strbuf_printf(&error, "cannot read the file: %s", strerror(code));
	} else if (f->text.len && memchr(f->text.data, 0, f->text.len)) {
		at_line(f, 1, &error);
		strbuf_puts(&error, "this is a binary file");
	} else {
		args_parse(f, &error);
	}
	if (error.len)
		f->error = error.data;
	strbuf_free(&path);
	return f;
}

/* The file of the folder whose name is the first len bytes. */
static const struct args_file *find(struct args *a, const char *folder, size_t len)
{
	size_t i;

	for (i = 0; i < a->count; i++) {
		const char *known = a->files[i]->folder;

		if (strlen(known) == len && strncmp(known, folder, len) == 0)
			return a->files[i];
	}
	a->files = xrealloc(a->files, (a->count + 1) * sizeof(*a->files));
	a->files[a->count] = read_file(folder, len);
	return a->files[a->count++];
}

/* The physical folder of a test file; false: there is no such folder. */
static bool physical(const char *path, char *out)
{
	char *folder = xstrdup(path);
	bool ok;

	folder[path_base(path) - path] = 0;
	ok = realpath(*folder ? folder : ".", out) != NULL;
	if (ok && strcmp(out, "/") == 0)
		*out = 0;
	free(folder);
	return ok;
}

static void apply_file(const struct args_file *f, struct run_options *o)
{
	struct strbuf ignored = { 0 };
	size_t i;

	for (i = 0; i < f->count; i++) {
		const struct args_option *option = &f->options[i];

		if (pd_option_check(option->name, option->value, NULL, &ignored))
			pd_arguments_add(&o->packetdrill, option->name, option->value,
					 option->families);
		else if (option->families & ARGS_4) /* Lua tests are written for IPv4. */
			run_options_apply(o, option->name, option->value, &ignored);
	}
	strbuf_free(&ignored);
}

/* The command line's word is the last one. */
static void apply_given(const struct run_options *given, struct run_options *o)
{
	const struct run_options below = *o;
	size_t i;

	*o = *given;
	if (!given->seed_given && below.seed_given)
		o->seed = below.seed;
	if (!given->profile_given && below.profile_given)
		o->profile = below.profile;
	if (!given->wall_timeout_given && below.wall_timeout_given)
		o->wall_timeout = below.wall_timeout;
	o->settings = below.settings;
	o->setting_count = below.setting_count;
	o->packetdrill = below.packetdrill;
	o->packetdrill_below = below.packetdrill.count;
	for (i = 0; i < given->packetdrill.count; i++)
		pd_arguments_add(&o->packetdrill, given->packetdrill.list[i].name,
				 given->packetdrill.list[i].value,
				 given->packetdrill.list[i].families);
	for (i = 0; i < given->setting_count; i++)
		run_options_add_setting(o, xstrdup(given->settings[i].key),
					given->settings[i].value);
}

bool args_options(struct args *a, const struct run_options *given, const char *path,
		  struct run_options *out, struct strbuf *error)
{
	char folder[PATH_MAX] = "";
	bool ok = true;
	size_t i;

	*out = (struct run_options){ 0 };
	if (physical(path, folder)) {
		size_t len = strlen(folder);

		for (i = 0; i <= len && ok; i++) {
			const struct args_file *f;

			if (folder[i] && folder[i] != '/')
				continue;
			f = find(a, folder, i);
			if (f->error)
				strbuf_puts(error, f->error);
			ok = !f->error;
			apply_file(f, out);
		}
	}
	apply_given(given, out);
	return ok;
}

void args_options_free(struct run_options *o)
{
	o->paths = NULL; /* the command line's */
	run_options_free(o);
}

void args_free(struct args *a)
{
	size_t i;

	for (i = 0; i < a->count; i++) {
		struct args_file *f = a->files[i];

		strbuf_free(&f->text);
		free(f->folder);
		free(f->name);
		free(f->options);
		free(f->error);
		free(f);
	}
	free(a->files);
	*a = (struct args){ 0 };
}
