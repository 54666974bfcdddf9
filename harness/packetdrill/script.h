/* SPDX-License-Identifier: MIT */
/*
 * A packetdrill script as a tree: what parser.c makes of the text, what the runner executes and
 * convert prints as Lua. Nothing of it knows a stack.
 *
 * Everything lives in the script's own arena: pd_script_free() gives it all back at once. Lists end
 * where their count says. Times are nanoseconds, numbers are signed 64 bit. A script that parsed
 * holds no unknown word: names of constants have become numbers (and keep their text), defines
 * (-D NAME=VALUE) have been put in their places.
 */
#ifndef TAPLINE_PACKETDRILL_SCRIPT_H
#define TAPLINE_PACKETDRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "stack/types.h"

/* A piece of text; not ended by a zero in general, but those of a pd_script are. */
struct pd_text {
	const char *p;
	size_t len;
};

/* ---- Times ---- */

enum pd_time_kind {
	PD_TIME_NONE, /* a command before or behind the events: runs at once */
	PD_TIME_ABSOLUTE, /* "1.5": since the script began */
	PD_TIME_RELATIVE, /* "+.01": since the event before it */
	PD_TIME_ANY, /* "*" */
};

struct pd_time {
	enum pd_time_kind kind;
	s64 at; /* from the kind's base */
	s64 until; /* "~": the end of the range, from the same base as `at`; else equal to `at` */
	bool range; /* "0.1~0.2", "+.1~+.2" */
	bool blocking; /* "0.1...0.3": a call that blocks; it ends at `end` */
	s64 end; /* from the same base as `at`: "+.1...0.3" starts .1 after the base, ends .3 after
		  */
};

/* ---- Expressions ---- */

enum pd_expr_kind {
	PD_X_ELLIPSIS, /* "..." */
	PD_X_NUMBER, /* num; constants and what | & ~ + - << make of them too */
	PD_X_STRING, /* text: the bytes, escapes resolved */
	PD_X_NULL, /* "NULL" */
	PD_X_LIST, /* "[a, b]": items */
	PD_X_STRUCT, /* "{a=1, b=[2], 3}": items are PD_X_FIELD or, where positional, anything else
		      */
	PD_X_FIELD, /* "name=value", "name(arg)=value": text, item[0] is the value, item[1] the arg
		     */
	PD_X_CALL, /* "htons(80)", "inet_addr("1.2.3.4")": text is the name */
};

struct pd_expr {
	enum pd_expr_kind kind;
	int line;
	bool is_hex; /* a number that was written in hex */
	s64 num;
	struct pd_text text; /* the name of fields and calls, bytes of strings, else as written */
	struct pd_expr **item;
	size_t count;
};

/* ---- System calls ---- */

struct pd_syscall {
	struct pd_text name;
	struct pd_expr **arg;
	size_t argc;
	struct pd_expr
		*result; /* PD_X_NUMBER or PD_X_ELLIPSIS (anything); NULL: none was written */
	int error; /* "-1 EAGAIN": its number in Linux, 0 when none is named */
	struct pd_text error_name;
	struct pd_text note; /* what stands in (parentheses) */
};

/* ---- Packets ---- */

enum pd_direction { PD_INBOUND /* "<": into the stack */, PD_OUTBOUND /* ">" */ };

enum pd_ecn {
	PD_ECN_UNSPECIFIED, /* inbound: none; outbound: not looked at */
	PD_ECN_NOECN,
	PD_ECN_ECT0,
	PD_ECN_ECT1,
	PD_ECN_ECT01, /* either */
	PD_ECN_CE,
};

/* What stands in [brackets] or (parentheses) behind the direction. */
struct pd_ip_marks {
	enum pd_ecn ecn;
	bool has_tos, has_ttl, has_flow_label;
	u8 tos; /* the whole octet */
	u8 ttl; /* hop limit too */
	u32 flow_label;
};

enum pd_layer_kind { PD_LAYER_IPV4, PD_LAYER_IPV6, PD_LAYER_GRE, PD_LAYER_MPLS };

struct pd_mpls_label {
	u32 label;
	u8 tc, ttl;
	bool bottom; /* [S] */
};

#define PD_MAX_MPLS   16
#define PD_MAX_LAYERS 8

/* One encapsulation, outermost first; the packet's own IP header is not among them. */
struct pd_layer {
	enum pd_layer_kind kind;
	struct pd_text src, dst; /* IP: addresses as written */
	struct pd_ip_marks marks; /* IP */
	/* GRE */
	u16 gre_flags; /* first 16 bits of the header */
	u16 gre_proto;
	bool has_gre_flags, has_gre_proto;
	bool gre_has_checksum, gre_has_key, gre_has_seq;
	u16 gre_checksum, gre_offset;
	u32 gre_key, gre_seq;
	/* MPLS */
	struct pd_mpls_label label[PD_MAX_MPLS];
	size_t labels;
};

/* Bits of the TCP header, FIN lowest; AE is RFC 9768's. */
enum {
	PD_TCP_FIN = 0x01,
	PD_TCP_SYN = 0x02,
	PD_TCP_RST = 0x04,
	PD_TCP_PSH = 0x08,
	PD_TCP_ACK = 0x10,
	PD_TCP_URG = 0x20,
	PD_TCP_ECE = 0x40, /* E */
	PD_TCP_CWR = 0x80, /* W */
	PD_TCP_AE = 0x100, /* A */
};

