/* SPDX-License-Identifier: MIT */
/* Commands that make and remove files: dd, truncate, rm. Files live in memory (shell_files.c). */
#include "packetdrill/shell.h"

#include <stdlib.h>
#include <string.h>

/* "64", "4k", "1M"; false: no size. */
static bool size_of(const char *text, u64 *out)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (end == text || n > PD_SHELL_MAX_TEXT)
		return false;
	if (*end == 'k' || *end == 'K')
		n <<= 10;
	else if (*end == 'M')
		n <<= 20;
	else if (*end)
		return false;
	*out = n;
	return n <= PD_SHELL_MAX_TEXT;
}

static int write_file(struct pd_invocation *c, const char *path, const struct strbuf *text)
{
	return pd_shell_answer(c, pd_shell_file_write(c->shell, path, text, false), "file", path);
}

/* n bytes of a file into *out: of /dev/zero zeros, of others what they have. */
static int read_bytes(struct pd_invocation *c, const char *path, u64 n, struct strbuf *out)
{
	int result;

	if (strcmp(path, "/dev/zero") == 0) {
		while (n--)
			strbuf_putc(out, '\0');
		return 0;
	}
	result = pd_shell_file_read(c->shell, path, out);
	if (!result && out->len > n)
		out->len = (size_t)n;
	return result;
}

int pd_cmd_dd(struct pd_invocation *c)
{
	const char *in = NULL, *to = NULL;
	u64 bs = 512, count = PD_SHELL_MAX_TEXT / 512;
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
		else
			known = strncmp(a, "status=", 7) == 0;
		if (!known)
			return pd_shell_unknown(c->reader, "operand of dd", a);
	}
	if (!in || !to)
		return pd_shell_unknown(c->reader, "dd without", in ? "of=" : "if=");
	if (bs && count > PD_SHELL_MAX_TEXT / bs)
		count = PD_SHELL_MAX_TEXT / bs;
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
