/* SPDX-License-Identifier: MIT */
/*
 * `tapline corpus TARGET IN... -o DIR`: turns the frames of captures, and of what scripts put onto
 * their wires, into inputs in the form that a fuzz target reads (the comment that opens
 * fuzz/targets/TARGET.c). A capture becomes one
 * seed or, when it is long, several; a seed's name is made of the capture's name and a number, so
 * that the same captures give the same files.
 */
#include "corpus/corpus.h"

#include "base/suggest.h"
#include "capture/capture.h"
#include "packet/packet.h"
#include "run/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED_MAX     4096u /* bytes: fuzzers like them short */
#define SEEDS_A_FILE 8u
#define EXIT_OK	     0
#define EXIT_USAGE   2

/* tcp_state_machine: a conversation that is followed, as far as the capture has come. */
struct talk {
	u64 client, server; /* ports */
	u32 rcv_nxt, snd_nxt; /* the server's */
};

#define TALKS 4u /* the target's passive connections */

/* One seed under construction. */
struct seed {
	u8 bytes[SEED_MAX];
	u32 len;
	struct talk talk[TALKS];
	u32 talks;
};

/* A target: how one frame and the time before it become records. False: the frame is of no use to
 * it, or does not fit. */
struct target {
	const char *name;
	const char *help;
	bool (*frame)(struct seed *s, const struct capture_frame *f);
	bool raw; /* frames without link header are of use, too */
};

static bool room(const struct seed *s, u32 n)
{
	return SEED_MAX - s->len >= n;
}

static void put(struct seed *s, u64 v)
{
	s->bytes[s->len++] = (u8)v;
}

/* The flag bits of ethernet_demux: a frame as it was captured, nothing repaired. */
enum { AS_IT_IS = 1 | 2 | 4 | 8 | 16, LEN_TIMES_8 = 64 };

static bool demux_frame(struct seed *s, const struct capture_frame *f)
{
	/* Addressed to the fuzzer's host: most of the paths begin behind the address checks. */
	u8 flags = AS_IT_IS & ~(8 | 16 | 1 | 2);
	u32 len = f->caplen, times = 1;

	if (len > 255) {
		times = 8;
		flags |= LEN_TIMES_8;
		len = (len + 7) / 8 * 8;
	}
	if (len / times > 255 || !room(s, 3 + len))
		return false;
	put(s, 0);
	put(s, len / times);
	put(s, flags);
	memcpy(s->bytes + s->len, f->data, f->caplen);
	memset(s->bytes + s->len + f->caplen, 0, len - f->caplen);
	s->len += len;
	return true;
}

static bool defrag_frame(struct seed *s, const struct capture_frame *f)
{
	struct packet *p = packet_parse(f->link, f->data, f->caplen, f->len);
	int at = packet_find(p, PACKET_IP, 0, 0);
	const struct packet_layer *ip = at >= 0 ? p->layer[at] : NULL;
	u64 off = ip ? packet_get_uint(ip, "off", 0) : 0;
	bool mf = ip && packet_get_uint(ip, "mf", 0);
	bool used = false;

	if (ip && (off || mf) && room(s, 6)) {
		u64 len = packet_get_uint(ip, "len", 20) - packet_get_uint(ip, "ihl", 5) * 4;

		/* FRAG id off len mf: bit 1 of the last says that the length counts in eights. */
		put(s, 0);
		put(s, packet_get_uint(ip, "id", 0));
		put(s, off >> 8);
		put(s, off);
		put(s, len > 255 ? len / 8 : len);
		put(s, (mf ? 1 : 0) | (len > 255 ? 2 : 0));
		used = true;
	}
	packet_free(p);
	return used;
}

static void put_call(struct seed *s, u8 nr, u8 slot, u8 arg)
{
	put(s, 9);
	put(s, nr);
	put(s, slot);
	put(s, arg);
}

/* What the server sent: its application did it. */
static void tcp_server(struct seed *s, u32 conn, u64 flags, u32 seq, u32 ack, u32 len)
{
	u8 slot = (u8)(conn + 1); /* behind the listener */

	s->talk[conn].rcv_nxt = ack;
	s->talk[conn].snd_nxt = seq + len + ((flags & 3) != 0);
	if (len && !(flags & 2))
		put_call(s, 3, slot, len < 100 ? 1 : len < 536 ? 2 : len < 1000 ? 3 : 5);
	if (flags & 1)
		put_call(s, 7, slot, 1);
}