enum pd_option_kind {
	PD_OPT_EOL,
	PD_OPT_NOP,
	PD_OPT_MSS, /* num[0] */
	PD_OPT_WSCALE, /* num[0] */
	PD_OPT_SACKOK,
	PD_OPT_SACK, /* num: left and right edges in turn, count of numbers */
	PD_OPT_TS, /* num[0] val, num[1] ecr */
	PD_OPT_FASTOPEN, /* FO: data is the cookie, empty for a request */
	PD_OPT_FASTOPEN_EXP, /* FOEXP: kind 254, magic 0xf989 */
	PD_OPT_MD5, /* data: 16 bytes of digest; none: to be computed or not looked at */
	PD_OPT_AO, /* data: KeyID, RNextKeyID, MAC */
	PD_OPT_ACCECN, /* "ECN e1b 1 ceb 0 e0b 1": num in the written order, count; first_e1b */
	PD_OPT_GENERIC, /* number: kind on the wire; data: its body */
};

#define PD_MAX_OPTION_NUMBERS 8

struct pd_option {
	enum pd_option_kind kind;
	u8 number; /* PD_OPT_GENERIC */
	bool first_e1b; /* PD_OPT_ACCECN: kind 174 (else 172) */
	u8 count;
	u32 num[PD_MAX_OPTION_NUMBERS];
	struct pd_text data; /* bytes */
	bool ts_val_any, ts_ecr_any; /* "val *", "ecr *" */
};

struct pd_tcp {
	u16 flags; /* PD_TCP_* */
	s8 ace; /* a digit 0 to 7 among the flags: the ACE field; else -1 */
	u32 seq, seq_end;
	u32 len; /* payload bytes */
	bool has_ack, has_win, has_urg;
	u32 ack;
	u32 win; /* as it stands in the header, not scaled */
	u32 urg;
	bool no_options; /* no <...> was written */
	bool any_options; /* "<...>" */
	struct pd_option *option;
	size_t options;
};

struct pd_icmp {
	bool v6; /* written as icmpv6 */
	struct pd_text type_name, code_name; /* as written, code may be empty */
	u8 type, code; /* of the family that the script is parsed for */
	bool has_mtu, has_id;
	u32 mtu, id;
	bool has_echo; /* "[1:1001(1000)]" or "[udp (100)]": what is quoted */
	bool echo_udp;
	u32 echo_seq, echo_len;
	u32 len; /* "icmp ... (100)": payload bytes, of echo requests */
};

enum pd_packet_kind { PD_PACKET_TCP, PD_PACKET_UDP, PD_PACKET_ICMP, PD_PACKET_RAW };

struct pd_packet {
	enum pd_packet_kind kind;
	enum pd_direction direction;
	struct pd_ip_marks marks;
	struct pd_layer *layer;
	size_t layers;
	bool has_ports; /* "5000 > 80" in front of the flags */
	u16 src_port, dst_port;
	struct pd_tcp tcp;
	u32 udp_len;
	bool bad_checksum; /* "(sum=bad)" behind it */
	struct pd_icmp icmp;
	struct pd_text raw; /* PD_PACKET_RAW: the IP packet's bytes, "raw 4500..." */
};

/* ---- Events ---- */

enum pd_event_kind { PD_PACKET, PD_SYSCALL, PD_COMMAND, PD_CODE };

struct pd_event {
	enum pd_event_kind kind;
	int line; /* where it begins, from 1 */
	struct pd_time time;
	struct pd_text source; /* the event as written, without its time */
	union {
		struct pd_packet packet;
		struct pd_syscall syscall;
		struct pd_text command; /* between the backticks */
		struct pd_text code; /* between %{ and }% */
	};
	int body_line; /* PD_CODE, PD_COMMAND: line on which the inside begins */
};

struct pd_script_option {
	struct pd_text name; /* "ip_version": without the dashes, "-D" is "define" */
	struct pd_text value; /* p is NULL when none was given */
	int line;
};

struct pd_script {
	const char *path; /* for messages */
	struct pd_script_option *option;
	size_t options;
	/* In file order. Commands that stand before the first time are events with PD_TIME_NONE. */
	struct pd_event *event;
	size_t events;
	struct pd_arena *arena;
};

/* ---- Parsing ---- */

struct pd_define {
	const char *name, *value;
};

enum pd_family { PD_IPV4, PD_IPV6, PD_MAPPED };

enum pd_error_kind {
	PD_ERROR_NONE,
	PD_ERROR_SYNTAX, /* the text is wrong: "not ok", exit status 2 */
	PD_ERROR_UNKNOWN, /* the text may be right, but names what we do not know: a skip */
};

struct pd_error {
	enum pd_error_kind kind;
	int line;
	char word[64]; /* PD_ERROR_UNKNOWN: what is not known */
	char text[512]; /* the whole message: "PATH:LINE: ..." */
};

struct pd_parse_config {
	const char *path;
	enum pd_family family; /* from the options; the script's own --ip_version wins */
	const struct pd_define *define;
	size_t defines; /* the script's own are added to them, and win */
};

/*
 * Parses a script. NULL and *error when it can not be used. The text need not outlive the call.
 */
struct pd_script *pd_script_parse(const char *text, size_t len,
				  const struct pd_parse_config *config, struct pd_error *error);
void pd_script_free(struct pd_script *s);

/* The script's own option, the last one of that name; NULL when it has none. */
const struct pd_script_option *pd_script_find(const struct pd_script *s, const char *name);

/* The value of the struct's field of that name; NULL when it has none. */
const struct pd_expr *pd_expr_field(const struct pd_expr *x, const char *name);

/* "PATH:LINE: ..." into *error. */
void pd_error_set(struct pd_error *error, enum pd_error_kind kind, const char *path, int line,
		  const char *word, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
