/* SPDX-License-Identifier: MIT */
/*
 * A *.pkt file as tests. In which families it runs: in the one that it names itself; else in those
 * that --family (or --ip_version) names, but not in those that its name excludes, as packetdrill's
 * own runner has it: "...v4.pkt" is not for IPv6, "...v6.pkt" for nothing else.
 */
#include "packetdrill/front.h"

#include "capture/test_path.h"
#include "sut/sut.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TESTS 3

struct pd_test {
	enum pd_family family;
	struct pd_settings settings;
	struct pd_script *script; /* NULL: it is skipped */
	char *skip; /* why */
};

struct pd_file {
	const struct script_config *config;
	char *path;
	char *failure; /* "// Failure: REGEX": so the script must fail; NULL: it must not */
	struct pd_test tests[MAX_TESTS];
	size_t count;
};

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

bool pd_file_is(const char *path)
{
	return ends_in(path, ".pkt");
}

void pd_file_free(struct pd_file *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->count; i++) {
		pd_settings_free(&f->tests[i].settings);
		pd_script_free(f->tests[i].script);
		free(f->tests[i].skip);
	}
	free(f->failure);
	free(f->path);
	free(f);
}

/* -- Loading -- */

static bool own_options(struct pd_settings *s, const struct pd_script *script, struct strbuf *error)
{
	struct strbuf message = { 0 };
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < script->options; i++) {
		const struct pd_script_option *o = &script->option[i];

		if (strcmp(o->name.p, "ip_version") == 0)
			continue;
		ok = pd_settings_take(s, o->name.p, o->value.p, &message);
		if (!ok)
			strbuf_printf(error, "%s:%d: %s", script->path, o->line,
				      strbuf_text(&message));
	}
	strbuf_free(&message);
	return ok;
}

/* Options that hold before the script is read: the defines are in its text. */
static bool outer_options(struct pd_file *f, struct pd_test *t, const struct pd_arguments *a,
			  struct strbuf *error)
{
	struct strbuf message = { 0 };
	bool ok;

	pd_settings_init(&t->settings, t->family);
	ok = pd_settings_arguments(&t->settings, a, &message);
	if (!ok)
		strbuf_printf(error, "%s:1: %s", f->path, strbuf_text(&message));
	strbuf_free(&message);
	return ok;
}

static struct pd_script *parse_text(const struct pd_file *f, const struct pd_test *t,
				    const struct strbuf *text, struct pd_error *problem)
{
	const struct pd_parse_config config = {
		.path = f->path,
		.family = t->family,
		.define = t->settings.define,
		.defines = t->settings.defines,
	};

	return pd_script_parse(strbuf_text(text), text->len, &config, problem);
}

/* 1: parsed; 0: a skip; -1: an error. */
static int parse(struct pd_file *f, struct pd_test *t, const struct strbuf *text,
		 struct strbuf *error)
{
	struct pd_error problem = { 0 };

	t->script = parse_text(f, t, text, &problem);
	if (t->script) {
		if (!own_options(&t->settings, t->script, error))
			return -1;
		if (!t->script->events) {
			strbuf_printf(error, "%s:1: no event here: nothing is tested", f->path);
			return -1;
		}
		if (!t->settings.other_family)
			return 1;
		t->skip = xstrdup("the addresses that it is given are of another family");
		pd_script_free(t->script);
		t->script = NULL;
		return 0;
	}
	if (problem.kind == PD_ERROR_UNKNOWN) {
		t->skip = xstrdup(problem.text);
		return 0;
	}
	strbuf_puts(error, problem.text);
	return -1;
}

/* The family that the script names; false: it names none. */
static bool own_family(struct pd_file *f, const struct pd_arguments *a, const struct strbuf *text,
		       enum pd_family *family, struct strbuf *error)
{
	struct pd_test probe = { .family = PD_IPV4 };
	const struct pd_script_option *o;
	struct pd_error problem;
	bool found = false;

	/* Only read: its addresses are of the family that is looked for. */
	if (outer_options(f, &probe, a, error))
		probe.script = parse_text(f, &probe, text, &problem);
	if (probe.script) {
		o = pd_script_find(probe.script, "ip_version");
		found = o && o->value.p && pd_family_by_name(o->value.p, family);
	}
	/* What is wrong is found again, and told, by the parse that counts. */
	strbuf_clear(error);
	pd_settings_free(&probe.settings);
	pd_script_free(probe.script);
	return found;
}

