/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share and its users do not see: the numbers of the protocols, the
 * protocol table, and the shape of a layer on the wire.
 */
#ifndef TAPLINE_PACKET_PROTO_H
#define TAPLINE_PACKET_PROTO_H

#include "packet/packet.h"

enum {
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_RARP = 0x8035,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IP6 = 0x86dd,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
	ETHERTYPE_MIN = 0x0600, /* below: an IEEE 802.3 length */
};

enum {
	IPPROTO_N_HOPOPTS = 0,
	IPPROTO_N_ICMP = 1,
	IPPROTO_N_IGMP = 2,
	IPPROTO_N_IP4 = 4,
	IPPROTO_N_TCP = 6,
	IPPROTO_N_UDP = 17,
	IPPROTO_N_IP6 = 41,
	IPPROTO_N_ROUTING = 43,
	IPPROTO_N_FRAG = 44,
	IPPROTO_N_ICMP6 = 58,
	IPPROTO_N_NONE = 59,
	IPPROTO_N_DSTOPTS = 60,
	IPPROTO_N_TEST = 253, /* RFC 3692: what a bare payload is sent as */
};

enum {
	ICMP_T_ECHOREPLY = 0,
	ICMP_T_UNREACH = 3,
	ICMP_T_QUENCH = 4,
	ICMP_T_REDIRECT = 5,
	ICMP_T_ECHO = 8,
	ICMP_T_TIME_EXCEEDED = 11,
	ICMP_T_PARAM = 12,
	ICMP_T_TIMESTAMP = 13,
	ICMP_T_TIMESTAMP_REPLY = 14,
	ICMP_T_INFO = 15,
	ICMP_T_INFO_REPLY = 16,
	ICMP_T_MASK = 17,
	ICMP_T_MASK_REPLY = 18,
};

struct packet_protocol {
	const char *name;
	unsigned int min_header; /* bytes that the header has at least */
	const struct packet_field *fields;
};

extern const struct packet_protocol packet_protocols[PACKET_PROTO_COUNT];

extern const struct packet_field packet_fields_eth[], packet_fields_vlan[], packet_fields_llc[],
	packet_fields_null[], packet_fields_sll[], packet_fields_sll2[], packet_fields_arp[],
	packet_fields_payload[];
extern const struct packet_field packet_fields_ip[], packet_fields_ip6[], packet_fields_ip6_ext[],
	packet_fields_ip6_frag[];
extern const struct packet_field packet_fields_icmp[], packet_fields_icmp6[], packet_fields_igmp[],
	packet_fields_udp[], packet_fields_tcp[];

/* Indexes of fields that the code touches often; a test checks them against the names. */
enum { ARP_HLEN = 2, ARP_PLEN = 3, ARP_SHA = 5, ARP_SPA = 6, ARP_THA = 7, ARP_TPA = 8 };
enum { ICMP_TYPE = 0, ICMP_CODE = 1 };
enum { DATA_ONLY = 0 };

/* Symbols of an ICMP code under a type; NULL when that type's codes have no names. */
const struct packet_symbol *packet_icmp_codes(u32 type);

/* Name of a value in a symbol table, or NULL. */
const char *packet_symbol_name(const struct packet_symbol *symbols, u64 value);

/* The bytes of a field that has no fixed place: index in the table, or -1 (ip options, ...). */
int packet_tail_field(enum packet_proto proto);

/*
 * Length in bytes of the part of the header that has fixed places: of the fields present in (or,
 * however wrong, set in) this layer.
 */
size_t packet_fixed_size(const struct packet_layer *l);

/* Whether an ICMP type quotes the packet that caused it. */
bool packet_icmp_quotes(u32 type);
bool packet_icmp6_quotes(u32 type);

/* Memory that lives as long as the packet. */
void *packet_alloc(struct packet *p, size_t size);
void *packet_copy_bytes(struct packet *p, const void *bytes, size_t len);

/* Notes what is wrong with a layer's bytes; the first finding stays. */
__attribute__((format(printf, 2, 3))) void packet_wrong(struct packet_layer *l, const char *fmt,
							...);

/* Options in wire form <-> options decoded. Parse never fails: what is wrong becomes raw. */
size_t packet_options_parse(struct packet *p, const u8 *bytes, size_t len,
			    struct packet_option **options, const char **wrong);
size_t packet_options_build(const struct packet_option *options, size_t count, u8 *out);
bool packet_option_equal(const struct packet_option *a, const struct packet_option *b);

struct text;
void packet_option_text(struct text *t, const struct packet_option *o);

/* The pseudo-header's part of a checksum, and the folding of a sum; `ip` may be NULL. */
u32 packet_sum(u32 sum, const u8 *bytes, size_t len);
u16 packet_fold(u32 sum);

/*
 * The sum over the pseudo-header of a transport below this IP header: addresses, protocol, length.
 */
u32 packet_pseudo_sum(enum packet_proto ip, const u8 *header, size_t header_len, u32 protocol,
		      size_t len);

#endif
