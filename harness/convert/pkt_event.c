/* SPDX-License-Identifier: MIT */
/* Events as Lua: their times, packets in their notation, what commands did. */
#include "convert/pkt_write.h"

#include "convert/notation.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* -- Text of the script -- */

static const char *defined(const struct pkt_writer *w, const char *word, size_t len)
{
	size_t i;

	for (i = w->settings->defines; i--;) {
		const struct pd_define *d = &w->settings->define[i];

		if (strlen(d->name) == len && memcmp(d->name, word, len) == 0)
			return d->value;
	}
	return NULL;
}

/* Behind a comment that begins here; the same place when none does. */
static const char *skip_comment(const char *p)
{
	const char *end;

	if (p[0] == '/' && p[1] == '/')
		return p + strcspn(p, "\n");
	if (p[0] == '#')
		return p + strcspn(p, "\n");
	if (p[0] != '/' || p[1] != '*')
		return p;
	end = strstr(p + 2, "*/");
	return end ? end + 2 : p + strlen(p);
}

static void put_source(const struct pkt_writer *w, const char *p, int depth, struct strbuf *out)
{
	while (*p) {
		const char *behind = skip_comment(p);
		const char *value;
		size_t n = 0;

		if (behind != p || isspace((unsigned char)*p)) {
			p = behind == p ? p + 1 : behind;
			if (out->len && out->data[out->len - 1] != ' ')
				strbuf_putc(out, ' ');
			continue;
		}
		while (isalnum((unsigned char)p[n]) || p[n] == '_')
			n++;
		value = n && !isdigit((unsigned char)*p) && depth < 8 ? defined(w, p, n) : NULL;
		if (value)
			put_source(w, value, depth + 1, out);
		else
			strbuf_add(out, p, n ? n : 1);
		p += n ? n : 1;
	}
}

