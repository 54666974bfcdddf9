/* SPDX-License-Identifier: MIT */
/* Command line of `tapline replay`; see options.h. */
#include "replay/options.h"

#include "base/suggest.h"
#include "lua/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: tapline replay [OPTION]... FILE\n"
	"\n"
	"Gives the frames of a capture (pcap or pcapng; -: standard input) to one simulated host,\n"
	"each at its time, and prints the host's counters, one `Name value` a line.\n"
	"\n"
	"  --converse         play each TCP conversation: one side is the peer, a host the other\n"
	"  --side SIDE        the side that the peer takes: client (default) or server\n"
	"  --any              every frame and every address is the host's own (default)\n"
	"  --as ADDR[/LEN]    the host has this address, and its MAC of the capture\n"
	"  --set KEY=VALUE    set a sysctl first; may be given again\n"
	"  --profile NAME     linux (default) or rfc\n"
	"  --seed N           seed of the world\n"
	"  -w FILE            write what the host sent (pcap with ns; pcapng if so named)\n"
	"  --annotate FILE    write all frames, each with a comment on what became of it (pcapng)\n"
	"  --json             print the counters as one JSON object\n"
	"  --digest           print the digest of the run as well\n"
	"  --cut HOW          frames that the snapshot length cut: pad (default), drop, keep\n"
	"  --backwards HOW    a frame older than the one before: hold (default), error\n"
	"  --checksums HOW    judge (default), trust: offload left them wrong, trust-ip\n"
	"  --help             this text\n";

static int wrong(const char *text, const char *what)
{
	fprintf(stderr, "tapline replay: %s%s%s (see --help)\n", text, what ? ": " : "",
		what ? what : "");
	return 2;
}

/* The index of `value` in a list that ends with NULL; -1 when it is not there. */
static int choice(const char *const *list, const char *value)
{
	for (int i = 0; list[i]; i++) {
		if (!strcmp(list[i], value))
			return i;
	}
	return -1;
}

