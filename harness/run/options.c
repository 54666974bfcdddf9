/* SPDX-License-Identifier: MIT */
/*
 * Command line of `tapline run`. One table holds every option: parsing, help and suggestions come
 * from it.
 */
#include "run/options.h"

#include "base/glob.h"
#include "base/suggest.h"
#include "lua/script.h"
#include "sut/sut.h"
#include "tap/tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
	OPT_SEED = RUN_OPTION_OWN,
	OPT_JOBS,
	OPT_FILTER,
	OPT_LIST,
	OPT_PROFILE,
	OPT_SET,
	OPT_CAPTURE,
	OPT_DIGEST,
	OPT_WALL_TIMEOUT,
	OPT_SHARD,
	OPT_AUDIT,
	OPT_FAMILY,
	OPT_MAKE,
	OPT_NIC,
	OPT_SUT,
	OPT_OFFLOAD,
	OPT_HELP,
};

static const struct run_option option_defs[] = {
	{ "--seed", "N", OPT_SEED },
	{ "-j", "N", OPT_JOBS },
	{ "--jobs", "N", OPT_JOBS },
	{ "--filter", "GLOB", OPT_FILTER },
	{ "--list", NULL, OPT_LIST },
	{ "--profile", "NAME", OPT_PROFILE },
	{ "--set", "KEY=VALUE", OPT_SET },
	{ "--capture", "DIR", OPT_CAPTURE },
	{ "--digest", NULL, OPT_DIGEST },
	{ "--wall-timeout", "SECONDS", OPT_WALL_TIMEOUT },
	{ "--shard", "I/N", OPT_SHARD },
	{ "--audit", NULL, OPT_AUDIT },
	{ "--make", NULL, OPT_MAKE },
	{ "--help", NULL, OPT_HELP },
	{ "-h", NULL, OPT_HELP },
	{ "--family", "4|6|mapped|all", OPT_FAMILY },
	{ "--sut", "NAME", OPT_SUT },
	{ "--nic", "MODEL", OPT_NIC },
	{ "--offload", "LIST", OPT_OFFLOAD },
};

const char *run_options_help(void)
{
	return "usage: tapline run [OPTION]... PATH...\n"
	       "\n"
	       "Runs Lua tests (*.lua) and packetdrill scripts (*.pkt) and writes TAP version 13 to\n"
	       "standard output. A folder stands for all of them below it, except names that begin\n"
	       "with '_' or '.', and folders named lib.\n"
	       "A capture (*.pcap, *.pcapng) stands for the Lua file beside it: a capture case.\n"
	       "\n"
	       "  --seed N            seed of all that is random in a run (default 1)\n"
	       "  -j, --jobs N        so many files at a time; the output does not depend on it\n"
	       "  --filter GLOB       only tests whose name, or \"PATH: name\", matches\n"
	       "  --shard I/N         only the I-th of N parts of the tests; all parts together are\n"
	       "                      all tests, and each is in one part, wherever it is run from\n"
	       "  --list              print the tests and run none\n"
	       "  --profile NAME      linux (default) or rfc\n"
	       "  --nic MODEL         the cards of hosts in Lua tests: ring (default) or virtio\n"
	       "  --offload LIST      what those cards do: gro=off,tso=on,tx_csum=on,rx_csum=off\n"
	       "  --set KEY=VALUE     a sysctl for every host of every test; may be repeated\n"
	       "  --capture DIR       write what was on the wire, a file per test, into DIR\n"
	       "  --make              write the captures that scripts make, instead of comparing them\n"
	       "  --digest            print a hash of all that happened, per test\n"
	       "  --audit             run everything twice, the second time with other addresses and\n"
	       "                      junk in fresh memory; a difference fails the test\n"
	       "  --wall-timeout S    real seconds that one test may take (default 60, 0: no limit)\n"
	       "  --family F          packetdrill scripts: 4 (default), 6, mapped or all; a script that\n"
	       "                      says its --ip_version runs in that one\n"
	       "  -D NAME=VALUE       packetdrill scripts: VALUE for NAME in the text\n"
	       "  --tolerance T       packetdrill scripts: how far a time may be off (5ms, 250us; no\n"
	       "                      less than 4 ms); 0: be exact, and list what is not\n"
	       "  --env NAME=VALUE    packetdrill scripts: a variable of their commands; their other\n"
	       "                      options (--local_ip, --mtu, --tolerance_usecs, ...) hold too\n"
	       "  --sut NAME          packetdrill scripts: the stack that they test: tapline (default),\n"
	       "                      or kernel: this machine's, in a network namespace of its own, in\n"
	       "                      real time (needs root)\n"
	       "  --help              this text\n"
	       "\n"
	       "A file tapline.args in a folder holds options for what lies below it, one a line:\n"
	       "--set, --profile, --seed, --wall-timeout, and those for packetdrill scripts.\n"
	       "\n"
	       "Exit status: 0 all passed; 1 a test failed; 2 usage, or a file that can not be read\n"
	       "or parsed; 3 an invariant of the stack broke, or two runs differed; 4 everything was\n"
	       "skipped.\n";
}

