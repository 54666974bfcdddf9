/* SPDX-License-Identifier: MIT */
/*
 * Tables of rules (net/ipv4/netfilter/ip_tables.c, ip6_tables.c, net/netfilter/x_tables.c) as
 * iptables and ip6tables command them: filter, mangle and raw, a chain of rules for each hook,
 * chains of the user's own; matches and targets. NAT there is none.
 *
 * A table is made when it is first named, and its hooks stay from then on, as those of a module
 * that was loaded. Commands come as text (OP_IPTABLES), in iptables' words.
 */
#ifndef TAPLINE_NF_XT_H
#define TAPLINE_NF_XT_H

#include "core/sock.h"
#include "netfilter/nf_hooks.h"

#define XT_CHAIN_NAME_MAX 29u /* with its NUL: XT_EXTENSION_MAXNAMELEN */
#define XT_MATCHES_MAX	  8u
#define XT_TEXT_MAX	  64u /* a comment, a log prefix */
#define XT_MULTI_PORTS	  15u
#define XT_JUMP_DEPTH	  16u
#define XT_DEPTH_UNKNOWN  UINT32_MAX

enum xt_match_kind {
	XT_MATCH_TCP,
	XT_MATCH_UDP,
	XT_MATCH_ICMP,
	XT_MATCH_ICMP6,
	XT_MATCH_STATE, /* the same test under two names */
	XT_MATCH_CONNTRACK,
	XT_MATCH_MULTIPORT,
	XT_MATCH_LIMIT,
	XT_MATCH_MARK,
	XT_MATCH_LENGTH,
	XT_MATCH_TTL, /* hl of IPv6 */
	XT_MATCH_PKTTYPE,
	XT_MATCH_STATISTIC,
	XT_MATCH_COMMENT,
	XT_MATCH_CONNMARK,
	XT_MATCH_IPRANGE,
	XT_MATCH_MAC,
	XT_MATCH_ADDRTYPE,
	XT_MATCH_TCPMSS,
	XT_MATCH_KIND_COUNT,
};

/* Options of a match that were given or negated: XT_MATCH_*'s options by position. */
enum { XT_OPT_SPORT = 1, XT_OPT_DPORT = 2, XT_OPT_FLAGS = 4, XT_OPT_OPTION = 8 };
enum { XT_OPT_SRC = 1, XT_OPT_DST = 2 };

/* Connection states as bits: 1 << enum ip_conntrack_info, INVALID and UNTRACKED apart. */
#define XT_STATE_INVALID     0x01u
#define XT_STATE_BIT(ctinfo) (1u << ((ctinfo) % IP_CT_IS_REPLY + 1))
#define XT_STATE_UNTRACKED   0x40u

enum { XT_MULTIPORT_SOURCE, XT_MULTIPORT_DESTINATION, XT_MULTIPORT_EITHER };
enum { XT_TTL_EQ, XT_TTL_LT, XT_TTL_GT };

struct xt_match {
	u8 kind; /* enum xt_match_kind */
	u8 set, invert; /* XT_OPT_* */
	union {
		struct {
			u16 sport[2], dport[2];
			u8 flag_mask, flag_cmp;
			u8 option;
		} tcp; /* and UDP */
		struct {
			u8 type; /* 255: any */
			u8 code[2];
		} icmp;
		struct {
			u32 states; /* XT_STATE_*; 0: not asked */
			u32 status; /* IPS_*; bit 31: NONE */
			u8 invert_status;
			u8 dir; /* 0: not asked, 1 original, 2 reply */
		} ct;
		struct {
			u8 flags, count;
			u16 port[XT_MULTI_PORTS], last[XT_MULTI_PORTS]; /* from, to */
		} multiport;
		struct {
			u32 avg; /* packets in 10,000 units of time... see xt_limit */
			u32 burst;
		} limit;
		struct {
			u32 mark, mask;
		} mark; /* and connmark */
		struct {
			u16 min, max;
		} length; /* and tcpmss */
		struct {
			u8 mode, value;
		} ttl;
		u8 pkttype;
		struct {
			u8 src[2][16], dst[2][16]; /* first, last */
		} iprange;
		u8 mac[6];
		struct {
			u32 src, dst; /* bits: 1 << RTN_* */
		} addrtype;
		struct {
			u32 probability; /* of 2^31; random mode when every is 0 */
			u32 every, packet;
		} statistic;
		char comment[XT_TEXT_MAX];
	} u;
};

