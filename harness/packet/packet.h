/* SPDX-License-Identifier: MIT */
/*
 * The harness's own packet codec: parse, build, compare and print packets.
 *
 * It is written independently of stack/wire, so that a mistake in one does not cancel out in the
 * other. A packet is a list of layers, outermost first; a layer is one protocol and the values of
 * its fields, which are named and described by tables (packet_fields()). Parsed packets have every
 * field that the bytes hold; packets made by hand (templates) only those that were set:
 * packet_build() fills in the others right (lengths, checksums, protocol numbers, EtherTypes) and
 * writes the set ones as they are, however wrong. packet_match() compares only set ones.
 *
 * The packet that an ICMP error quotes follows its ICMP layer in the list, with depth 1 (2 in a
 * quote inside a quote, and so on). There is no global state.
 *
 * Memory: a packet owns all that hangs on it (layers, byte strings, option lists); what a getter
 * gives out is borrowed and lives until packet_free(). Setters copy. Functions that return char *
 * or u8 * say so: the caller frees these with free(). Out of memory aborts the process.
 */
#ifndef TAPLINE_PACKET_PACKET_H
#define TAPLINE_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "stack/types.h"

/* More layers than any sane packet has; what comes after stays one payload. */
#define PACKET_MAX_LAYERS 32
#define PACKET_MAX_FIELDS 24
#define PACKET_ERROR_SIZE 200

/* Link types, by the numbers that capture files use (LINKTYPE_*). */
enum {
	PACKET_LINK_NULL = 0,
	PACKET_LINK_ETHERNET = 1,
	PACKET_LINK_RAW_BSD = 12, /* DLT_RAW: found in files of some systems */
	PACKET_LINK_RAW_OPENBSD = 14,
	PACKET_LINK_RAW = 101,
	PACKET_LINK_LOOP = 108,
	PACKET_LINK_SLL = 113,
	PACKET_LINK_IPV4 = 228,
	PACKET_LINK_IPV6 = 229,
	PACKET_LINK_SLL2 = 276,
};

enum packet_proto {
	PACKET_ETH,
	PACKET_VLAN, /* 802.1Q and 802.1ad */
	PACKET_LLC,
	PACKET_NULL, /* BSD null and loop */
	PACKET_SLL,
	PACKET_SLL2,
	PACKET_ARP,
	PACKET_IP, /* version 4 */
	PACKET_IP6,
	PACKET_IP6_EXT, /* hop-by-hop, routing, destination options */
	PACKET_IP6_FRAG,
	PACKET_ICMP,
	PACKET_ICMP6,
	PACKET_IGMP,
	PACKET_UDP,
	PACKET_TCP,
	PACKET_PAYLOAD,
	PACKET_PAD, /* bytes after the end that a length field names */
	PACKET_PROTO_COUNT,
};

enum packet_vtype {
	PACKET_V_NONE, /* not set */
	PACKET_V_UINT, /* num */
	PACKET_V_MAC, /* addr[0..5] */
	PACKET_V_IP4, /* addr[0..3], wire order */
	PACKET_V_IP6, /* addr[0..15] */
	PACKET_V_BYTES, /* bytes, len */
	PACKET_V_OPTIONS, /* options, len: TCP options in wire order */
};

enum {
	PACKET_OPT_EOL = 0,
	PACKET_OPT_NOP = 1,
	PACKET_OPT_MSS = 2,
	PACKET_OPT_WSCALE = 3,
	PACKET_OPT_SACKOK = 4,
	PACKET_OPT_SACK = 5,
	PACKET_OPT_TS = 8,
	PACKET_OPT_MD5 = 19,
	PACKET_OPT_AO = 29,
	PACKET_OPT_MPTCP = 30,
	PACKET_OPT_FASTOPEN = 34,
	PACKET_OPT_EXP = 254,
};

/*
 * One TCP option. mss, wscale: num[0]; ts: num[0] value, num[1] echo; sack: count numbers, left
 * and right edges in turn. Every other kind, and a known one whose length is not the usual one,
 * has its body in data.
 */
struct packet_option {
	u8 kind;
	bool lone; /* no length byte follows the kind, no body either */
	bool has_length; /* length is set: it is the length byte on the wire, right or wrong */
	u8 length;
	u8 count; /* numbers in num */
	u32 num[8];
	const u8 *data;
	size_t data_len;
};

