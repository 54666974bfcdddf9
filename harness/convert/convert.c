/* SPDX-License-Identifier: MIT */
/*
 * `tapline convert`: reads the capture, casts, writes the script. Nothing is written unless the
 * whole script could be made; a damaged capture is used as far as it goes, as in `tapline replay`.
 */
#include "convert/convert.h"

#include "base/data.h"
#include "base/suggest.h"
#include "capture/capture.h"
#include "convert/pkt.h"
#include "convert/scene.h"
#include "convert/script.h"
#include "convert/tcp.h"
#include "replay/frame.h"
#include "packetdrill/front.h"
#include "run/options.h"
#include "tap/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: tapline convert [--host ADDR] [--record] [-o OUT.lua] FILE\n"
	"       tapline convert [--family 4|6|mapped|all] [-o OUT.lua] FILE.pkt\n"
	"       tapline convert --record [--info] [--sut NAME] [--family F] [-o OUT.pkt] FILE.pkt\n"
	"\n"
	"Writes a Lua test that does what a capture shows: it sends what others sent to one host, and\n"
	"expects what the host sent. ARP, and ICMP, UDP and TCP over IPv4; each TCP conversation is a\n"
	"test of its own. Of a packetdrill script (*.pkt) it writes a test that does the same: its calls,\n"
	"packets, commands and assertions as Lua; or, with --record, the script with what the host does\n"
	"in the place of what it expects.\n"
	"\n"
	"  --host ADDR         the host under test (default: the first packet's destination)\n"
	"  --record            of TCP, expect what this stack sends today; remarks say where the\n"
	"                      capture has something else\n"
	"                      of a packetdrill script: write a script with its calls and inbound packets,\n"
	"                      the results that the calls give and the packets that the host sends\n"
	"  --info              with --record: assert TCP_INFO between the events, too\n"
	"  --sut NAME          with --record: what the script drives, tapline (default) or kernel: the\n"
	"                      Linux kernel of this machine\n"
	"  --family FAMILY     of a packetdrill script: 4 (default), 6, mapped or all\n"
	"  -o OUT.lua          write to a file, not to standard output\n"
	"  --help              this text\n"
	"\n"
	"Exit status: 0 the test was written; 2 a wrong option, a file that can not be read or\n"
	"written, or that holds nothing of the kind.\n";

struct convert {
	const char *file;
	const char *out;
	const char *host_text;
	const char *family_text; /* of a packetdrill script */
	const char *sut_text; /* NULL: tapline's own stack */
	const struct sut_ops *sut;
	u8 families; /* 0: as its folder says */
	u8 host[4];
	bool help, record, info;
	struct scene *scene;
	struct conversations talks;
	struct replay_frame *frame; /* room */
	u64 last_ns; /* the capture's time of the last frame */
};

/* No test may take more than a day. */
#define GAP_MAX_NS (3600 * 1000000000ull)

static bool parse_host(const char *text, u8 *addr)
{
	unsigned int n[4];
	char end;
	size_t i;

	if (strspn(text, "0123456789.") != strlen(text) ||
	    sscanf(text, "%3u.%3u.%3u.%3u%c", &n[0], &n[1], &n[2], &n[3], &end) != 4)
		return false;
	for (i = 0; i < 4; i++) {
		if (n[i] > 255)
			return false;
		addr[i] = (u8)n[i];
	}
	return true;
}

static bool wrong(struct strbuf *error, const char *what, const char *word)
{
	strbuf_printf(error, "%s '%s'", what, word);
	return false;
}

static bool unknown_option(const char *word, struct strbuf *error)
{
	static const char *const names[] = { "--host",	 "--record", "--info", "--sut",
					     "--family", "--help",   "-o" };
	const char *near = suggest(word, names, ARRAY_SIZE(names));

	wrong(error, "unknown option", word);
	if (near)
		strbuf_printf(error, "; did you mean '%s'?", near);
	return false;
}

/* The place for an option's value; `*value` is what stands behind its "=", NULL: nothing. */
static const char **option_of(struct convert *c, const char *word, const char **value)
{
	size_t name = strcspn(word, "=");

	*value = word[name] ? word + name + 1 : NULL;
	if (strncmp(word, "--host", name) == 0 && name == 6)
		return &c->host_text;
	if (strncmp(word, "--family", name) == 0 && name == 8)
		return &c->family_text;
	if (strncmp(word, "--sut", name) == 0 && name == 5)
		return &c->sut_text;
	return strcmp(word, "-o") == 0 ? &c->out : NULL;
}