enum xt_target_kind {
	XT_NONE, /* counts only */
	XT_ACCEPT,
	XT_DROP,
	XT_RETURN,
	XT_JUMP,
	XT_GOTO,
	XT_REJECT,
	XT_NOTRACK,
	XT_LOG,
	XT_MARK,
	XT_CONNMARK,
	XT_TCPMSS,
	XT_TTL,
};

/* What these do: xt_spec.target_op; 0: it was not said. */
enum { XT_MARK_SET = 1, XT_CONNMARK_SAVE, XT_CONNMARK_RESTORE }; /* MARK has the first alone */
enum { XT_TCPMSS_SET = 1, XT_TCPMSS_CLAMP };
enum { XT_TTL_SET = 1, XT_TTL_DEC, XT_TTL_INC };

/* --reject-with, both families. */
enum xt_reject {
	XT_ICMP_NET_UNREACHABLE,
	XT_ICMP_HOST_UNREACHABLE,
	XT_ICMP_PROT_UNREACHABLE,
	XT_ICMP_PORT_UNREACHABLE,
	XT_ICMP_NET_PROHIBITED,
	XT_ICMP_HOST_PROHIBITED,
	XT_ICMP_ADMIN_PROHIBITED,
	XT_TCP_RESET,
	XT_ICMP6_NO_ROUTE,
	XT_ICMP6_ADM_PROHIBITED,
	XT_ICMP6_ADDR_UNREACHABLE,
	XT_ICMP6_PORT_UNREACHABLE,
	XT_ICMP6_POLICY_FAIL,
	XT_ICMP6_REJECT_ROUTE,
};

#define XT_INV_SRC   0x01u
#define XT_INV_DST   0x02u
#define XT_INV_IN    0x04u
#define XT_INV_OUT   0x08u
#define XT_INV_PROTO 0x10u
#define XT_INV_FRAG  0x20u

/* What a rule says, all bytes of it defined: two that say the same are equal as bytes. */
struct xt_spec {
	u8 src[16], src_mask[16], dst[16], dst_mask[16];
	char in[16], out[16]; /* "" any; "eth+": names that begin so */
	u16 proto; /* 0: any */
	u8 frag; /* -f: not the first fragment */
	u8 invert; /* XT_INV_* */
	u32 matches;
	struct xt_match match[XT_MATCHES_MAX];
	u8 target; /* enum xt_target_kind */
	u8 reject; /* enum xt_reject */
	u32 mark, mark_mask; /* of CONNMARK that saves or restores: nfmask, ctmask */
	u32 target_op, target_value;
	u32 log_level;
	char text[XT_TEXT_MAX]; /* prefix of LOG */
	char jump[XT_CHAIN_NAME_MAX]; /* chain of JUMP and GOTO */
};

struct xt_chain;

struct xt_rule {
	struct list_head list; /* xt_chain.rules */
	struct xt_spec spec;
	struct xt_chain *jump;
	u64 packets, bytes;
	/* What matches keep between packets: of limit and of statistic. */
	u64 limit_credit, limit_stamp;
	u32 statistic_count;
};

struct xt_chain {
	struct list_head list; /* xt_table.chains: those of hooks first, then in order of making */
	struct list_head rules;
	char name[XT_CHAIN_NAME_MAX];
	u32 hook; /* NF_INET_NUMHOOKS: a user's */
	bool drop; /* policy */
	u64 packets, bytes; /* that came to the policy */
	u32 refs; /* rules that jump here */
	u32 rules_count;
	u32 depth; /* jumps from here; of the last check_jump() alone */
};

enum { XT_RAW, XT_MANGLE, XT_FILTER, XT_TABLES };

struct xt_table {
	struct net *net;
	u16 pf;
	u8 kind;
	struct list_head chains;
	struct xt_chain *hook_chain[NF_INET_NUMHOOKS]; /* NULL: this table has none there */
	u32 running; /* packets inside */
	u32 ct_rules; /* rules that ask for connection tracking */
};

struct netns_xt {
	struct xt_table *table[2][XT_TABLES];
};

/* ---- commands ---- */

