/* SPDX-License-Identifier: MIT */
/*
 * The command: the input runs in a child process, which keeps a record as it goes; the parent tells
 * how it ended and writes the files, whether it ended or crashed.
 */
#include "repro/repro.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/data.h"
#include "base/suggest.h"
#include "capture/capture.h"
#include "packet/packet.h"
#include "repro/record.h"
#include "repro/script.h"

#define INPUT_MAX  (1u << 20)
#define TIME_MAX_S 60u

static const char help[] =
	"usage: tapline repro TARGET INPUT [--lua FILE] [--pcap FILE]\n"
	"\n"
	"Runs an input of a fuzz target, and the same again in another world. Prints verdict and\n"
	"digest.\n"
	"\n"
	"  --lua FILE          write a test that does the same to a world, op by op\n"
	"  --pcap FILE         write what passed the wire (pcapng if so named)\n"
	"  --help              this text\n"
	"\n"
	"'tapline list targets' names the targets. Exit status: 0 all held; 1 it did not; 2 a wrong\n"
	"option, or a file that can not be read or written.\n";

static const struct repro_targets *targets;

struct repro {
	const char *target, *input, *lua, *pcap;
	const struct repro_target *found;
	struct strbuf bytes;
	FILE *record, *messages;
	int status; /* of the child, as of waitpid() */
};

void repro_set_targets(const struct repro_targets *t)
{
	targets = t;
}

void repro_list_targets(void)
{
	for (size_t i = 0; targets && i < targets->count; i++)
		puts(targets->list[i].name);
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "tapline repro: %s: %s\n", what, why);
	return 2;
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "tapline repro: %s%s%s\nTry 'tapline repro --help'.\n", what,
		word ? " " : "", word ? word : "");
	return 2;
}

/* -1 to go on, or the exit status. */
static int parse(struct repro *r, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char **value = NULL;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(help, stdout);
			return fflush(stdout) ? 2 : 0;
		}
		if (!strcmp(argv[i], "--lua"))
			value = &r->lua;
		else if (!strcmp(argv[i], "--pcap"))
			value = &r->pcap;
		else if (argv[i][0] == '-' && argv[i][1])
			return usage("unknown option", argv[i]);
		else if (r->input)
			return usage("one input only, not also", argv[i]);
		if (value && i + 1 == argc)
			return usage("a value is missing after", argv[i]);
		if (value)
			*value = argv[++i];
		else
			*(r->target ? &r->input : &r->target) = argv[i];
	}
	return r->input ? -1 : usage("a target and an input are needed", NULL);
}

static bool find_target(struct repro *r)
{
	const char *names[64], *near;
	size_t count = targets ? targets->count : 0;

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(targets->list[i].name, r->target))
			r->found = &targets->list[i];
		if (i < ARRAY_SIZE(names))
			names[i] = targets->list[i].name;
	}
	if (r->found)
		return true;
	near = suggest(r->target, names, count < ARRAY_SIZE(names) ? count : ARRAY_SIZE(names));
	fprintf(stderr, "tapline repro: no target '%s'", r->target);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	fputs("\nTry 'tapline list targets'.\n", stderr);
	return false;
}

/* ---- the run ---- */

static _Noreturn void child(struct repro *r)
{
	struct repro_recorder recorder = record_writer(r->record);
	u8 *exact = malloc(r->bytes.len ? r->bytes.len : 1);

	if (!exact)
		_exit(2);
	dup2(fileno(r->messages), STDERR_FILENO);
	dup2(fileno(r->messages), STDOUT_FILENO);
	alarm(TIME_MAX_S);
	memcpy(exact, strbuf_text(&r->bytes), r->bytes.len);
	targets->record(&recorder);
	r->found->run(exact, r->bytes.len);
	free(exact);
	fflush(NULL);
	_exit(0);
}

