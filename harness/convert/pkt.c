/* SPDX-License-Identifier: MIT */
/*
 * A packetdrill script as a Lua test: the script is run, and the ops of the run are written out
 * (docs/lua.md, "The op log"). The test does the same to a world of the same seed, and its digest
 * holds every frame to what the script has accepted.
 */
#include "convert/pkt.h"

#include "base/data.h"
#include "packetdrill/front.h"
#include "repro/record.h"
#include "repro/script.h"
#include "run/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names in a test have no quotes and nothing that is not printed. */
static void plain(struct strbuf *out, const char *p)
{
	for (; *p; p++)
		strbuf_putc(out, (u8)*p < 0x20 || (u8)*p > 0x7e || strchr("\"\\", *p) ? '?' : *p);
}

static bool one_family(struct pd_file *f, size_t i, const char *path, struct strbuf *out,
		       struct strbuf *error)
{
	struct strbuf name = { 0 }, command = { 0 };
	struct script_result result;
	struct repro_recorder recorder;
	FILE *record = tmpfile();
	bool passed;
	u64 seed;

	if (!record) {
		strbuf_printf(error, "a temporary file: %s", strerror(errno));
		return false;
	}
	recorder = record_writer(record);
	pd_file_record(f, i, &recorder, &seed, &result);
	passed = result.verdict == TAP_OK && result.directive.len == 0;
	plain(&name, path_base(path));
	strbuf_printf(&command, "convert %s", strbuf_text(&name));
	if (passed)
		repro_script(out, record, strbuf_text(&command), strbuf_text(&name),
			     pd_file_test_name(f, i), seed);
	else if (!error->len)
		strbuf_printf(error, "%s: %s: the script does not pass: %s", path,
			      pd_file_test_name(f, i),
			      result.directive.len ? strbuf_text(&result.directive) :
						     "see 'tapline run'");
	strbuf_free(&name);
	strbuf_free(&command);
	script_result_free(&result);
	fclose(record);
	return passed;
}

bool pkt_convert(const char *path, struct strbuf *out, struct strbuf *error)
{
	const struct script_config config = { .seed = 1, .profile = "linux", .digest = true };
	struct run_options given = { .profile = "linux" }, options;
	struct args args = { 0 };
	struct pd_file *f = NULL;
	size_t i, written = 0;

	if (!args_options(&args, &given, path, &options, error)) {
		args_free(&args);
		return false;
	}
	f = pd_file_load(path, &config, &options.packetdrill, options.families, error);
	for (i = 0; f && i < pd_file_test_count(f); i++)
		written += one_family(f, i, path, out, error);
	pd_file_free(f);
	args_options_free(&options);
	args_free(&args);
	if (written)
		strbuf_clear(error);
	return written > 0;
}
