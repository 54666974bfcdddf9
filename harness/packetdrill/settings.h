/* SPDX-License-Identifier: MIT */
/*
 * Options of packetdrill scripts: those that packetdrill's own command line knows, in its spelling,
 * from the command line, from tapline.args and from the script itself (which wins). What a run of
 * one script in one address family is set to is a struct pd_settings.
 */
#ifndef TAPLINE_PACKETDRILL_SETTINGS_H
#define TAPLINE_PACKETDRILL_SETTINGS_H

#include "base/strbuf.h"
#include "packetdrill/script.h"

/* Bits of a set of address families. */
enum { PD_FAMILY_4 = 1, PD_FAMILY_6 = 2, PD_FAMILY_MAPPED = 4, PD_FAMILY_ALL = 7 };

/* One option with the families that it holds for; strings are borrowed. */
struct pd_argument {
	const char *name; /* with its dashes: "--mtu", "-D" */
	const char *value; /* NULL: a flag */
	u8 families;
};

struct pd_arguments {
	struct pd_argument *list;
	size_t count;
};

void pd_arguments_add(struct pd_arguments *a, const char *name, const char *value, u8 families);
void pd_arguments_free(struct pd_arguments *a);

/*
 * 1: an option of packetdrill, in the right form; 0: it knows no such one; -1: in the wrong form,
 * with a message. `*takes_value` (may be NULL) tells of known ones whether they have a value.
 */
int pd_option_check(const char *name, const char *value, bool *takes_value, struct strbuf *error);

/* Name number i, NULL behind the last one. */
const char *pd_option_name(size_t i);

/* The value of --family: a set of families, 0 when it is none. */
u8 pd_families_parse(const char *text);

/* "ipv4", "ipv6", "ipv4-mapped-ipv6" */
const char *pd_family_name(enum pd_family family);
u8 pd_family_bit(enum pd_family family);
bool pd_family_by_name(const char *name, enum pd_family *family);

struct pd_address {
	bool v6;
	u8 bytes[16]; /* network order; 4 used when !v6 */
};

bool pd_address_parse(const char *text, struct pd_address *a);
#define PD_ADDRESS_TEXT 64
void pd_address_text(const struct pd_address *a, char *out);

#define PD_MAX_PAIRS 256

struct pd_settings {
	enum pd_family family;
	struct pd_address local, remote, gateway; /* as on the wire */
	u32 prefix_len; /* of the local address */
	u32 mtu, mss;
	u16 bind_port, connect_port;
	u64 tolerance_ns; /* at least 4 ms */
	u32 tolerance_permille; /* of the step */
	bool exact; /* --tolerance 0: every miss is told */
	u32 ts_tick_us; /* 0: values of time stamps are not looked at */
	bool ts_ecr_scaled, strict_segments, send_omit_free, dry_run;
	bool packets_not_fatal, syscalls_not_fatal;
	bool other_family; /* an address was given that is not of this family: it can not be run so
			    */
	s64 default_send_flags;
	const char *init_scripts; /* NULL: none */
	struct pd_define define[PD_MAX_PAIRS];
	size_t defines;
	struct pd_define env[PD_MAX_PAIRS];
	size_t envs;
};

/* packetdrill's defaults for a family. */
void pd_settings_init(struct pd_settings *s, enum pd_family family);

/*
 * Takes one option. `name` without dashes ("D" too). False with a message when the value is wrong.
 * --ip_version is not taken here: who calls has chosen the family.
 */
bool pd_settings_take(struct pd_settings *s, const char *name, const char *value,
		      struct strbuf *error);

/* All arguments that hold for the settings' family. */
bool pd_settings_arguments(struct pd_settings *s, const struct pd_arguments *a,
			   struct strbuf *error);

void pd_settings_free(struct pd_settings *s);

#endif
