/* SPDX-License-Identifier: MIT */
/* Constants of routes, addresses and neighbours, with Linux's values (rtnetlink(7)). */
#ifndef TAPLINE_STACK_RTNETLINK_H
#define TAPLINE_STACK_RTNETLINK_H

enum rtn_type {
	RTN_UNSPEC,
	RTN_UNICAST,
	RTN_LOCAL,
	RTN_BROADCAST,
	RTN_ANYCAST,
	RTN_MULTICAST,
	RTN_BLACKHOLE,
	RTN_UNREACHABLE,
	RTN_PROHIBIT,
	RTN_THROW,
};

enum rt_scope {
	RT_SCOPE_UNIVERSE = 0,
	RT_SCOPE_SITE = 200,
	RT_SCOPE_LINK = 253,
	RT_SCOPE_HOST = 254,
	RT_SCOPE_NOWHERE = 255,
};

enum rt_table {
	RT_TABLE_UNSPEC = 0,
	RT_TABLE_DEFAULT = 253,
	RT_TABLE_MAIN = 254,
	RT_TABLE_LOCAL = 255,
};

/* OP_ROUTE verb: `ip route VERB`. */
enum route_verb {
	ROUTE_ADD, /* none of this prefix, TOS and metric may be there */
	ROUTE_REPLACE,
	ROUTE_CHANGE, /* one must be there */
	ROUTE_APPEND,
	ROUTE_PREPEND,
	ROUTE_DELETE,
	ROUTE_VERB_COUNT
};

/* Metrics of routes. */
enum rtax {
	RTAX_LOCK, /* bits of those that are locked */
	RTAX_MTU,
	RTAX_WINDOW,
	RTAX_RTT,
	RTAX_RTTVAR,
	RTAX_SSTHRESH,
	RTAX_CWND,
	RTAX_ADVMSS,
	RTAX_REORDERING,
	RTAX_HOPLIMIT,
	RTAX_INITCWND,
	RTAX_FEATURES,
	RTAX_RTO_MIN,
	RTAX_INITRWND,
	RTAX_QUICKACK,
	RTAX_CC_ALGO,
	RTAX_MAX
};

/* One metric as it travels (OP_ROUTE attrs): RTAX_* number, in its top bit whether it is locked,
 * and the value, little endian; one next hop: ifindex (4), flags (4), weight (1), gateway (4, 0:
 * none). */
#define RTAX_ATTR_LEN	 5u
#define RTAX_ATTR_LOCKED 0x80u
#define RTNH_LEN	 13u

/* OP_RULE action. */
enum fr_action {
	FR_ACT_UNSPEC,
	FR_ACT_TO_TBL,
	FR_ACT_GOTO,
	FR_ACT_NOP,
	FR_ACT_BLACKHOLE = 6,
	FR_ACT_UNREACHABLE,
	FR_ACT_PROHIBIT
};
#define FIB_RULE_INVERT 2u /* flags: `not` */

#define RTNH_F_ONLINK 4

/* Neighbour states (Linux neighbour.h). */
#define NUD_NONE       0x00
#define NUD_INCOMPLETE 0x01
#define NUD_REACHABLE  0x02
#define NUD_STALE      0x04
#define NUD_DELAY      0x08
#define NUD_PROBE      0x10
#define NUD_FAILED     0x20
#define NUD_NOARP      0x40
#define NUD_PERMANENT  0x80

/* Netfilter (Linux netfilter.h). */
enum nf_inet_hook {
	NF_INET_PRE_ROUTING,
	NF_INET_LOCAL_IN,
	NF_INET_FORWARD,
	NF_INET_LOCAL_OUT,
	NF_INET_POST_ROUTING,
	NF_INET_NUMHOOKS
};
#define NF_DROP	  0
#define NF_ACCEPT 1
#define NF_STOLEN 2
#define NF_QUEUE  3
#define NF_REPEAT 4

#endif