static int run(struct repro *r)
{
	pid_t pid;

	r->record = tmpfile();
	r->messages = tmpfile();
	if (!r->record || !r->messages)
		return complain("a temporary file", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return complain("fork", strerror(errno));
	if (!pid)
		child(r);
	while (waitpid(pid, &r->status, 0) < 0) {
		if (errno != EINTR)
			return complain("waitpid", strerror(errno));
	}
	return 0;
}

/* ---- what it gave ---- */

/* What the run had to say: all of it to standard error, the last line that is not empty to `last`.
 */
static void show_messages(struct repro *r, struct strbuf *last)
{
	char line[1000];

	rewind(r->messages);
	while (fgets(line, sizeof(line), r->messages)) {
		fputs(line, stderr);
		line[strcspn(line, "\n")] = '\0';
		if (*line) {
			strbuf_clear(last);
			strbuf_puts(last, line);
		}
	}
}

static void print_verdict(const struct repro *r, const struct strbuf *last)
{
	if (WIFEXITED(r->status) && !WEXITSTATUS(r->status))
		puts("verdict ok");
	else if (WIFSIGNALED(r->status) && WTERMSIG(r->status) == SIGALRM)
		printf("verdict not ok: no end within %u s\n", TIME_MAX_S);
	else if (WIFSIGNALED(r->status))
		printf("verdict not ok: signal %d: %s\n", WTERMSIG(r->status), strbuf_text(last));
	else
		printf("verdict not ok: exit status %d: %s\n", WEXITSTATUS(r->status),
		       strbuf_text(last));
}

/* Gives the number of ops. */
static u64 print_counts(struct repro *r)
{
	struct strbuf buffer = { 0 };
	struct run_record rec, end = { .kind = RECORD_NONE };
	u64 ops = 0, frames[2] = { 0 };

	rewind(r->record);
	while (record_read(r->record, &buffer, &rec)) {
		ops += rec.kind == RECORD_OP;
		if (rec.kind == RECORD_FRAME)
			frames[rec.dir & 1]++;
		if (rec.kind == RECORD_END)
			end = rec;
	}
	if (end.kind == RECORD_END)
		printf("digest %016" PRIx64 "\ntime_virtual_ns %" PRIu64 "\nevents %" PRIu64 "\n",
		       end.digest, end.now, end.events);
	printf("ops %" PRIu64 "\nframes_in %" PRIu64 "\nframes_out %" PRIu64 "\n", ops, frames[1],
	       frames[0]);
	strbuf_free(&buffer);
	return ops;
}

static int write_lua(struct repro *r)
{
	struct strbuf text = { 0 }, name = { 0 }, command = { 0 };
	int status = 0;
	FILE *f;

	for (const char *p = path_base(r->input); *p; p++)
		strbuf_putc(&name, (u8)*p < 0x20 || (u8)*p > 0x7e || strchr("\"\\", *p) ? '?' : *p);
	strbuf_printf(&command, "repro %s %s", r->found->name, strbuf_text(&name));
	repro_script(&text, r->record, strbuf_text(&command), r->found->name, strbuf_text(&name),
		     targets->seed);
	f = fopen(r->lua, "w");
	if (!f || fwrite(text.data, 1, text.len, f) != text.len || fflush(f))
		status = complain(r->lua, strerror(errno));
	if (f && fclose(f) && !status)
		status = complain(r->lua, strerror(errno));
	strbuf_free(&text);
	strbuf_free(&name);
	strbuf_free(&command);
	return status;
}

static int write_pcap(struct repro *r)
{
	char error[CAPTURE_ERROR_SIZE];
	size_t len = strlen(r->pcap);
	bool ng = len > 7 && !strcmp(r->pcap + len - 7, ".pcapng");
	struct strbuf buffer = { 0 };
	struct run_record rec;
	struct capture_writer *w = capture_create(r->pcap, ng ? CAPTURE_PCAPNG : CAPTURE_PCAP_NS,
						  PACKET_LINK_ETHERNET, 0, error);

	if (!w)
		return complain(r->pcap, error);
	rewind(r->record);
	while (record_read(r->record, &buffer, &rec)) {
		struct capture_frame f = {
			.time_ns = rec.now, .caplen = rec.len, .len = rec.len, .data = rec.bytes
		};

		f.direction = rec.dir ? CAPTURE_IN : CAPTURE_OUT;
		if (rec.kind == RECORD_FRAME)
			capture_write(w, &f);
	}
	strbuf_free(&buffer);
	return capture_finish(w, error) ? 0 : complain(r->pcap, error);
}

static int report(struct repro *r)
{
	bool good = WIFEXITED(r->status) && !WEXITSTATUS(r->status);
	struct strbuf last = { 0 };
	int status = 0;
	u64 ops;

	show_messages(r, &last);
	print_verdict(r, &last);
	ops = print_counts(r);
	strbuf_free(&last);
	/* Some targets have no world (parsers). */
	if (!ops && (r->lua || r->pcap))
		status = complain(r->input, "does nothing to a world: there is no test to write");
	if (r->lua && !status)
		status = write_lua(r);
	if (r->pcap && !status)
		status = write_pcap(r);
	if (fflush(stdout) || ferror(stdout))
		return complain("standard output", "can not be written");
	return status ? status : !good;
}

int repro_command(int argc, char **argv)
{
	struct repro r = { 0 };
	int status = parse(&r, argc, argv), error;

	if (status >= 0)
		return status;
	if (!find_target(&r))
		return 2;
	error = data_read_file(r.input, &r.bytes);
	if (error)
		status = complain(r.input, strerror(error));
	else if (r.bytes.len > INPUT_MAX)
		status = complain(r.input, "larger than 1 MiB: this is no fuzz input");
	else
		status = run(&r);
	if (!status)
		status = report(&r);
	if (r.record)
		fclose(r.record);
	if (r.messages)
		fclose(r.messages);
	strbuf_free(&r.bytes);
	return status;
}