/* A segment of the client's, relative to where the server stands. */
static void tcp_client(struct seed *s, u32 conn, u64 flags, u32 seq, u32 ack, u32 len)
{
	u32 dseq = seq - s->talk[conn].rcv_nxt, dack = ack - s->talk[conn].snd_nxt;
	bool eights = len > 255;

	put(s, 0);
	put(s, conn);
	put(s, eights ? 128 : 0);
	put(s, dseq >> 8);
	put(s, dseq);
	put(s, dack);
	put(s, flags);
	put(s, 0);
	put(s, 0);
	put(s, eights ? len / 8 : len);
	put_call(s, 5, (u8)(conn + 1), 0);
}

/* Which conversation the ports belong to; TALKS: to none. */
static u32 find_talk(const struct seed *s, u64 client, u64 server)
{
	for (u32 i = 0; i < s->talks; i++) {
		if (s->talk[i].client == client && s->talk[i].server == server)
			return i;
	}
	return TALKS;
}

/* The first conversations: their clients are the peer, their servers the host. */
static bool tcp_frame(struct seed *s, const struct capture_frame *f)
{
	struct packet *p = packet_parse(f->link, f->data, f->caplen, f->len);
	int at_ip = packet_find(p, PACKET_IP, 0, 0), at = packet_find(p, PACKET_TCP, 0, 0);
	bool used = false;

	if (at_ip >= 0 && at >= 0 && room(s, 16)) {
		const struct packet_layer *ip = p->layer[at_ip], *tcp = p->layer[at];
		u64 sport = packet_get_uint(tcp, "sport", 0),
		    dport = packet_get_uint(tcp, "dport", 0);
		u64 flags = packet_get_uint(tcp, "flags", 0);
		u64 head = (packet_get_uint(ip, "ihl", 5) + packet_get_uint(tcp, "doff", 5)) * 4;
		u64 total = packet_get_uint(ip, "len", 40);
		u32 seq = (u32)packet_get_uint(tcp, "seq", 0);
		u32 ack = (u32)packet_get_uint(tcp, "ack", 0);
		u32 len = total > head ? (u32)(total - head) : 0;

		u32 from_client = find_talk(s, sport, dport);
		u32 from_server = find_talk(s, dport, sport);

		used = true;
		if (from_client < TALKS) {
			tcp_client(s, from_client, flags, seq, ack, len);
		} else if (from_server < TALKS) {
			tcp_server(s, from_server, flags, seq, ack, len);
		} else if ((flags & 0x12) == 2 && s->talks < TALKS) {
			s->talk[s->talks] = (struct talk){ sport, dport, seq + 1, 0 };
			/* ESTABLISH: the handshake's last ACK, when it comes, is one more. */
			put(s, 8);
			put(s, s->talks++);
		} else {
			used = false;
		}
	}
	packet_free(p);
	return used;
}

static const struct target targets[] = {
	{ "ethernet_demux", "every Ethernet frame, as a RAW record", demux_frame, false },
	{ "ip_defrag", "every IPv4 fragment, as a FRAG record", defrag_frame, true },
	{ "tcp_state_machine", "the first four TCP conversations, as SEG records and calls",
	  tcp_frame, true },
};

