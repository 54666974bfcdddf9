/* SPDX-License-Identifier: MIT */
/*
 * What there is to set and to read in a world, asked of a world with one host.
 */
#ifndef TAPLINE_LUA_SETTINGS_H
#define TAPLINE_LUA_SETTINGS_H

#include "lua/script.h"

/*
 * Tries all --set of a configuration on a host of its own. False with a message when one names no
 * sysctl, or a value that it does not take.
 */
bool settings_check(const struct script_config *config, struct strbuf *error);

/* Calls fn for each sysctl with its value, for each counter with an empty one. */
void settings_sysctls(const char *profile, void (*fn)(const char *name, const char *value));
void settings_counters(void (*fn)(const char *name, const char *value));

#endif
