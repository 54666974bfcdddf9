/* SPDX-License-Identifier: MIT */
/*
 * Sysctls and counters by name, and the check of --set before any test runs.
 */
#include "lua/settings.h"

#include "base/suggest.h"
#include "stack/errno.h"
#include "sut/sut.h"

#include <stdlib.h>
#include <string.h>

/* A world with one host and one device; NULL when memory (or the right) is short. */
static struct sut *one_host(const struct sut_ops *ops, const char *profile)
{
	struct world_config config = { .seed = 1, .profile_rfc = strcmp(profile, "rfc") == 0 };
	struct op op = { .kind = OP_HOST_ADD };
	struct sut *s = ops->create(&config, NULL, NULL);

	if (!s)
		return NULL;
	op.u.host_add.cpus = 1;
	op.u.host_add.name = (struct op_bytes){ (const u8 *)"host0", 5 };
	s->ops->apply(s, &op);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.name = (struct op_bytes){ (const u8 *)"eth0", 4 };
	s->ops->apply(s, &op);
	return s;
}

struct names {
	char **list;
	size_t count;
};

static void add_name(void *ctx, const char *name)
{
	struct names *n = ctx;

	n->list = xrealloc(n->list, (n->count + 1) * sizeof(*n->list));
	n->list[n->count++] = xstrdup(name);
}

static void free_names(struct names *n)
{
	size_t i;

	for (i = 0; i < n->count; i++)
		free(n->list[i]);
	free(n->list);
}

static s64 apply_setting(struct sut *s, const struct script_setting *setting)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.name = (struct op_bytes){ (const u8 *)setting->key, (u32)strlen(setting->key) };
	op.u.sysctl.value =
		(struct op_bytes){ (const u8 *)setting->value, (u32)strlen(setting->value) };
	return s->ops->apply(s, &op);
}

static void explain(struct sut *s, const struct script_setting *setting, s64 result,
		    struct strbuf *error)
{
	struct names names = { 0 };
	const char *near;

	if (result != -ENOENT) {
		strbuf_printf(error, "--set: '%s' is no value for %s", setting->value,
			      setting->key);
		return;
	}
	s->ops->sysctls(s, 0, add_name, &names);
	near = suggest(setting->key, (const char *const *)names.list, names.count);
	strbuf_printf(error, "--set: there is no sysctl '%s'", setting->key);
	if (near)
		strbuf_printf(error, "; did you mean '%s'?", near);
	free_names(&names);
}

bool settings_check(const struct script_config *config, struct strbuf *error)
{
	struct sut *s;
	bool ok = true;
	size_t i;

	if (!config->setting_count)
		return true;
	s = one_host(config->sut ? config->sut : &sut_tapline, config->profile);
	if (!s) {
		strbuf_puts(error, "--set: no world can be made to try it");
		return false;
	}
	for (i = 0; i < config->setting_count && ok; i++) {
		s64 result = apply_setting(s, &config->settings[i]);

		ok = result >= 0;
		if (!ok)
			explain(s, &config->settings[i], result, error);
	}
	s->ops->destroy(s, NULL);
	return ok;
}

void settings_sysctls(const char *profile, void (*fn)(const char *name, const char *value))
{
	struct sut *s = one_host(&sut_tapline, profile);
	struct names names = { 0 };
	size_t i;

	if (!s)
		return;
	s->ops->sysctls(s, 0, add_name, &names);
	for (i = 0; i < names.count; i++) {
		char value[256] = "";

		s->ops->sysctl(s, 0, names.list[i], value, sizeof(value));
		fn(names.list[i], value);
	}
	free_names(&names);
	s->ops->destroy(s, NULL);
}

static void print_counter(void *ctx, const char *name, u64 value)
{
	void (*const *fn)(const char *, const char *) = ctx;

	(void)value;
	(*fn)(name, "");
}

void settings_counters(void (*fn)(const char *name, const char *value))
{
	struct sut *s = one_host(&sut_tapline, "linux");

	if (!s)
		return;
	s->ops->counters(s, 0, print_counter, &fn);
	s->ops->destroy(s, NULL);
}