static bool add_test(struct pd_file *f, enum pd_family family, bool own,
		     const struct pd_arguments *a, const struct strbuf *text, struct strbuf *error)
{
	struct pd_test *t = &f->tests[f->count++];
	bool only_4 = ends_in(f->path, "v4.pkt");
	bool only_6 = ends_in(f->path, "v6.pkt");

	*t = (struct pd_test){ .family = family };
	if (!outer_options(f, t, a, error))
		return false;
	if (!own && ((only_4 && family == PD_IPV6) || (only_6 && family != PD_IPV6))) {
		t->skip = xstrdup(only_4 ? "by its name it is for IPv4 only" :
					   "by its name it is for IPv6 only");
		return true;
	}
	return parse(f, t, text, error) >= 0;
}

/* The last word on the family outside of the script. */
static u8 wanted(const struct pd_arguments *a, u8 families)
{
	enum pd_family family;
	u8 set = families;
	size_t i;

	for (i = 0; !set && i < a->count; i++) {
		/* In a [section] it only says what the section is. */
		if (strcmp(a->list[i].name, "--ip_version") == 0 &&
		    a->list[i].families == PD_FAMILY_ALL &&
		    pd_family_by_name(a->list[i].value, &family))
			set = pd_family_bit(family);
	}
	return set ? set : PD_FAMILY_4;
}

/*
 * The origin's runner takes a comment "// Failure: REGEX" for what the script has to fail with. The
 * last such line counts.
 */
static void find_failure(struct pd_file *f, const char *text)
{
	static const char mark[] = "// Failure: ";
	const char *at = text;

	while ((at = strstr(at, mark))) {
		bool line = at == text || at[-1] == '\n';
		size_t len;

		at += sizeof(mark) - 1;
		len = strcspn(at, "\r\n");
		if (!line)
			continue;
		free(f->failure);
		f->failure = xstrdup(at);
		f->failure[len] = 0;
	}
}

static bool load_tests(struct pd_file *f, const struct pd_arguments *a, u8 families,
		       const struct strbuf *text, struct strbuf *error)
{
	static const enum pd_family order[] = { PD_IPV4, PD_IPV6, PD_MAPPED };
	enum pd_family family;
	u8 set = wanted(a, families);
	bool ok = true;
	size_t i;

	if (own_family(f, a, text, &family, error))
		return add_test(f, family, true, a, text, error);
	for (i = 0; ok && i < ARRAY_SIZE(order); i++) {
		if (set & pd_family_bit(order[i]))
			ok = add_test(f, order[i], false, a, text, error);
	}
	return ok;
}

struct pd_file *pd_file_load(const char *path, const struct script_config *config,
			     const struct pd_arguments *arguments, u8 families,
			     struct strbuf *error)
{
	struct pd_file *f = xrealloc(NULL, sizeof(*f));
	struct strbuf text = { 0 };
	int code = data_read_file(path, &text);
	bool ok = false;

	*f = (struct pd_file){ .config = config, .path = xstrdup(path) };
	if (code)
		strbuf_printf(error, "%s: cannot read the file: %s", path, strerror(code));
	else {
		find_failure(f, strbuf_text(&text));
		ok = load_tests(f, arguments, families, &text, error);
	}
	strbuf_free(&text);
	if (ok)
		return f;
	pd_file_free(f);
	return NULL;
}

size_t pd_file_test_count(const struct pd_file *f)
{
	return f->count;
}

const char *pd_file_test_name(const struct pd_file *f, size_t i)
{
	return pd_family_name(f->tests[i].family);
}

/* -- Running -- */

/* A script that has to fail, and did so as it says, has passed. */
static void turn_around(const struct pd_file *f, struct pd_outcome *o)
{
	regex_t regex;
	bool as_said;

	if (!f->failure || o->skipped || o->invariant)
		return;
	if (regcomp(&regex, f->failure, REG_EXTENDED | REG_NOSUB) != 0) {
		o->failed = true;
		strbuf_clear(&o->message);
		strbuf_printf(&o->message, "'%s' is no regular expression", f->failure);
		return;
	}
	as_said = o->failed && (regexec(&regex, strbuf_text(&o->classic), 0, NULL, 0) == 0 ||
				regexec(&regex, strbuf_text(&o->message), 0, NULL, 0) == 0);
	regfree(&regex);
	if (as_said) {
		o->failed = false;
	} else if (!o->failed) {
		o->failed = true;
		strbuf_printf(&o->message, "the script did not fail with '%s'", f->failure);
	}
}