void pkt_source(const struct pkt_writer *w, const char *text, struct strbuf *out)
{
	put_source(w, text, 0, out);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

static const char *line_start(const char *text, int line)
{
	while (--line > 0 && text) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

void pkt_comments(struct pkt_writer *w, int from, int until)
{
	const char *p = line_start(w->text, from);
	bool inside = false;

	for (; p && from < until; from++) {
		size_t len = strcspn(p, "\n"), lead = strspn(p, " \t*");
		const char *begin = p + (lead < len ? lead : len);
		const char *next = p[len] ? p + len + 1 : NULL;

		if (!inside && begin[0] == '/' && begin[1] == '*')
			inside = true;
		else if (!inside && !(begin[0] == '/' && begin[1] == '/')) {
			p = next;
			continue;
		}
		while (begin < p + len && strchr("/* \t", *begin))
			begin++;
		while (len && strchr("/* \t\r", p[len - 1]))
			len--;
		if (p + len > begin) {
			strbuf_printf(w->out, "%s-- ", w->indent);
			for (; begin < p + len; begin++)
				strbuf_putc(w->out, isprint((unsigned char)*begin) ? *begin : ' ');
			strbuf_putc(w->out, '\n');
		}
		if (inside && next && strstr(p, "*/") && strstr(p, "*/") < next)
			inside = false;
		p = next;
	}
}

/* -- Times -- */

static void put_seconds(struct strbuf *out, s64 ns)
{
	u64 rest = (u64)(ns < 0 ? -ns : ns) % 1000000000;
	char digits[12];
	size_t n = 9;

	strbuf_printf(out, "%s%" PRIi64, ns < 0 && ns > -1000000000 ? "-" : "", ns / 1000000000);
	if (!rest)
		return;
	snprintf(digits, sizeof(digits), "%09" PRIu64, rest);
	while (n && digits[n - 1] == '0')
		n--;
	strbuf_printf(out, ".%.*s", (int)n, digits);
}

static void put_time(struct strbuf *out, const struct pd_time *t)
{
	strbuf_putc(out, '"');
	if (t->kind == PD_TIME_ANY)
		strbuf_putc(out, '*');
	if (t->kind == PD_TIME_RELATIVE)
		strbuf_putc(out, '+');
	if (t->kind == PD_TIME_NONE)
		strbuf_puts(out, "+0");
	if (t->kind == PD_TIME_RELATIVE || t->kind == PD_TIME_ABSOLUTE) {
		put_seconds(out, t->at);
		if (t->range) {
			strbuf_puts(out, t->kind == PD_TIME_RELATIVE ? "~+" : "~");
			put_seconds(out, t->until);
		}
		if (t->blocking) {
			strbuf_puts(out, "...");
			put_seconds(out, t->end);
		}
	}
	strbuf_putc(out, '"');
}

/* `  -- 12: write(4, ..., 1000) = 1000` */
static void put_remark(struct pkt_writer *w, const struct pd_event *e)
{
	struct strbuf text = { 0 };

	pkt_source(w, e->source.p, &text);
	if (e->kind == PD_CODE && strchr(e->source.p, '\n'))
		strbuf_clear(&text); /* it stands below, line by line */
	strbuf_printf(w->out, "%s-- %d: %.80s%s\n", w->indent, e->line,
		      text.len ? text.data : "%{ }%", text.len > 80 ? "..." : "");
	strbuf_free(&text);
}

static void put_at(struct pkt_writer *w, const struct pd_event *e)
{
	if (e->time.kind == PD_TIME_NONE)
		return;
	strbuf_printf(w->out, "%sp:at(", w->indent);
	put_time(w->out, &e->time);
	strbuf_puts(w->out, w->waiting && e->kind == PD_SYSCALL ? ", \"join\")\n" : ")\n");
	if (e->kind == PD_SYSCALL)
		w->waiting = false;
}

/* -- Packets -- */

static bool put_packet(struct pkt_writer *w, const struct pd_event *e)
{
	struct strbuf text = { 0 };
	const char *p;

	pkt_source(w, e->source.p, &text);
	p = strbuf_text(&text);
	p += strspn(p, "<> ");
	strbuf_printf(w->out, "%sp:%s(", w->indent,
		      e->packet.direction == PD_INBOUND ? "inject" : "expect");
	put_time(w->out, &e->time);
	strbuf_puts(w->out, ", ");
	notation_line(w->out, p);
	strbuf_printf(w->out, ") -- %d\n", e->line);
	strbuf_free(&text);
	return true;
}

/* -- Commands -- */

/* "ss -Htan state syn-recv | wc -l | grep -qx 1": a count of sockets. */
static bool put_count(struct pkt_writer *w, const char *command)
{
	char state[24], number[12];
	int end = 0;

	if (sscanf(command, " ss -Htan state %23[a-z0-9-] | wc -l | grep -qx %11[0-9]%n", state,
		   number, &end) != 2 ||
	    !end || command[end + (int)strspn(command + end, " \n")])
		return false;
	strbuf_printf(w->out, "%st:is(p:count(\"%s\"), %s)\n", w->indent, state, number);
	return true;
}

/* A long string of Lua that holds this text. */
static void put_long(struct strbuf *out, const char *text)
{
	static const char all[] = "======";
	const char *equals = all + sizeof(all) - 1;

	for (; equals > all; equals--) {
		char closing[12];

		snprintf(closing, sizeof(closing), "]%s]", equals);
		if (!strstr(text, closing))
			break;
	}
	strbuf_printf(out, "[%s[%s%s]%s]", equals, strchr(text, '\n') ? "\n" : "", text, equals);
}

/* Does the command name a file of the script's folder? */
static bool names_file(const char *command)
{
	const char *p = strstr(command, ".sh");

	return (p && !isalnum((unsigned char)p[3])) || strstr(command, ".py");
}

/* Is the line nothing but the name of a file beside the script, or above it? */
static bool is_own_file(const char *line, size_t len)
{
	return len > 3 && strncmp(line + len - 3, ".sh", 3) == 0 && line[0] != '/' &&
	       strcspn(line, " \t\n;|&<>$\"'") == len;
}

/*
 * The command with the text of files in the place of lines that name them. set_sysctls.py, and the
 * file that it makes, are known to p:sh.
 */
static bool put_files_texts(struct pd_shell *shell, const char *command, struct strbuf *out)
{
	while (*command) {
		size_t blank = strspn(command, " \t"), len = strcspn(command + blank, "\n");
		struct strbuf line = { 0 }, text = { 0 };
		bool ok = true;

		strbuf_add(&line, command + blank, len);
		if (is_own_file(strbuf_text(&line), len)) {
			ok = pd_shell_file_read(shell, line.data, &text) == 0;
			strbuf_puts(out, strbuf_text(&text));
		} else {
			const char *sh = strstr(strbuf_text(&line), ".sh");

			ok = !sh || strncmp(line.data, "/tmp/", 5) == 0;
			strbuf_add(out, command, blank + len);
		}
		command += blank + len;
		if (*command == '\n')
			strbuf_putc(out, *command++);
		strbuf_free(&line);
		strbuf_free(&text);
		if (!ok)
			return false;
	}
	return true;
}

/* Files beside the script that do more than set things: their text. */
static bool put_file(struct pkt_writer *w, const struct pd_event *e)
{
	struct pd_shell *shell = pd_shell_new(&pd_host_commands, NULL, w->path);
	struct strbuf text = { 0 };
	bool ok = put_files_texts(shell, e->command.p, &text);

	if (ok) {
		strbuf_printf(w->out, "%sp:sh ", w->indent);
		put_long(w->out, text.len ? text.data : "true");
		strbuf_putc(w->out, '\n');
	} else {
		pkt_fail(w, e->line, e->command.p,
			 "uses a file that does more than set sysctls: put what it does into the "
			 "script itself");
	}
	pd_shell_free(shell);
	strbuf_free(&text);
	return ok;
}

static bool put_command(struct pkt_writer *w, const struct pd_event *e)
{
	const struct pkt_note *n = w->here;

	put_remark(w, e);
	put_at(w, e);
	if (!n->other && (n->sets || n->sleeps)) {
		strbuf_puts(w->out, strbuf_text(&n->lines));
		return true;
	}
	if (!n->other && !n->reads && names_file(e->command.p))
		return true; /* a file without any effect */
	if (put_count(w, e->command.p))
		return true;
	if (names_file(e->command.p))
		return put_file(w, e);
	strbuf_printf(w->out, "%sp:sh ", w->indent);
	put_long(w->out, e->command.p);
	strbuf_putc(w->out, '\n');
	return true;
}

/* -- Calls and code -- */

static bool put_call(struct pkt_writer *w, const struct pd_event *e)
{
	bool ok;

	put_remark(w, e);
	if (!e->time.blocking) {
		put_at(w, e);
		return pkt_call(w);
	}
	/* What the call gives is for those behind it. */
	if (e->syscall.result && e->syscall.result->kind == PD_X_NUMBER &&
	    strncmp(e->syscall.name.p, "accept", 6) == 0 && e->syscall.result->num >= 0 &&
	    e->syscall.result->num < PKT_MAX_FD && !w->declared[e->syscall.result->num]) {
		w->declared[e->syscall.result->num] = true;
		strbuf_printf(w->out, "%slocal s%" PRIi64 "\n", w->indent, e->syscall.result->num);
	}
	strbuf_printf(w->out, "%sp:blocking(", w->indent);
	put_time(w->out, &e->time);
	strbuf_puts(w->out, ", function()\n");
	w->indent = "    ";
	w->in_block = true;
	ok = pkt_call(w);
	w->in_block = false;
	w->indent = "  ";
	strbuf_puts(w->out, "  end)\n");
	w->waiting = true;
	return ok;
}

bool pkt_event(struct pkt_writer *w, const struct pd_event *e, const struct pkt_note *note)
{
	w->event = e;
	w->here = note;
	switch (e->kind) {
	case PD_PACKET:
		return put_packet(w, e);
	case PD_SYSCALL:
		return put_call(w, e);
	case PD_COMMAND:
		return put_command(w, e);
	default:
		put_remark(w, e);
		put_at(w, e);
		return pkt_code(w);
	}
}