enum xt_verb {
	XT_APPEND,
	XT_DELETE,
	XT_DELETE_NUM,
	XT_INSERT,
	XT_REPLACE,
	XT_CHECK,
	XT_LIST,
	XT_LIST_RULES,
	XT_SAVE,
	XT_FLUSH,
	XT_ZERO,
	XT_NEW_CHAIN,
	XT_DELETE_CHAIN,
	XT_POLICY,
	XT_RENAME,
};

#define XT_ERROR_MAX 200u

struct xt_command {
	u16 pf;
	u8 table; /* XT_FILTER, ... */
	bool table_given;
	u8 verb; /* enum xt_verb */
	bool verb_given;
	bool verbose, numeric, exact, line_numbers, counters;
	bool has_counters; /* -c */
	char chain[XT_CHAIN_NAME_MAX]; /* "": all */
	char name[XT_CHAIN_NAME_MAX]; /* new name, policy */
	u32 number; /* of a rule, from 1; 0: none */
	u64 packets, bytes;
	struct xt_spec spec;
	s32 status; /* what the command exits with when it fails: 1, 2 */
	char error[XT_ERROR_MAX]; /* as iptables prints it */
};

/*
 * Reads a command: "-A INPUT -p tcp --dport 80 -j DROP", with or without the name of the program in
 * front ("iptables-save" is a program of its own). False: c->error says what is wrong.
 */
bool xt_parse(struct xt_command *c, u16 pf, const char *text, u32 len);

/*
 * Does what the command says; with `dry` only finds out whether it could. 0, 1 for one that only
 * shows (proc/ does that), or -errno with c->error.
 */
int xt_apply(struct net *net, struct xt_command *c, bool dry);

/* OP_IPTABLES. As xt_apply(); -EINVAL when it can not be read. */
int xt_op_iptables(struct net *net, const struct op_iptables *op);
/* The words for a command that fails, or would; *status what it exits with. "" and 0: it does not.
 */
void xt_explain(const struct net *net, u16 pf, const char *text, u32 len, char error[XT_ERROR_MAX],
		s32 *status);

void xt_net_exit(struct net *net);
/* NULL: never used. */
struct xt_table *xt_table_get(const struct net *net, u16 pf, u32 kind);
const char *xt_table_name(u32 kind);
/* "iptables", "ip6tables" */
const char *xt_program(u16 pf);
bool xt_hook_of_table(u32 kind, u32 hook);
const char *xt_hook_name(u32 hook);
struct xt_chain *xt_chain_find(const struct xt_table *t, const char *name);

/* ---- names shared by reading and showing ---- */

struct xt_name {
	const char *name;
	u32 value;
};
extern const struct xt_name xt_log_level_names[], xt_state_names[], xt_status_names[],
	xt_flag_names[], xt_reject_names[2][16], xt_proto_names[], xt_pkttype_names[],
	xt_addrtype_names[];
struct xt_icmp_name {
	const char *name;
	u8 type, code[2];
};
extern const struct xt_icmp_name xt_icmp_names[2][48];
const char *xt_match_name(u32 kind, u16 pf);
/* By value; NULL: it has no name. */
const char *xt_name_of(const struct xt_name *names, u32 value);
bool xt_reject_is_icmp(u32 reject, u16 pf);

/* ---- rooms of this folder ---- */

/* A packet in a table. */
struct xt_packet {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	u32 thoff; /* of the transport header from skb->data */
	u32 fragoff; /* not 0: a later fragment */
	u8 protonum;
	bool hotdrop; /* a match wants it gone at once */
};

bool xt_match_packet(struct xt_rule *rule, const struct xt_match *m, struct xt_packet *p);
/* ipt_do_table: a hook. */
u32 xt_do_table(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);
void xt_reject(const struct xt_packet *p, u32 with);
/*
 * Where among the options of a header one of this kind begins (and, unless `size` is 0, is of this
 * size and whole); -1: nowhere. The walk of net/netfilter/xt_tcpudp.c, xt_tcpmss.c and xt_TCPMSS.c:
 * unlike that of RFC 9293 3.1 it goes on behind an end of options and a malformed one.
 */
s32 xt_tcp_option(const u8 *options, u32 len, u8 kind, u32 size);
/* xt_mangle.c. False: the packet is dropped. */
bool xt_tcpmss_target(const struct xt_packet *p, const struct xt_spec *s);
bool xt_ttl_target(const struct xt_packet *p, const struct xt_spec *s);
void xt_connmark_target(const struct xt_packet *p, const struct xt_spec *s);

#endif