static bool parse(struct convert *c, int argc, char **argv, struct strbuf *error)
{
	int i;

	for (i = 0; i < argc; i++) {
		const char *value, *word = argv[i];
		const char **option;

		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			c->help = true;
			return true;
		}
		if (strcmp(word, "--record") == 0) {
			c->record = true;
			continue;
		}
		if (strcmp(word, "--info") == 0) {
			c->info = true;
			continue;
		}
		option = option_of(c, word, &value);
		if (option && !value && ++i == argc)
			return wrong(error, "a value is missing after", word);
		if (option) {
			*option = value ? value : argv[i];
		} else if (word[0] == '-' && word[1]) {
			return unknown_option(word, error);
		} else if (c->file) {
			return wrong(error, "one file only, not also", word);
		} else {
			c->file = word;
		}
	}
	if (c->host_text && !parse_host(c->host_text, c->host))
		return wrong(error, "--host: this is no IPv4 address:", c->host_text);
	if (c->family_text && !(c->families = pd_families_parse(c->family_text)))
		return wrong(error, "--family is 4, 6, mapped or all, not", c->family_text);
	if (c->file && c->family_text && !pd_file_is(c->file))
		return wrong(error, "--family is for packetdrill scripts, not for", c->file);
	if (c->sut_text && !(c->sut = run_sut_by_name(c->sut_text, error)))
		return false;
	if (c->file && (c->sut_text || c->info) && !(c->record && pd_file_is(c->file)))
		return wrong(error,
			     "--sut and --info are for --record of packetdrill scripts, not for",
			     c->file);
	if (c->file && c->host_text && pd_file_is(c->file))
		return wrong(error, "--host is for captures, not for", c->file);
	if (!c->file)
		strbuf_puts(error, "no capture file given");
	return c->file != NULL;
}

/* The link types whose frames a script can send: Ethernet, and IP without link header. */
static bool link_fits(u16 link)
{
	return link == PACKET_LINK_ETHERNET || link == PACKET_LINK_RAW ||
	       link == PACKET_LINK_RAW_BSD || link == PACKET_LINK_RAW_OPENBSD ||
	       link == PACKET_LINK_IPV4;
}

/* The script's time of a frame: it never runs backwards, and a gap is an hour at the most. */
static u64 script_time(struct convert *c, u64 time_ns)
{
	const struct scene *s = c->scene;
	u64 gap = s->count && time_ns > c->last_ns ? time_ns - c->last_ns : 0;

	c->last_ns = time_ns;
	return (s->count ? s->frames[s->count - 1].time_ns : 0) +
	       (gap < GAP_MAX_NS ? gap : GAP_MAX_NS);
}

/* TCP is looked at as `tapline replay --converse` does. */
static void add_to_talks(struct convert *c, const struct capture_frame *f)
{
	static const struct replay_options how = { .any = true, .checksums = CHECKSUMS_TRUST_IP };
	static const u8 mac[6] = { 0x02, 0, 0, 0, 0, 1 };

	if (replay_frame_make(c->frame, f, &how, mac) == FRAME_INJECT)
		conversations_add(&c->talks, f->time_ns, c->frame->bytes, c->frame->len,
				  c->frame->cut || c->frame->shortened);
}

static bool add_frame(struct convert *c, const struct capture_frame *f, struct strbuf *error)
{
	const char *name = capture_link_name(f->link);
	struct scene *s = c->scene;
	u64 time = script_time(c, f->time_ns);

	if (!link_fits(f->link)) {
		strbuf_printf(error, "frame %llu: link type %u (%s) can not be converted",
			      (unsigned long long)f->number, f->link, name ? name : "unknown");
		return false;
	}
	if (s->count && s->raw != (f->link != PACKET_LINK_ETHERNET)) {
		strbuf_puts(error, "frames with and without Ethernet header in one file");
		return false;
	}
	if (s->count == SCENE_MAX_FRAMES) {
		strbuf_printf(error, "more than %d frames: take a part of the file",
			      SCENE_MAX_FRAMES);
		return false;
	}
	s->raw = f->link != PACKET_LINK_ETHERNET;
	add_to_talks(c, f);
	if ((s->count & (s->count - 1)) == 0)
		s->frames = xrealloc(s->frames, (s->count ? 2 * s->count : 1) * sizeof(*s->frames));
	s->frames[s->count++] = (struct scene_frame){
		.number = f->number,
		.time_ns = time,
		.packet = packet_parse(f->link, f->data, f->caplen,
				       f->len < f->caplen ? f->caplen : f->len),
	};
	return true;
}

