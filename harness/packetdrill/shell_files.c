/* SPDX-License-Identifier: MIT */
/*
 * The files that commands see: those they wrote themselves (in memory, they end with the script),
 * /proc as the host shows it, and scripts that lie beside ours. Nothing else of the machine is
 * read, and nothing is written to it.
 */
#include "packetdrill/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE   (1u << 20)
#define PROC_SYS   "/proc/sys/"
#define SYS_MODULE "/sys/module/"
#define PARAMETERS "/parameters"

static struct pd_shell_file *find(struct pd_shell *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->files; i++) {
		if (strcmp(s->file[i].name, path) == 0)
			return &s->file[i];
	}
	return NULL;
}

/*
 * "/proc/sys/net/ipv4/x" as "net.ipv4.x"; "/sys/module/m/parameters/x" as "module.m.x". NULL for
 * other files.
 */
static char *sysctl_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = NULL, *p;
	size_t module;

	if (strncmp(path, PROC_SYS, strlen(PROC_SYS)) == 0) {
		name = xstrdup(path + strlen(PROC_SYS));
	} else if (strncmp(path, SYS_MODULE, strlen(SYS_MODULE)) == 0) {
		module = strcspn(path + strlen(SYS_MODULE), "/");
		if (slash - path == (ptrdiff_t)(strlen(SYS_MODULE) + module + strlen(PARAMETERS)) &&
		    strncmp(slash - strlen(PARAMETERS), PARAMETERS, strlen(PARAMETERS)) == 0) {
			name = xrealloc(NULL, strlen(path) + 1);
			snprintf(name, strlen(path) + 1, "module.%.*s.%s", (int)module,
				 path + strlen(SYS_MODULE), slash + 1);
		}
	}
	for (p = name; p && *p; p++) {
		if (*p == '/')
			*p = '.';
	}
	return name;
}

static int read_disk(const char *path, struct strbuf *out)
{
	struct stat st;
	char bytes[4096];
	FILE *f;
	size_t n;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)MAX_FILE)
		return -ENOENT;
	f = fopen(path, "rb");
	if (!f)
		return -ENOENT;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0 && out->len < MAX_FILE)
		strbuf_add(out, bytes, n);
	fclose(f);
	return 0;
}

/*
 * A relative path: from the script's folder, or from the nearest folder above it that has it
 * (runners start some scripts from there).
 */
static int read_beside(struct pd_shell *s, const char *path, struct strbuf *out)
{
	struct strbuf full = { 0 };
	const char *slash = strrchr(s->script_path, '/');
	size_t len = slash ? (size_t)(slash - s->script_path) : 0;
	int up, result = -ENOENT;

	for (up = 0; up < 8 && result; up++) {
		strbuf_clear(&full);
		if (slash) {
			strbuf_add(&full, s->script_path, len);
			strbuf_putc(&full, '/');
		}
		for (int i = 0; i < up; i++)
			strbuf_puts(&full, "../");
		strbuf_puts(&full, path);
		result = read_disk(strbuf_text(&full), out);
	}
	strbuf_free(&full);
	return result;
}

int pd_shell_file_read(struct pd_shell *s, const char *path, struct strbuf *out)
{
	const struct pd_shell_file *file = find(s, path);
	char *name;
	int result;

	if (strcmp(path, "/dev/null") == 0)
		return 0;
	if (file) {
		strbuf_add(out, file->text.data, file->text.len);
		return 0;
	}
	name = sysctl_name(path);
	if (name) {
		result = s->ops->sysctl_get ? s->ops->sysctl_get(s->ctx, name, out) : -EOPNOTSUPP;
		free(name);
		strbuf_puts(out, result ? "" : "\n");
		return result;
	}
	if (strncmp(path, "/proc/", 6) == 0)
		return s->ops->proc_read ? s->ops->proc_read(s->ctx, path, out) : -EOPNOTSUPP;
	if (path[0] == '/')
		return -ENOENT;
	return read_beside(s, path, out);
}

/* Takes the name. */
static int write_sysctl(struct pd_shell *s, char *name, const struct strbuf *text)
{
	size_t len = text->len;
	char *value;
	int result;

	while (len && text->data[len - 1] == '\n')
		len--;
	value = xstrdup(strbuf_text(text));
	value[len] = '\0';
	result = s->ops->sysctl_set ? s->ops->sysctl_set(s->ctx, name, value) : -EOPNOTSUPP;
	free(name);
	free(value);
	return result;
}

int pd_shell_file_write(struct pd_shell *s, const char *path, const struct strbuf *text,
			bool append)
{
	struct pd_shell_file *file = find(s, path);
	char *name;

	if (strcmp(path, "/dev/null") == 0)
		return 0;
	name = sysctl_name(path);
	if (name)
		return write_sysctl(s, name, text);
	if (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0)
		return -EOPNOTSUPP;
	if (!file) {
		s->file = xrealloc(s->file, (s->files + 1) * sizeof(*s->file));
		file = &s->file[s->files++];
		*file = (struct pd_shell_file){ .name = xstrdup(path) };
	}
	if (!append)
		strbuf_clear(&file->text);
	if (file->text.len + text->len > PD_SHELL_MAX_TEXT)
		return -EFBIG;
	strbuf_add(&file->text, text->data, text->len);
	return 0;
}

bool pd_shell_file_remove(struct pd_shell *s, const char *path)
{
	struct pd_shell_file *file = find(s, path);

	if (!file)
		return false;
	free(file->name);
	strbuf_free(&file->text);
	*file = s->file[--s->files];
	return true;
}

void pd_shell_files_free(struct pd_shell *s)
{
	while (s->files)
		(void)pd_shell_file_remove(s, s->file[0].name);
	free(s->file);
	s->file = NULL;
}