bool run_parse_u64(const char *text, u64 max, u64 *value)
{
	unsigned int base = 10;
	u64 n = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit;

		if (*text >= '0' && *text <= '9')
			digit = (unsigned int)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			digit = (unsigned int)(*text - 'a') + 10;
		else if (*text >= 'A' && *text <= 'F')
			digit = (unsigned int)(*text - 'A') + 10;
		else
			return false;
		if (digit >= base || digit > max || n > (max - digit) / base)
			return false;
		n = n * base + digit;
	}
	*value = n;
	return true;
}

static bool parse_number(const char *option, const char *text, u64 min, u64 max, u64 *value,
			 struct strbuf *error)
{
	if (run_parse_u64(text, max, value) && *value >= min)
		return true;
	strbuf_printf(error, "%s: '%s' is not a number from %" PRIu64 " to %" PRIu64, option, text,
		      min, max);
	return false;
}

/* One of two names. */
static const char *parse_name(const char *option, const char *what, const char *const names[2],
			      const char *text, struct strbuf *error)
{
	const char *near;

	for (size_t i = 0; i < 2; i++)
		if (strcmp(text, names[i]) == 0)
			return names[i];
	near = suggest(text, names, 2);
	strbuf_printf(error, "%s: no %s '%s' (there are %s and %s%s%s%s)", option, what, text,
		      names[0], names[1], near ? "; did you mean '" : "", near ? near : "",
		      near ? "'?" : "");
	return NULL;
}

static bool parse_profile(struct run_options *o, const char *text, struct strbuf *error)
{
	static const char *const names[] = { "linux", "rfc" };
	const char *name = parse_name("--profile", "profile", names, text, error);

	o->profile_given = name != NULL;
	o->profile = name ? name : o->profile;
	return name != NULL;
}

static bool parse_nic(struct run_options *o, const char *text, struct strbuf *error)
{
	static const char *const names[] = { "ring", "virtio" };

	o->nic = parse_name("--nic", "model", names, text, error);
	return o->nic != NULL;
}

const struct sut_ops *run_sut_by_name(const char *name, struct strbuf *error)
{
	static const char *const names[] = { "tapline", "kernel" };
	const char *known = parse_name("--sut", "stack", names, name, error);

	return !known ? NULL : known == names[0] ? &sut_tapline : &sut_kernel;
}

static bool parse_sut(struct run_options *o, const char *text, struct strbuf *error)
{
	const struct sut_ops *sut = run_sut_by_name(text, error);

	o->sut = sut ? sut : o->sut;
	return sut != NULL;
}

/* What --sut kernel has nothing to set against: a check that finds nothing is none. */
static bool check_sut(const struct run_options *o, struct strbuf *error)
{
	const char *option = o->audit			 ? "--audit" :
			     o->digest			 ? "--digest" :
			     o->nic			 ? "--nic" :
			     o->offload			 ? "--offload" :
			     strcmp(o->profile, "linux") ? "--profile rfc" :
							   NULL;

	if (o->sut != &sut_kernel || !option)
		return true;
	strbuf_printf(error, "%s and --sut kernel: the machine's kernel has no such thing", option);
	return false;
}

