/* SPDX-License-Identifier: MIT */
/* Choosing entries of connection tracking by words of conntrack(8). */
#ifndef TAPLINE_NF_NF_CONNTRACK_FILTER_H
#define TAPLINE_NF_NF_CONNTRACK_FILTER_H

#include "nf/nf_conntrack.h"
#include "stack/op.h"

enum nf_ct_verb { NF_CT_LIST, NF_CT_DELETE, NF_CT_FLUSH, NF_CT_COUNT, NF_CT_STATISTICS };

struct nf_ct_filter {
	u8 verb; /* enum nf_ct_verb */
	u16 family; /* 0: any */
	s32 proto, state; /* -1: any */
	s32 orig_sport, orig_dport, reply_sport, reply_dport; /* -1: any */
	bool has_addr[4]; /* original source, destination, reply source, destination */
	struct inet_addr addr[4];
	u32 status, status_unset; /* IPS_* that must be set, must not be */
	bool has_mark;
	u32 mark;
	char error[96]; /* "unknown option `--foo'" */
};

/* Words as behind "conntrack": "-L -f ipv4 -p tcp --dport 80". False: f->error says why. */
bool nf_ct_filter_parse(struct nf_ct_filter *f, const char *text, u32 len);
bool nf_ct_filter_match(const struct nf_conn *ct, void *filter);
/* OP_CONNTRACK_DELETE: how many ended, or -EINVAL. */
int nf_ct_op_delete(struct net *net, const struct op_conntrack_delete *op);

#endif
