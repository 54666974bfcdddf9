/* SPDX-License-Identifier: MIT */
/* Commands that make and remove files: dd, truncate, rm. Files live in memory (shell_files.c). */
#include "packetdrill/shell.h"

#include <stdlib.h>
#include <string.h>

/* "64", "4k", "1M", "5MB"; false: no size. */
static bool size_of(const char *text, u64 *out)
{
	static const struct {
		const char *name;
		u64 bytes;
	} units[] = {
		{ "", 1 },	    { "c", 1 },	      { "w", 2 },	 { "b", 512 },
		{ "k", 1 << 10 },   { "K", 1 << 10 }, { "kB", 1000 },	 { "KB", 1000 },
		{ "KiB", 1 << 10 }, { "M", 1 << 20 }, { "MB", 1000000 }, { "MiB", 1 << 20 },
	};
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	size_t i;

	if (end == text || n > PD_SHELL_MAX_TEXT)
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) == 0) {
			*out = n * units[i].bytes;
			return *out <= PD_SHELL_MAX_TEXT;
		}
	}
	return false;
}

static int write_file(struct pd_invocation *c, const char *path, const struct strbuf *text)
{
	return pd_shell_answer(c, pd_shell_file_write(c->shell, path, text, false), "file", path);
}

/* n bytes of a file into *out: of /dev/zero zeros, of others what they have. */
static int read_bytes(struct pd_invocation *c, const char *path, u64 n, struct strbuf *out)
{
	size_t had = out->len;
	int result;

	if (strcmp(path, "/dev/zero") == 0) {
		while (n--)
			strbuf_putc(out, '\0');
		return 0;
	}
	result = pd_shell_file_read(c->shell, path, out);
	if (!result && out->len - had > n)
		out->len = had + (size_t)n;
	return result;
}

int pd_cmd_dd(struct pd_invocation *c)
{
	const char *in = NULL, *to = NULL;
	u64 bs = 512, count = PD_SHELL_MAX_TEXT / 512, seek = 0;
	struct strbuf text = { 0 };
	int i, status;

	for (i = 1; i < c->argc; i++) {
		const char *a = c->argv[i];
		bool known = true;

		if (strncmp(a, "if=", 3) == 0)
			in = a + 3;
		else if (strncmp(a, "of=", 3) == 0)
			to = a + 3;
		else if (strncmp(a, "bs=", 3) == 0)
			known = size_of(a + 3, &bs);
		else if (strncmp(a, "count=", 6) == 0)
			known = size_of(a + 6, &count);
		else if (strncmp(a, "seek=", 5) == 0)
			known = size_of(a + 5, &seek);
		else
			known = strncmp(a, "status=", 7) == 0;
		if (!known)
			return pd_shell_unknown(c->reader, "operand of dd", a);
	}
	if (!in || !to)
		return pd_shell_unknown(c->reader, "dd without", in ? "of=" : "if=");
	/* Blocks of the output that are passed over. */
	if (bs && seek <= PD_SHELL_MAX_TEXT / bs)
		(void)read_bytes(c, "/dev/zero", bs * seek, &text);
	if (count > (PD_SHELL_MAX_TEXT - text.len) / (bs + !bs))
		count = (PD_SHELL_MAX_TEXT - text.len) / (bs + !bs);
	status = read_bytes(c, in, bs * count, &text);
	status = status ? pd_shell_answer(c, status, "file", in) : write_file(c, to, &text);
	strbuf_free(&text);
	return status;
}

/* truncate -s SIZE FILE... */
int pd_cmd_truncate(struct pd_invocation *c)
{
	struct strbuf text = { 0 };
	int i, status = 0;
	u64 size;

	if (c->argc < 4 || strcmp(c->argv[1], "-s") != 0 || !size_of(c->argv[2], &size))
		return pd_shell_unknown(c->reader, "use of truncate, but -s SIZE FILE:",
					c->argc > 1 ? c->argv[1] : "");
	for (i = 3; i < c->argc && !status; i++) {
		strbuf_clear(&text);
		(void)read_bytes(c, c->argv[i], size, &text);
		while (text.len < size)
			strbuf_putc(&text, '\0');
		status = write_file(c, c->argv[i], &text);
	}
	strbuf_free(&text);
	return status;
}

int pd_cmd_rm(struct pd_invocation *c)
{
	bool force = false;
	int i, status = 0;

	for (i = 1; i < c->argc; i++) {
		if (c->argv[i][0] == '-' && strspn(c->argv[i] + 1, "fr") == strlen(c->argv[i]) - 1)
			force = true;
		else if (!pd_shell_file_remove(c->shell, c->argv[i]) && !force)
			status = 1;
	}
	return status;
}