struct packet_value {
	u8 type; /* enum packet_vtype */
	union {
		u64 num;
		u8 addr[16];
		struct {
			union {
				const u8 *bytes;
				const struct packet_option *options;
			};
			size_t len;
		};
	};
};

enum packet_ftype {
	PACKET_F_UINT, /* also symbols, where the field has some */
	PACKET_F_FLAG, /* one bit: set from a boolean, 0 or 1 */
	PACKET_F_FLAGS, /* TCP flags: "SA" and "S." alike, or a number */
	PACKET_F_MAC,
	PACKET_F_IP4,
	PACKET_F_IP6,
	PACKET_F_BYTES,
	PACKET_F_OPTIONS,
};

struct packet_symbol {
	const char *name;
	u32 value;
};

struct packet_layer;

struct packet_field {
	const char *name;
	u8 type; /* enum packet_ftype */
	u8 width; /* in bits; 0 for what has no fixed place */
	u16 bit; /* offset in the header, in bits, network order */
	u8 base; /* base in which it is printed: 10 or 16 */
	bool view; /* another name for bits that other fields have (tos of dscp and ecn) */
	const struct packet_symbol *symbols; /* ends with a NULL name; NULL when there are none */
	/* Whether the field is there in this layer (by ICMP type, say); NULL: always. */
	bool (*present)(const struct packet_layer *layer);
};

enum packet_checksum_status {
	PACKET_CSUM_NONE, /* the protocol has none */
	PACKET_CSUM_GOOD, /* holds */
	PACKET_CSUM_BAD, /* does not hold */
	PACKET_CSUM_ABSENT, /* UDP: the sender computed none */
	PACKET_CSUM_UNVERIFIED, /* not all bytes are there (cut, a fragment, a quote) */
};

struct packet_layer {
	u8 proto; /* enum packet_proto */
	u8 depth; /* how many ICMP errors quote it */
	u8 checksum; /* enum packet_checksum_status; parsed layers only */
	bool cut; /* the bytes end before the layer does: cut by the capture, or quoted */
	char *reason; /* what is wrong with its bytes, NULL when nothing is */
	size_t start; /* parsed layers: place in the packet's bytes of the header, ... */
	size_t body; /* ... of what follows it ... */
	size_t end; /* ... and of the end of that */
	struct packet *packet;
	struct packet_value value[PACKET_MAX_FIELDS]; /* parallel to packet_fields(proto) */
};

struct packet_chunk;

struct packet {
	size_t count;
	struct packet_layer *layer[PACKET_MAX_LAYERS];
	const u8 *bytes; /* parsed packets: a copy of the bytes; NULL otherwise */
	size_t len; /* bytes there */
	size_t wire_len; /* bytes that were on the wire */
	int link; /* link type that it was parsed with */
	struct packet_chunk *chunks;
};

/* -- Protocols and fields -- */

/* Name as scripts write it: "eth", "ip", "udp", "payload", ... */
const char *packet_proto_name(enum packet_proto proto);

/* Protocol by name, or -1. */
int packet_proto_by_name(const char *name);

/* Table of fields of a protocol, ends with a NULL name. */
const struct packet_field *packet_fields(enum packet_proto proto);

/* Index of a field in its table, or -1. */
int packet_field_index(enum packet_proto proto, const char *name);

/* -- Packets and layers -- */

struct packet *packet_new(void);
void packet_free(struct packet *p); /* NULL is allowed */

/* A copy that shares nothing with the original. */
struct packet *packet_clone(const struct packet *p);

/* Adds an empty layer at the end; NULL when there are PACKET_MAX_LAYERS already. */
struct packet_layer *packet_add(struct packet *p, enum packet_proto proto);

/* Puts an empty layer before index `at` (the link layer before a script's ip{}, say). */
struct packet_layer *packet_insert(struct packet *p, size_t at, enum packet_proto proto);

/* Adds copies of all layers of `from` at the end of `p`; false when there is no room. */
bool packet_join(struct packet *p, const struct packet *from);

/* Adds a payload layer with these bytes. */
struct packet_layer *packet_add_payload(struct packet *p, const void *bytes, size_t len);