/* "gro=off,tso=on": names and switches that there are. */
static bool parse_offload(struct run_options *o, const char *text, struct strbuf *error)
{
	static const char *const names[] = { "gro", "lro", "tso", "tx_csum", "rx_csum" };
	const char *rest = text;

	while (*rest) {
		size_t len = strcspn(rest, ",");
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(names) && !known; i++) {
			size_t name = strlen(names[i]);

			known = len > name + 1 && strncmp(rest, names[i], name) == 0 &&
				rest[name] == '=' &&
				((len == name + 3 && strncmp(rest + name, "=on", 3) == 0) ||
				 (len == name + 4 && strncmp(rest + name, "=off", 4) == 0));
		}
		if (!known) {
			strbuf_printf(
				error,
				"--offload: '%.*s' is none of gro, lro, tso, tx_csum, rx_csum "
				"with =on or =off",
				(int)len, rest);
			return false;
		}
		rest += len + (rest[len] == ',');
	}
	o->offload = text;
	return true;
}

void run_options_add_setting(struct run_options *o, char *key, const char *value)
{
	o->settings = xrealloc(o->settings, (o->setting_count + 1) * sizeof(*o->settings));
	o->settings[o->setting_count++] = (struct script_setting){ key, value };
}

static bool parse_setting(struct run_options *o, char *text, struct strbuf *error)
{
	char *equals = strchr(text, '=');
	char *key;

	if (!equals || equals == text) {
		strbuf_printf(error, "--set: '%s' is not KEY=VALUE", text);
		return false;
	}
	key = xstrdup(text);
	key[equals - text] = 0;
	run_options_add_setting(o, key, equals + 1);
	return true;
}

/* "I/N": part I of N, from 1. */
static bool parse_shard(struct run_options *o, const char *text, struct strbuf *error)
{
	const char *slash = strchr(text, '/');
	char *first = xstrdup(text);
	u64 part = 0;
	u64 parts = 0;
	bool ok;

	if (slash)
		first[slash - text] = 0;
	ok = slash && run_parse_u64(slash + 1, RUN_MAX_SHARDS, &parts) && parts &&
	     run_parse_u64(first, parts, &part) && part;
	free(first);
	if (!ok) {
		strbuf_printf(error, "--shard: '%s' is not I/N with I from 1 to N (at most %u)",
			      text, RUN_MAX_SHARDS);
		return false;
	}
	o->shard = (unsigned int)part;
	o->shards = (unsigned int)parts;
	return true;
}

static bool apply(struct run_options *o, const struct run_option *d, char *value,
		  struct strbuf *error)
{
	u64 n;

	switch ((enum option_id)d->id) {
	case OPT_SEED:
		o->seed_given = true;
		return parse_number(d->name, value, 0, UINT64_MAX, &o->seed, error);
	case OPT_JOBS:
		if (!parse_number(d->name, value, 1, 1024, &n, error))
			return false;
		o->jobs = (unsigned int)n;
		return true;
	case OPT_WALL_TIMEOUT:
		if (!parse_number(d->name, value, 0, 86400, &n, error))
			return false;
		o->wall_timeout = (unsigned int)n;
		o->wall_timeout_given = true;
		return true;
	case OPT_FILTER:
		o->filter = value;
		return true;
	case OPT_LIST:
		o->list = true;
		return true;
	case OPT_PROFILE:
		return parse_profile(o, value, error);
	case OPT_SUT:
		return parse_sut(o, value, error);
	case OPT_NIC:
		return parse_nic(o, value, error);
	case OPT_OFFLOAD:
		return parse_offload(o, value, error);
	case OPT_SET:
		return parse_setting(o, value, error);
	case OPT_CAPTURE:
		o->capture_dir = value;
		return true;
	case OPT_DIGEST:
		o->digest = true;
		return true;
	case OPT_SHARD:
		return parse_shard(o, value, error);
	case OPT_AUDIT:
		o->audit = true;
		return true;
	case OPT_MAKE:
		o->make = true;
		return true;
	case OPT_FAMILY:
		o->families = pd_families_parse(value);
		if (o->families)
			return true;
		strbuf_printf(error, "--family: '%s' is not 4, 6, mapped or all", value);
		return false;
	case OPT_HELP:
		o->help = true;
		return true;
	}
	return false;
}