static void print_help(FILE *to)
{
	fputs("usage: tapline corpus TARGET IN... -o DIR\n\n"
	      "Makes seeds for a fuzz target, one file a seed, in DIR: from capture files, and from\n"
	      "scripts (*.lua, folders), which are run for what they put onto their wires.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		fprintf(to, "  %-18s %s\n", targets[i].name, targets[i].help);
}

static const struct target *find_target(const char *name)
{
	const char *names[ARRAY_SIZE(targets)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
		names[i] = targets[i].name;
	}
	near = suggest(name, names, ARRAY_SIZE(names));
	fprintf(stderr, "tapline corpus: no target '%s'", name);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	fputs("\nTry 'tapline corpus --help'.\n", stderr);
	return NULL;
}

/* The capture's name without folder and ending. */
static void stem(const char *path, char *out, size_t cap)
{
	const char *slash = strrchr(path, '/');
	char *dot;

	snprintf(out, cap, "%s", slash ? slash + 1 : path);
	dot = strrchr(out, '.');
	if (dot && dot != out)
		*dot = 0;
}

static bool write_seed(const struct seed *s, const char *dir, const char *name, u32 number)
{
	char path[4096];
	FILE *f;
	bool good;

	snprintf(path, sizeof(path), "%s/%s-%u", dir, name, number);
	f = fopen(path, "wb");
	if (!f) {
		fprintf(stderr, "tapline corpus: %s: %s\n", path, strerror(errno));
		return false;
	}
	good = fwrite(s->bytes, 1, s->len, f) == s->len;
	good = fclose(f) == 0 && good;
	if (!good)
		fprintf(stderr, "tapline corpus: %s: can not be written: %s\n", path,
			strerror(errno));
	return good;
}

/* Seed byte and topology: one CPU, one queue. */
static void begin(struct seed *s)
{
	s->len = 0;
	s->talks = 0;
	put(s, 0);
	put(s, 0);
}

static int convert(const struct target *t, const char *path, const char *dir)
{
	char error[CAPTURE_ERROR_SIZE], name[256];
	struct capture_reader *r = capture_open(path, NULL, error);
	struct capture_frame frame;
	enum capture_status status = CAPTURE_FRAME;
	static const struct seed none;
	struct seed seed = none;
	u32 written = 0;
	bool good = true;

	if (!r) {
		fprintf(stderr, "tapline corpus: %s: %s\n", path, error);
		return EXIT_USAGE;
	}
	stem(path, name, sizeof(name));
	begin(&seed);
	while (good && written < SEEDS_A_FILE &&
	       (status = capture_next(r, &frame)) == CAPTURE_FRAME) {
		if ((frame.link != PACKET_LINK_ETHERNET && !t->raw) || t->frame(&seed, &frame) ||
		    seed.len == 2)
			continue;
		/* Full, or not for this target: what there is becomes a seed when it is full. */
		if (!room(&seed, 3 + frame.caplen + 8)) {
			good = write_seed(&seed, dir, name, written++);
			begin(&seed);
			(void)t->frame(&seed, &frame);
		}
	}
	if (good && seed.len > 2 && written < SEEDS_A_FILE)
		good = write_seed(&seed, dir, name, written);
	if (status == CAPTURE_DAMAGED || status == CAPTURE_UNSUPPORTED) {
		fprintf(stderr, "tapline corpus: %s: %s\n", path, capture_error(r));
		good = false;
	}
	capture_close(r);
	return good ? EXIT_OK : EXIT_USAGE;
}

/* Runs the tests with a capture each into `captures`. */
static bool run_script(char *path, char *captures)
{
	char option[] = "--capture", *argv[] = { option, captures, path, NULL };
	int status = 0, null;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		_exit(run_command(3, argv));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	/* Tests that fail have put something onto their wires, too. */
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != EXIT_USAGE;
}

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int convert_script(const struct target *t, char *path, const char *dir)
{
	char captures[] = "/tmp/tapline-corpus-XXXXXX", file[600];
	int result = EXIT_OK, count;
	struct dirent **names;

	if (!mkdtemp(captures)) {
		fprintf(stderr, "tapline corpus: %s: %s\n", captures, strerror(errno));
		return EXIT_USAGE;
	}
	if (!run_script(path, captures))
		result = EXIT_USAGE;
	count = scandir(captures, &names, no_dots, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", captures, names[i]->d_name);
		if (convert(t, file, dir) != EXIT_OK)
			result = EXIT_USAGE;
		unlink(file);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	rmdir(captures);
	return result;
}

static bool is_script(const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	return (len > 4 && !strcmp(path + len - 4, ".lua")) ||
	       (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

int corpus_main(int argc, char **argv)
{
	const struct target *target;
	const char *dir = NULL;
	int result = EXIT_OK, inputs = 0;

	if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
		print_help(stdout);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_USAGE;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
			dir = argv[++i];
		} else if (argv[i][0] == '-') {
			fprintf(stderr,
				"tapline corpus: unknown option '%s'\nTry 'tapline corpus --help'.\n",
				argv[i]);
			return EXIT_USAGE;
		} else {
			inputs++;
		}
	}
	if (argc == 0 || !inputs || !dir) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	target = find_target(argv[0]);
	if (!target)
		return EXIT_USAGE;
	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "tapline corpus: %s: %s\n", dir, strerror(errno));
		return EXIT_USAGE;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-o") == 0)
			i++;
		else if ((is_script(argv[i]) ? convert_script(target, argv[i], dir) :
					       convert(target, argv[i], dir)) != EXIT_OK)
			result = EXIT_USAGE;
	}
	return result;
}