static void fill_result(const struct pd_file *f, const struct pd_outcome *o, const char *capture,
			const char *rerun, struct script_result *result)
{
	const struct tap_diagnosis d = {
		.message = o->message.len ? o->message.data : NULL,
		.got = o->got.len ? o->got.data : NULL,
		.expect = o->expect.len ? o->expect.data : NULL,
		.diff = o->diff.len ? o->diff.data : NULL,
		.traceback = o->details.len ? o->details.data : NULL,
		.file = f->path,
		.line = o->line,
		.has_time = true,
		.time_virtual_ns = o->time_ns,
		.seed = f->config->seed,
		.rerun = rerun,
		.capture = capture,
	};

	strbuf_puts(&result->printed, strbuf_text(&o->printed));
	result->invariant = o->invariant;
	if (o->failed) {
		result->verdict = TAP_NOT_OK;
		tap_yaml(&result->diagnosis, &d);
		tap_message(&result->message, &d);
		result->line = d.line;
	} else if (o->skipped) {
		result->verdict = TAP_SKIP;
		strbuf_puts(&result->directive, strbuf_text(&o->message));
	}
}

static void run_test(struct pd_file *f, size_t i, const char *rerun, const struct pd_watch *watch,
		     struct pd_recorder *recorder, struct script_result *result)
{
	struct pd_test *t = &f->tests[i];
	const char *name = pd_family_name(t->family);
	struct strbuf capture = { 0 };
	struct pd_job job = {
		.script = t->script,
		.settings = &t->settings,
		.seed = test_seed(f->config->seed, f->path, name),
		.profile_rfc = strcmp(f->config->profile, "rfc") == 0,
		.digest = f->config->digest,
		.watch = watch,
		.recorder = recorder,
		.sut = f->config->sut ? f->config->sut : &sut_tapline,
		.setting_count = f->config->setting_count,
	};
	struct pd_define *settings = NULL;
	struct pd_outcome o;
	size_t k;

	*result = (struct script_result){ .verdict = TAP_OK };
	if (!t->script) {
		result->verdict = TAP_SKIP;
		strbuf_puts(&result->directive, t->skip);
		return;
	}
	if (job.setting_count)
		settings = xrealloc(NULL, job.setting_count * sizeof(*settings));
	for (k = 0; k < job.setting_count; k++)
		settings[k] = (struct pd_define){ f->config->settings[k].key,
						  f->config->settings[k].value };
	job.setting = settings;
	if (f->config->capture_dir) {
		capture_test_path(&capture, f->config->capture_dir, f->path, i, name);
		job.capture_path = strbuf_text(&capture);
	}
	pd_run(&job, &o);
	if (!recorder)
		turn_around(f, &o);
	fill_result(f, &o, job.capture_path, rerun, result);
	if (f->config->digest)
		strbuf_printf(&result->digest, "digest %s %016" PRIx64, name, o.digest);
	pd_outcome_free(&o);
	strbuf_free(&capture);
	free(settings);
}

void pd_file_run(struct pd_file *f, size_t i, const char *rerun, struct script_result *result)
{
	run_test(f, i, rerun, NULL, NULL, result);
}

void pd_file_watch(struct pd_file *f, size_t i, const struct pd_watch *watch,
		   struct script_result *result)
{
	run_test(f, i, "", watch, NULL, result);
}

void pd_file_record(struct pd_file *f, size_t i, struct pd_recorder *recorder,
		    struct script_result *result)
{
	run_test(f, i, "", NULL, recorder, result);
}

const struct pd_script *pd_file_script(const struct pd_file *f, size_t i)
{
	return f->tests[i].script;
}

const struct pd_settings *pd_file_settings(const struct pd_file *f, size_t i)
{
	return &f->tests[i].settings;
}

bool pd_file_fails(const struct pd_file *f)
{
	return f->failure != NULL;
}