static bool read_capture(struct convert *c, struct strbuf *error)
{
	char message[CAPTURE_ERROR_SIZE];
	struct capture_reader *r = capture_open(c->file, NULL, message);
	enum capture_status status = CAPTURE_END;
	struct capture_frame f;
	bool ok = true;

	if (!r) {
		strbuf_printf(error, "%s: %s", c->file, message);
		return false;
	}
	while (ok && (status = capture_next(r, &f)) == CAPTURE_FRAME)
		ok = add_frame(c, &f, error);
	if (ok && status != CAPTURE_END)
		fprintf(stderr, "tapline convert: %s: %s: the frames before are used\n", c->file,
			capture_error(r));
	capture_close(r);
	if (ok && !c->scene->count)
		strbuf_printf(error, "%s: no frame", c->file);
	return ok && c->scene->count;
}

/* The command that makes the script, as a comment of one line. */
static void describe(const struct convert *c, struct strbuf *out)
{
	size_t i;

	strbuf_puts(out, "tapline convert ");
	if (c->record)
		strbuf_puts(out, "--record ");
	if (c->host_text)
		strbuf_printf(out, "--host %s ", c->host_text);
	tap_shell_word(out, path_base(c->file));
	for (i = 0; i < out->len; i++) {
		if ((u8)out->data[i] < 0x20)
			out->data[i] = '?';
	}
}

static bool write_text(const struct convert *c, const struct strbuf *text, struct strbuf *error)
{
	FILE *f = c->out ? fopen(c->out, "w") : stdout;
	bool ok = f && fwrite(text->data, 1, text->len, f) == text->len && fflush(f) == 0;

	if (!ok)
		strbuf_printf(error, "%s: %s", c->out ? c->out : "standard output",
			      strerror(errno));
	if (f && c->out && fclose(f) != 0 && ok) {
		strbuf_printf(error, "%s: %s", c->out, strerror(errno));
		ok = false;
	}
	return ok;
}

/* A test's name has no control characters. */
static void test_name(const struct convert *c, struct strbuf *name)
{
	const char *p;

	strbuf_puts(name, "as in ");
	for (p = path_base(c->file); *p; p++)
		strbuf_putc(name, (u8)*p < 0x20 || *p == 0x7f ? '?' : *p);
}

static bool make_text(struct convert *c, struct strbuf *text, struct strbuf *error)
{
	struct strbuf command = { 0 };
	struct strbuf name = { 0 };
	const u8 *a = c->scene->addr;
	u32 tests = c->scene->any;

	describe(c, &command);
	test_name(c, &name);
	script_head(text, strbuf_text(&command));
	if (c->scene->any)
		script_write(text, c->scene, strbuf_text(&name));
	tests += tcp_write(text, &c->talks, a, c->scene->raw, strbuf_text(&name), c->record);
	if (!tests)
		strbuf_printf(
			error,
			"nothing of ARP, ICMP, UDP or TCP over IPv4 is to or from %u.%u.%u.%u",
			a[0], a[1], a[2], a[3]);
	strbuf_free(&command);
	strbuf_free(&name);
	return tests > 0;
}

static bool convert_file(struct convert *c, struct strbuf *error)
{
	struct strbuf text = { 0 };
	bool ok;

	if (c->file && pd_file_is(c->file)) {
		ok = (c->record ? pkt_record(c->file, c->families, c->sut, c->info, &text, error) :
				  pkt_convert(c->file, c->families, &text, error)) &&
		     write_text(c, &text, error);
		strbuf_free(&text);
		return ok;
	}
	c->frame = xrealloc(NULL, sizeof(*c->frame));
	c->scene = xrealloc(NULL, sizeof(*c->scene));
	memset(c->scene, 0, sizeof(*c->scene));
	ok = read_capture(c, error) && scene_cast(c->scene, c->host_text ? c->host : NULL, error);
	conversations_finish(&c->talks);
	ok = ok && make_text(c, &text, error) && write_text(c, &text, error);
	scene_free(c->scene);
	free(c->scene);
	free(c->frame);
	conversations_free(&c->talks);
	strbuf_free(&text);
	return ok;
}

int convert_command(int argc, char **argv)
{
	struct convert c = { 0 };
	struct strbuf error = { 0 };
	bool usage = !parse(&c, argc, argv, &error);
	bool ok = false;

	if (c.help) {
		fputs(help, stdout);
		ok = fflush(stdout) == 0;
	} else if (!usage) {
		ok = convert_file(&c, &error);
	}
	if (error.len)
		fprintf(stderr, "tapline convert: %s\n%s", strbuf_text(&error),
			usage ? "Try 'tapline convert --help'.\n" : "");
	strbuf_free(&error);
	return ok ? 0 : 2;
}
