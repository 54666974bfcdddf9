/* SPDX-License-Identifier: MIT */
/*
 * The host behind the plug-in: the same that runs scripts (packetdrill/host.c), without a script.
 */
#include "plugin/host.h"

#include "packetdrill/runner.h"
#include "stack/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_NS 10000000000ull

struct plugin_host {
	struct pd_settings settings;
	struct pd_script script; /* its path, for messages */
	struct pd_run run;
	bool stop_on_packet;
};

static void on_frame(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct plugin_host *h = ctx;

	(void)wire;
	(void)end;
	if (h->run.frame_count == PD_MAX_FRAMES)
		return;
	pd_frame_add(&h->run, h->run.sut->ops->now(h->run.sut), frame, len);
	if (h->stop_on_packet)
		h->run.sut->ops->stop(h->run.sut);
}

static const struct world_ops callbacks = { .wire_rx = on_frame };

/* One "NAME=VALUE" of the flags; sysctls wait until there is a host. */
static bool take_flag(struct plugin_host *h, char *pair, bool sysctls, u64 *seed)
{
	char *equals = strchr(pair, '=');
	struct strbuf error = { 0 };
	bool ok = true;

	if (!equals)
		return false;
	*equals = '\0';
	if (strchr(pair, '.'))
		ok = !sysctls || pd_host_sysctl(&h->run, pair, equals + 1) >= 0;
	else if (strcmp(pair, "seed") == 0)
		*seed = strtoull(equals + 1, NULL, 0);
	else if (strcmp(pair, "ip_version") != 0 && !sysctls)
		ok = pd_settings_take(&h->settings, pair, equals + 1, &error) &&
		     !h->settings.other_family;
	*equals = '=';
	strbuf_free(&error);
	return ok;
}

static bool take_flags(struct plugin_host *h, const char *flags, bool sysctls, u64 *seed)
{
	char *copy = xstrdup(flags ? flags : "");
	char *save = NULL, *word;
	bool ok = true;

	for (word = strtok_r(copy, ",", &save); ok && word; word = strtok_r(NULL, ",", &save)) {
		ok = take_flag(h, word, sysctls, seed);
		if (!ok)
			fprintf(stderr, "tapline: '%s' is no NAME=VALUE for the plug-in\n", word);
	}
	free(copy);
	return ok;
}

static bool family_of(const char *flags, enum pd_family *family)
{
	static const char key[] = "ip_version=";
	const char *p = flags ? strstr(flags, key) : NULL;
	char name[32];

	*family = PD_IPV4;
	if (!p)
		return true;
	p += sizeof(key) - 1;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, ","), p);
	return pd_family_by_name(name, family);
}

struct plugin_host *plugin_host_new(const char *flags)
{
	struct plugin_host *h = xrealloc(NULL, sizeof(*h));
	struct world_config config = { .seed = 1 };
	enum pd_family family;

	*h = (struct plugin_host){ .script = { .path = "packetdrill" } };
	h->run.settings = &h->settings;
	h->run.script = &h->script;
	if (!family_of(flags, &family)) {
		fprintf(stderr, "tapline: no such ip_version in '%s'\n", flags);
		free(h);
		return NULL;
	}
	pd_settings_init(&h->settings, family);
	if (take_flags(h, flags, false, &config.seed))
		h->run.sut = sut_tapline.create(&config, &callbacks, h);
	if (!h->run.sut || !pd_host_make(&h->run) || !take_flags(h, flags, true, &config.seed)) {
		if (h->run.message.len)
			fprintf(stderr, "tapline: %s\n", h->run.message.data);
		plugin_host_free(h);
		return NULL;
	}
	plugin_host_run(h, BOOT_NS, false);
	return h;
}

void plugin_host_free(struct plugin_host *h)
{
	if (!h)
		return;
	if (h->run.sut)
		h->run.sut->ops->destroy(h->run.sut, NULL);
	pd_run_free(&h->run);
	strbuf_free(&h->run.message);
	pd_settings_free(&h->settings);
	free(h);
}

struct sut *plugin_host_sut(struct plugin_host *h)
{
	return h->run.sut;
}

bool plugin_host_send(struct plugin_host *h, const void *bytes, u32 len)
{
	struct op op = { .kind = OP_FRAME };

	op.u.frame.wire = PD_WIRE;
	op.u.frame.end = PD_SCRIPT_END;
	op.u.frame.flags = FRAME_NO_DELAY;
	op.u.frame.bytes = (struct op_bytes){ bytes, len };
	if (h->run.sut->ops->apply(h->run.sut, &op) < 0)
		return false;
	plugin_host_run(h, plugin_host_now(h), false);
	return true;
}

u32 plugin_host_take(struct plugin_host *h, void *bytes, u32 room, u64 *time_ns)
{
	const struct pd_frame *f = h->run.frames;
	u32 len;

	if (!h->run.frame_count)
		return 0;
	len = f->len;
	*time_ns = f->time_ns;
	memcpy(bytes, f->bytes, len < room ? len : room);
	pd_frame_drop(&h->run);
	return len;
}

void plugin_host_run(struct plugin_host *h, u64 until_ns, bool packet)
{
	h->stop_on_packet = packet;
	h->run.sut->ops->run(h->run.sut, until_ns);
	h->stop_on_packet = false;
}

u64 plugin_host_now(const struct plugin_host *h)
{
	return h->run.sut->ops->now(h->run.sut);
}