/* A value that is none of the list. */
static int wrong_choice(const char *text, const char *const *list, const char *value)
{
	size_t count = 0;
	const char *meant;

	while (list[count])
		count++;
	meant = suggest(value, list, count);
	fprintf(stderr, "tapline replay: %s: %s%s%s%s (see --help)\n", text, value,
		meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
	return 2;
}

static int parse_addr(struct replay_options *o, const char *value)
{
	char addr[32];
	const char *slash = strchr(value, '/');
	size_t len = slash ? (size_t)(slash - value) : strlen(value);
	char *end;

	o->any = false;
	o->prefix_len = 24;
	if (len >= sizeof(addr))
		return wrong("not an IPv4 address", value);
	memcpy(addr, value, len);
	addr[len] = '\0';
	if (inet_pton(AF_INET, addr, o->addr) != 1)
		return wrong("not an IPv4 address", value);
	if (slash) {
		unsigned long n = strtoul(slash + 1, &end, 10);

		if (slash[1] < '0' || slash[1] > '9' || *end || n > 32)
			return wrong("not a prefix length", slash + 1);
		o->prefix_len = (u32)n;
	}
	return -1;
}

static char *copy_text(const char *s, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

static int add_sysctl(struct replay_options *o, const char *value)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return wrong("--set wants KEY=VALUE", value);
	o->sysctl = realloc(o->sysctl, (o->sysctl_count + 1) * sizeof(*o->sysctl));
	if (!o->sysctl)
		abort();
	o->sysctl[o->sysctl_count].name = copy_text(value, (size_t)(equals - value));
	o->sysctl[o->sysctl_count].value = copy_text(equals + 1, strlen(equals + 1));
	o->sysctl_count++;
	return -1;
}

static int parse_seed(struct replay_options *o, const char *value)
{
	char *end;

	o->seed = strtoull(value, &end, 0);
	if (*value < '0' || *value > '9' || *end)
		return wrong("not a seed", value);
	return -1;
}

enum option_id {
	OPTION_AS,
	OPTION_SET,
	OPTION_PROFILE,
	OPTION_SEED,
	OPTION_W,
	OPTION_CUT,
	OPTION_BACKWARDS,
	OPTION_CHECKSUMS,
	OPTION_SIDE,
	OPTION_ANNOTATE,
	OPTION_ANY,
	OPTION_CONVERSE,
	OPTION_JSON,
	OPTION_DIGEST,
	OPTION_HELP,
};

static const char *const option_names[] = {
	[OPTION_AS] = "--as",
	[OPTION_SET] = "--set",
	[OPTION_PROFILE] = "--profile",
	[OPTION_SEED] = "--seed",
	[OPTION_W] = "-w",
	[OPTION_CUT] = "--cut",
	[OPTION_BACKWARDS] = "--backwards",
	[OPTION_CHECKSUMS] = "--checksums",
	[OPTION_SIDE] = "--side",
	[OPTION_ANNOTATE] = "--annotate",
	[OPTION_ANY] = "--any",
	[OPTION_CONVERSE] = "--converse",
	[OPTION_JSON] = "--json",
	[OPTION_DIGEST] = "--digest",
	[OPTION_HELP] = "--help",
	NULL,
};

static int option_with_value(struct replay_options *o, enum option_id id, const char *value)
{
	static const char *const profiles[] = { "linux", "rfc", NULL };
	static const char *const cuts[] = { "pad", "drop", "keep", NULL };
	static const char *const backwards[] = { "hold", "error", NULL };
	static const char *const checksums[] = { "judge", "trust-ip", "trust", NULL };
	static const char *const sides[] = { "client", "server", NULL };
	int n;

	switch (id) {
	case OPTION_AS:
		return parse_addr(o, value);
	case OPTION_SET:
		return add_sysctl(o, value);
	case OPTION_SEED:
		return parse_seed(o, value);
	case OPTION_W:
		o->out = value;
		return -1;
	case OPTION_ANNOTATE:
		o->annotate = value;
		return -1;
	case OPTION_PROFILE:
		n = choice(profiles, value);
		o->rfc = n == 1;
		return n < 0 ? wrong_choice("unknown profile", profiles, value) : -1;
	case OPTION_CUT:
		n = choice(cuts, value);
		o->cut = (enum replay_cut)n;
		return n < 0 ? wrong_choice("--cut is pad, drop or keep, not", cuts, value) : -1;
	case OPTION_BACKWARDS:
		n = choice(backwards, value);
		o->backwards = (enum replay_backwards)n;
		return n < 0 ? wrong_choice("--backwards is hold or error, not", backwards, value) :
			       -1;
	case OPTION_SIDE:
		n = choice(sides, value);
		o->server = n == 1;
		return n < 0 ? wrong_choice("--side is client or server, not", sides, value) : -1;
	default:
		n = choice(checksums, value);
		o->checksums = (enum replay_checksums)n;
		return n < 0 ? wrong_choice("--checksums is judge, trust-ip or trust, not",
					    checksums, value) :
			       -1;
	}
}

static int option_alone(struct replay_options *o, enum option_id id)
{
	switch (id) {
	case OPTION_ANY:
		o->any = true;
		return -1;
	case OPTION_CONVERSE:
		o->converse = true;
		return -1;
	case OPTION_JSON:
		o->json = true;
		return -1;
	case OPTION_DIGEST:
		o->digest = true;
		return -1;
	default:
		fputs(usage, stdout);
		return 0;
	}
}

/* One argument and, where it takes one, its value, which may be joined by '='. */
static int parse_option(struct replay_options *o, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *equals = strchr(arg, '=');
	char name[32];
	size_t len = equals && arg[1] == '-' ? (size_t)(equals - arg) : strlen(arg);
	int id;

	if (len >= sizeof(name))
		return wrong_choice("unknown option", option_names, arg);
	memcpy(name, arg, len);
	name[len] = '\0';
	id = choice(option_names, name);
	if (id < 0)
		return wrong_choice("unknown option", option_names, name);
	o->given |= 1u << id;
	if (id >= OPTION_ANY) {
		if (arg[len])
			return wrong("option takes no value", name);
		return option_alone(o, (enum option_id)id);
	}
	if (arg[len])
		return option_with_value(o, (enum option_id)id, arg + len + 1);
	if (*i + 1 == argc)
		return wrong("option wants a value", arg);
	return option_with_value(o, (enum option_id)id, argv[++*i]);
}

/* What means nothing in the mode that was asked for is not taken. */
static int check_mode(const struct replay_options *o)
{
	static const u8 frames_only[] = { OPTION_AS, OPTION_ANY, OPTION_BACKWARDS, OPTION_CHECKSUMS,
					  OPTION_ANNOTATE };

	if (!o->converse)
		return o->given >> OPTION_SIDE & 1 ? wrong("--side is for --converse", NULL) : -1;
	for (size_t i = 0; i < sizeof(frames_only); i++) {
		if (o->given >> frames_only[i] & 1)
			return wrong("does not go with --converse", option_names[frames_only[i]]);
	}
	return -1;
}

/* Tried before the capture is opened, as `tapline run` does. */
static int check_sysctls(const struct replay_options *o)
{
	struct script_config config = { .profile = o->rfc ? "rfc" : "linux", .setting_count = 1 };
	struct strbuf error = { 0 };
	bool ok = true;

	for (u32 i = 0; i < o->sysctl_count && ok; i++) {
		const struct script_setting setting = { o->sysctl[i].name, o->sysctl[i].value };

		config.settings = &setting;
		ok = settings_check(&config, &error);
	}
	if (!ok)
		wrong(strbuf_text(&error), NULL);
	strbuf_free(&error);
	return ok ? -1 : 2;
}

int replay_options_parse(struct replay_options *o, int argc, char **argv)
{
	int status;

	*o = (struct replay_options){ .any = true, .seed = 1 };
	for (int i = 0; i < argc; i++) {
		status = -1;
		if (argv[i][0] == '-' && argv[i][1])
			status = parse_option(o, argc, argv, &i);
		else if (o->file)
			status = wrong("more than one file", argv[i]);
		else
			o->file = argv[i];
		if (status >= 0)
			return status;
	}
	if (!o->file)
		return wrong("no file is given", NULL);
	status = check_mode(o);
	return status < 0 ? check_sysctls(o) : status;
}

void replay_options_free(struct replay_options *o)
{
	for (u32 i = 0; i < o->sysctl_count; i++) {
		free(o->sysctl[i].name);
		free(o->sysctl[i].value);
	}
	free(o->sysctl);
}