static const struct run_option *option_at(const struct run_extras *extras, size_t i)
{
	if (i < ARRAY_SIZE(option_defs))
		return &option_defs[i];
	i -= ARRAY_SIZE(option_defs);
	return extras && i < extras->count ? &extras->list[i] : NULL;
}

static const struct run_option *find(const struct run_extras *extras, const char *name, size_t len)
{
	const struct run_option *d;
	size_t i;

	for (i = 0; (d = option_at(extras, i)); i++) {
		if (strlen(d->name) == len && !strncmp(d->name, name, len))
			return d;
	}
	return NULL;
}

static bool unknown(const struct run_extras *extras, const char *argument, struct strbuf *error)
{
	const char *names[ARRAY_SIZE(option_defs) + RUN_MAX_EXTRAS];
	char *word = xstrdup(argument);
	const struct run_option *d;
	const char *near;
	size_t i;

	word[strcspn(word, "=")] = 0;
	for (i = 0; i < ARRAY_SIZE(names) && (d = option_at(extras, i)); i++)
		names[i] = d->name;
	near = suggest(word, names, i);
	strbuf_printf(error, "unknown option '%s'", word);
	if (near)
		strbuf_printf(error, "; did you mean '%s'?", near);
	free(word);
	return false;
}

static bool take(struct run_options *o, const struct run_extras *extras, const struct run_option *d,
		 char *value, struct strbuf *error)
{
	if (d->id < RUN_OPTION_OWN)
		return extras->take(extras->ctx, d->id, value, error);
	return apply(o, d, value, error);
}

/*
 * An option that packetdrill has too. 1: taken; 0: it is none; -1: it is wrong.
 */
static int parse_packetdrill(struct run_options *o, int argc, char **argv, int *i,
			     struct strbuf *error)
{
	char *argument = argv[*i];
	size_t len = argument[1] == '-' ? strcspn(argument, "=") : 2;
	struct strbuf ignored = { 0 };
	char *name = xstrdup(argument);
	const char *value = NULL;
	bool takes = false;
	int known;
	size_t k;

	name[len] = 0;
	known = pd_option_check(name, NULL, &takes, &ignored);
	strbuf_free(&ignored);
	if (known && argument[len])
		value = argument + len + (argument[len] == '=');
	else if (known && takes && *i + 1 < argc)
		value = argv[++*i];
	if (known)
		known = pd_option_check(name, value, NULL, error);
	/* The table's own string lives long enough. */
	for (k = 0; known > 0 && pd_option_name(k); k++) {
		if (strcmp(pd_option_name(k), name) == 0)
			pd_arguments_add(&o->packetdrill, pd_option_name(k), value, PD_FAMILY_ALL);
	}
	free(name);
	return known;
}

/* Reads the option at argv[*i], which begins with '-'; moves *i over a value in its own word. */
static bool parse_option(struct run_options *o, const struct run_extras *extras, int argc,
			 char **argv, int *i, struct strbuf *error)
{
	char *argument = argv[*i];
	bool is_long = argument[1] == '-';
	size_t len = is_long ? strcspn(argument, "=") : 2;
	const struct run_option *d = find(extras, argument, len);
	char *value = NULL;

	if (!d) {
		int known = parse_packetdrill(o, argc, argv, i, error);

		return known ? known > 0 : unknown(extras, argument, error);
	}
	if (argument[len])
		value = argument + len + (argument[len] == '=');
	if (!d->value) {
		if (!value)
			return take(o, extras, d, NULL, error);
		if (!is_long)
			return unknown(extras, argument, error);
		strbuf_printf(error, "%s takes no value", d->name);
		return false;
	}
	if (!value && ++*i < argc)
		value = argv[*i];
	if (!value) {
		strbuf_printf(error, "%s needs a value: %s", d->name, d->value);
		return false;
	}
	return take(o, extras, d, value, error);
}