/*
 * Index of the first layer of this protocol at or after `from` and at that quoting depth; -1 when
 * there is none.
 */
int packet_find(const struct packet *p, enum packet_proto proto, size_t from, unsigned int depth);

/* Index of the first layer that an ICMP error at depth-1 quotes, or -1. */
int packet_inner(const struct packet *p, unsigned int depth);

/* -- Values -- */

/* The value of a field, or NULL when it is not set, or there is no such field. */
const struct packet_value *packet_get(const struct packet_layer *l, const char *field);

/* The number in a field (num, flag, flags), or `otherwise`. */
u64 packet_get_uint(const struct packet_layer *l, const char *field, u64 otherwise);

/*
 * Setters. They return false with a sentence in `error` (PACKET_ERROR_SIZE bytes, may be NULL) for
 * an unknown field, a value of the wrong kind, or a number too large for the field.
 *
 * packet_set_text takes what a person writes: a symbol or number for numbers, "SA" for flags,
 * "02:00:00:00:00:01", "192.0.2.1", "2001:db8::1". For byte fields it takes the bytes as they are,
 * which may hold zeros. An address field also takes exactly its raw bytes through packet_set_bytes
 * (and any number of bytes where the length is free: ARP).
 */
bool packet_set_uint(struct packet_layer *l, const char *field, u64 num, char *error);
bool packet_set_text(struct packet_layer *l, const char *field, const char *text, size_t len,
		     char *error);
bool packet_set_bytes(struct packet_layer *l, const char *field, const void *bytes, size_t len,
		      char *error);
bool packet_set_options(struct packet_layer *l, const char *field,
			const struct packet_option *options, size_t count, char *error);
void packet_unset(struct packet_layer *l, const char *field);

/* -- TCP options -- */

/* Name of a kind ("mss"), or NULL; kind by name, or -1. */
const char *packet_option_name(unsigned int kind);
int packet_option_by_name(const char *name);

/* First option of that kind in a TCP layer whose options are set, or NULL. */
const struct packet_option *packet_option_find(const struct packet_layer *tcp, unsigned int kind);

/* -- Bytes -- */

/*
 * Decodes `len` captured bytes of a frame that had `wire_len` bytes (the same when it was not
 * cut). Never fails: what is not understood is payload, and layers say what is wrong with them. An
 * unknown link type gives one payload.
 */
struct packet *packet_parse(int link, const void *bytes, size_t len, size_t wire_len);

/*
 * Writes a packet out. Returns its bytes (free() them) and their number; NULL with a sentence in
 * `error` when the packet can not exist (no layer, longer than 262144 bytes).
 */
u8 *packet_build(const struct packet *p, size_t *len, char *error);

/*
 * Unsets every length, header length and checksum, so that packet_build() computes them anew: for a
 * parsed packet of which something was changed.
 */
void packet_recompute(struct packet *p);

/* The Internet checksum (RFC 1071) of bytes, as the number that a header carries. */
u16 packet_checksum(const void *bytes, size_t len);

/* -- Comparing -- */

struct packet_diff {
	bool differs;
	int layer; /* index in the template of the first differing layer; -1: none */
	const char *field; /* NULL when the layer itself is missing */
	char text[400]; /* "udp.dport: expected 7, got 9" */
};

/*
 * Compares only what the template sets. The template's first layer is looked for outside of
 * quotes; the following ones must follow it without a gap. A payload set in the template must be
 * equal in full; options lists too, in order. Returns true when the packet matches.
 */
bool packet_match(const struct packet *template, const struct packet *got,
		  struct packet_diff *diff);

/* Compares two byte strings and, when they differ, says where by decoding both. */
bool packet_match_bytes(int link, const void *expect, size_t expect_len, const void *got,
			size_t got_len, struct packet_diff *diff);

/* -- Text (the caller frees) -- */

/* One line, much as tcpdump prints it. */
char *packet_line(const struct packet *p);

/* All layers and fields, a line a layer, each line ending in a newline. */
char *packet_text(const struct packet *p);

/* One value as text: what packet_set_text takes, where that exists. */
char *packet_value_text(const struct packet_layer *l, const struct packet_field *f,
			const struct packet_value *v);

/* "good", "bad", ... */
const char *packet_checksum_name(enum packet_checksum_status status);

#endif
