/* SPDX-License-Identifier: MIT */
/*
 * TAP version 13 (testanything.org/tap-version-13-specification.html): plan, results, YAML blocks.
 * Invariant: whatever the text holds, every line written is one that a strict TAP and YAML 1.1
 * reader takes for what was meant.
 */
#include "tap/tap.h"

#include <inttypes.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at s that prints as it is, or 0. */
static size_t printable(const u8 *s, size_t len)
{
	size_t need;
	u32 code;
	size_t i;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		need = 2;
		code = s[0] & 0x1fu;
	} else if ((s[0] & 0xf0) == 0xe0) {
		need = 3;
		code = s[0] & 0x0fu;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		need = 4;
		code = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	/* C1 controls, overlong forms, surrogates, the line separators and non-characters */
	if (code < 0xa0 || (need == 3 && code < 0x800) || (need == 4 && code < 0x10000))
		return 0;
	if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff || code == 0x2028 ||
	    code == 0x2029 || code == 0xfeff || (code & 0xfffe) == 0xfffe)
		return 0;
	return need;
}

void tap_quote(struct strbuf *out, const char *text, size_t len)
{
	const u8 *s = (const u8 *)text;
	size_t i = 0;

	strbuf_putc(out, '"');
	while (i < len) {
		size_t n = printable(s + i, len - i);

		if (s[i] == '"' || s[i] == '\\')
			strbuf_printf(out, "\\%c", s[i]);
		else if (s[i] == '\n')
			strbuf_puts(out, "\\n");
		else if (s[i] == '\t')
			strbuf_puts(out, "\\t");
		else if (n)
			strbuf_add(out, s + i, n);
		else
			strbuf_printf(out, "\\x%02X", s[i]);
		i += n ? n : 1;
	}
	strbuf_putc(out, '"');
}

void tap_plan(struct strbuf *out, size_t tests, const char *skip_reason)
{
	strbuf_printf(out, "TAP version 13\n1..%zu", tests);
	if (skip_reason)
		strbuf_printf(out, " # SKIP %s", skip_reason);
	strbuf_putc(out, '\n');
}

/* A description or reason: '#' would start a directive, a newline would end the line. */
static void tap_line_text(struct strbuf *out, const char *text)
{
	const u8 *s = (const u8 *)text;
	size_t len = strlen(text);
	size_t i = 0;

	while (i < len) {
		size_t n = printable(s + i, len - i);

		if (s[i] == '#' || s[i] == '\\')
			strbuf_printf(out, "\\%c", s[i]);
		else if (n)
			strbuf_add(out, s + i, n);
		else
			strbuf_printf(out, "\\x%02X", s[i]);
		i += n ? n : 1;
	}
}

void tap_result(struct strbuf *out, size_t number, enum tap_verdict verdict, const char *name,
		const char *directive)
{
	strbuf_printf(out, "%s %zu - ", verdict == TAP_NOT_OK ? "not ok" : "ok", number);
	tap_line_text(out, name);
	if (verdict == TAP_SKIP) {
		strbuf_puts(out, " # SKIP ");
		tap_line_text(out, directive ? directive : "");
	}
	strbuf_putc(out, '\n');
}

static void tap_value(struct strbuf *out, const char *key, const char *text)
{
	size_t len;

	if (!text)
		return;
	strbuf_printf(out, "  %s:", key);
	len = strlen(text);
	if (!memchr(text, '\n', len)) {
		strbuf_putc(out, ' ');
		tap_quote(out, text, len);
		strbuf_putc(out, '\n');
		return;
	}
	strbuf_putc(out, '\n');
	while (*text) {
		size_t n = strcspn(text, "\n");

		strbuf_puts(out, "    - ");
		tap_quote(out, text, n);
		strbuf_putc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

void tap_yaml(struct strbuf *out, const struct tap_diagnosis *d)
{
	strbuf_puts(out, "  ---\n");
	tap_value(out, "message", d->message ? d->message : "failed");
	tap_value(out, "diff", d->diff);
	tap_value(out, "got", d->got);
	tap_value(out, "expect", d->expect);
	if (d->file) {
		strbuf_puts(out, "  at:\n    file: ");
		tap_quote(out, d->file, strlen(d->file));
		strbuf_putc(out, '\n');
		if (d->line > 0)
			strbuf_printf(out, "    line: %d\n", d->line);
	}
	tap_value(out, "traceback", d->traceback);
	if (d->has_time)
		strbuf_printf(out, "  time_virtual_ns: %" PRIu64 "\n", d->time_virtual_ns);
	strbuf_printf(out, "  seed: %" PRIu64 "\n", d->seed);
	tap_value(out, "rerun", d->rerun);
	tap_value(out, "capture", d->capture);
	strbuf_puts(out, "  ...\n");
}

/* The lines of a text, with "; " between. */
static void one_line(struct strbuf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		strbuf_add(out, text, n);
		text += n + (text[n] == '\n');
		if (*text)
			strbuf_puts(out, "; ");
	}
}

void tap_message(struct strbuf *out, const struct tap_diagnosis *d)
{
	one_line(out, d->message ? d->message : "failed");
	if (!d->got)
		return;
	strbuf_puts(out, ": ");
	one_line(out, d->got);
}

void tap_comment(struct strbuf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		size_t i;

		strbuf_puts(out, "# ");
		for (i = 0; i < n; i++) {
			size_t k = printable((const u8 *)text + i, n - i);

			if (k)
				strbuf_add(out, text + i, k);
			else
				strbuf_printf(out, "\\x%02X", (u8)text[i]);
			i += k ? k - 1 : 0;
		}
		strbuf_putc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

void tap_bail_out(struct strbuf *out, const char *reason)
{
	strbuf_puts(out, "Bail out! ");
	tap_line_text(out, reason);
	strbuf_putc(out, '\n');
}

void tap_shell_word(struct strbuf *out, const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_-./,:=@%+";

	if (*text && text[strspn(text, safe)] == 0) {
		strbuf_puts(out, text);
		return;
	}
	strbuf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_putc(out, *text);
	}
	strbuf_putc(out, '\'');
}