bool run_options_parse(struct run_options *o, const struct run_extras *extras, int argc,
		       char **argv, struct strbuf *error)
{
	bool only_paths = false;
	int i;

	*o = (struct run_options){
		.seed = RUN_DEFAULT_SEED,
		.jobs = 1,
		.profile = "linux",
		.wall_timeout = RUN_DEFAULT_WALL_TIMEOUT,
	};
	for (i = 0; i < argc; i++) {
		if (!only_paths && strcmp(argv[i], "--") == 0) {
			only_paths = true;
		} else if (!only_paths && argv[i][0] == '-' && argv[i][1]) {
			if (!parse_option(o, extras, argc, argv, &i, error))
				return false;
		} else if (!argv[i][0]) {
			strbuf_puts(error, "a path is empty");
			return false;
		} else {
			o->paths = xrealloc(o->paths, (o->path_count + 1) * sizeof(*o->paths));
			o->paths[o->path_count++] = argv[i];
		}
	}
	if (!o->path_count && !o->help) {
		strbuf_puts(error, "no file or folder given");
		return false;
	}
	return check_sut(o, error);
}

bool run_options_apply(struct run_options *o, const char *name, char *value, struct strbuf *error)
{
	const struct run_option *d = find(NULL, name, strlen(name));

	if (!d)
		return unknown(NULL, name, error);
	if (d->id != OPT_SEED && d->id != OPT_PROFILE && d->id != OPT_SET &&
	    d->id != OPT_WALL_TIMEOUT) {
		strbuf_printf(error, "%s is for the command line only", d->name);
		return false;
	}
	if (!value || !*value) {
		strbuf_printf(error, "%s needs a value: %s", d->name, d->value);
		return false;
	}
	return apply(o, d, value, error);
}

void run_options_free(struct run_options *o)
{
	size_t i;

	for (i = 0; i < o->setting_count; i++)
		free((void *)(uintptr_t)o->settings[i].key);
	free(o->settings);
	pd_arguments_free(&o->packetdrill);
	free(o->paths);
	*o = (struct run_options){ 0 };
}

void run_options_rerun(const struct run_options *o, const char *path, const char *name,
		       struct strbuf *out)
{
	struct strbuf word = { 0 };
	size_t i;

	strbuf_printf(out, "tapline run --seed %" PRIu64, o->seed);
	if (strcmp(o->profile, "linux") != 0)
		strbuf_printf(out, " --profile %s", o->profile);
	if (o->sut)
		strbuf_printf(out, " --sut %s", o->sut->name);
	if (o->nic)
		strbuf_printf(out, " --nic %s", o->nic);
	if (o->offload)
		strbuf_printf(out, " --offload %s", o->offload);
	for (i = 0; i < o->setting_count; i++) {
		strbuf_clear(&word);
		strbuf_printf(&word, "%s=%s", o->settings[i].key, o->settings[i].value);
		strbuf_puts(out, " --set ");
		tap_shell_word(out, strbuf_text(&word));
	}
	if (o->families)
		strbuf_printf(out, " --family %s",
			      o->families == PD_FAMILY_4      ? "4" :
			      o->families == PD_FAMILY_6      ? "6" :
			      o->families == PD_FAMILY_MAPPED ? "mapped" :
								"all");
	for (i = o->packetdrill_below; i < o->packetdrill.count; i++) {
		strbuf_printf(out, " %s", o->packetdrill.list[i].name);
		if (o->packetdrill.list[i].value) {
			strbuf_putc(out, ' ');
			tap_shell_word(out, o->packetdrill.list[i].value);
		}
	}
	if (name) {
		strbuf_clear(&word);
		glob_escape(&word, name);
		strbuf_puts(out, " --filter ");
		tap_shell_word(out, strbuf_text(&word));
	}
	strbuf_puts(out, path[0] == '-' ? " -- " : " ");
	tap_shell_word(out, path);
	strbuf_free(&word);
}
