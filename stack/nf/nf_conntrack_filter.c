/* SPDX-License-Identifier: MIT */
/* conntrack(8)'s words: which entries are meant (nf_conntrack_filter.h). */
#include "nf/nf_conntrack_filter.h"

#include "lib/addr_text.h"
#include "lib/str.h"

struct words {
	const char *p, *end;
	char word[64];
};

/* The next word. False: there is none. */
static bool next_word(struct words *w)
{
	const char *begin;

	while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n'))
		w->p++;
	begin = w->p;
	while (w->p < w->end && *w->p != ' ' && *w->p != '\t' && *w->p != '\n')
		w->p++;
	str_copy_n(w->word, sizeof(w->word), begin, (size_t)(w->p - begin));
	return w->p > begin;
}

static bool wrong(struct nf_ct_filter *f, const char *what, const char *word)
{
	u32 at = (u32)str_len(what);

	str_copy(f->error, what, sizeof(f->error));
	if (at + 3 < sizeof(f->error)) {
		f->error[at] = '`';
		str_copy(f->error + at + 1, word, sizeof(f->error) - at - 2);
		at = (u32)str_len(f->error);
		f->error[at] = '\'';
		f->error[at + 1] = 0;
	}
	return false;
}

static bool take_number(struct nf_ct_filter *f, const char *word, s64 max, s32 *out)
{
	s64 v;

	if (!str_to_s64(word, &v) || v < 0 || v > max)
		return wrong(f, "bad number ", word);
	*out = (s32)v;
	return true;
}

static bool take_proto(struct nf_ct_filter *f, const char *word)
{
	static const u8 known[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6 };

	for (u32 i = 0; i < sizeof(known); i++) {
		if (str_eq(word, nf_ct_l4proto_name(known[i]))) {
			f->proto = known[i];
			return true;
		}
	}
	return take_number(f, word, 255, &f->proto);
}

static bool take_address(struct nf_ct_filter *f, const char *word, u32 which)
{
	u8 bytes[16] = { 0 };

	if (!ip4_from_text(word, bytes) && !ip6_from_text(word, bytes))
		return wrong(f, "Invalid IP address ", word);
	memcpy(&f->addr[which], bytes, 16);
	f->has_addr[which] = true;
	return true;
}

static bool take_state(struct nf_ct_filter *f, const char *word)
{
	for (u32 i = 0; i < TCP_CONNTRACK_MAX; i++) {
		if (str_eq(word, nf_ct_tcp_state_name(i))) {
			f->state = (s32)i;
			return true;
		}
	}
	return wrong(f, "bad state ", word);
}

static bool take_status(struct nf_ct_filter *f, const char *word)
{
	if (str_eq(word, "ASSURED"))
		f->status |= IPS_ASSURED;
	else if (str_eq(word, "SEEN_REPLY"))
		f->status |= IPS_SEEN_REPLY;
	else if (str_eq(word, "UNSET") || str_eq(word, "UNREPLIED"))
		f->status_unset |= IPS_SEEN_REPLY;
	else
		return wrong(f, "bad status ", word);
	return true;
}

/* Verbs and options that take nothing. */
static bool take_alone(struct nf_ct_filter *f, const char *o)
{
	if (str_eq(o, "-L") || str_eq(o, "--dump"))
		f->verb = NF_CT_LIST;
	else if (str_eq(o, "-D") || str_eq(o, "--delete"))
		f->verb = NF_CT_DELETE;
	else if (str_eq(o, "-F") || str_eq(o, "--flush"))
		f->verb = NF_CT_FLUSH;
	else if (str_eq(o, "-C") || str_eq(o, "--count"))
		f->verb = NF_CT_COUNT;
	else if (str_eq(o, "-S") || str_eq(o, "--stats"))
		f->verb = NF_CT_STATISTICS;
	else
		return str_eq(o, "conntrack");
	return true;
}

static bool is(const char *o, const char *brief, const char *full)
{
	return str_eq(o, brief) || str_eq(o, full);
}

static bool take_option(struct nf_ct_filter *f, const char *o, const char *word)
{
	s32 mark = 0;

	if (is(o, "-f", "--family")) {
		f->family = str_eq(word, "ipv4") ? AF_INET : str_eq(word, "ipv6") ? AF_INET6 : 0;
		return f->family || wrong(f, "unknown family ", word);
	}
	if (is(o, "-p", "--proto"))
		return take_proto(f, word);
	if (is(o, "-s", "--orig-src") || str_eq(o, "--src"))
		return take_address(f, word, 0);
	if (is(o, "-d", "--orig-dst") || str_eq(o, "--dst"))
		return take_address(f, word, 1);
	if (is(o, "-r", "--reply-src"))
		return take_address(f, word, 2);
	if (is(o, "-q", "--reply-dst"))
		return take_address(f, word, 3);
	if (is(o, "--sport", "--orig-port-src"))
		return take_number(f, word, 65535, &f->orig_sport);
	if (is(o, "--dport", "--orig-port-dst"))
		return take_number(f, word, 65535, &f->orig_dport);
	if (str_eq(o, "--reply-port-src"))
		return take_number(f, word, 65535, &f->reply_sport);
	if (str_eq(o, "--reply-port-dst"))
		return take_number(f, word, 65535, &f->reply_dport);
	if (str_eq(o, "--state"))
		return take_state(f, word);
	if (is(o, "-u", "--status"))
		return take_status(f, word);
	if (is(o, "-m", "--mark")) {
		f->has_mark = take_number(f, word, INT32_MAX, &mark);
		f->mark = (u32)mark;
		return f->has_mark;
	}
	return wrong(f, "unknown option ", o);
}

bool nf_ct_filter_parse(struct nf_ct_filter *f, const char *text, u32 len)
{
	struct words w = { .p = len ? text : "" };
	char option[64];

	/* Empty bytes of an op have no address. */
	w.end = w.p + len;
	memset(f, 0, sizeof(*f));
	f->proto = f->state = -1;
	f->orig_sport = f->orig_dport = f->reply_sport = f->reply_dport = -1;
	while (next_word(&w)) {
		if (take_alone(f, w.word))
			continue;
		str_copy(option, w.word, sizeof(option));
		if (option[0] != '-')
			return wrong(f, "Bad parameter ", option);
		if (!next_word(&w))
			return wrong(f, "option needs an argument: ", option);
		if (!take_option(f, option, w.word))
			return false;
	}
	return true;
}

static bool port_is(s32 want, u16 port)
{
	return want < 0 || want == port;
}

static bool has_ports(const struct nf_conn *ct)
{
	return nf_ct_protonum(ct) == IPPROTO_TCP || nf_ct_protonum(ct) == IPPROTO_UDP;
}

bool nf_ct_filter_match(const struct nf_conn *ct, void *filter)
{
	const struct nf_ct_filter *f = filter;
	const struct nf_conntrack_tuple *o = &ct->tuplehash[0].tuple, *r = &ct->tuplehash[1].tuple;
	const struct inet_addr *addr[4] = { &o->src, &o->dst, &r->src, &r->dst };

	if ((f->family && f->family != o->l3num) || (f->proto >= 0 && f->proto != o->protonum))
		return false;
	if (f->state >= 0 && (o->protonum != IPPROTO_TCP || f->state != ct->proto.tcp.state))
		return false;
	if ((ct->status & f->status) != f->status || ct->status & f->status_unset)
		return false;
	if (f->has_mark && ct->mark != f->mark)
		return false;
	for (u32 i = 0; i < 4; i++)
		if (f->has_addr[i] && !inet_addr_equal(&f->addr[i], addr[i]))
			return false;
	if (f->orig_sport < 0 && f->orig_dport < 0 && f->reply_sport < 0 && f->reply_dport < 0)
		return true;
	return has_ports(ct) && port_is(f->orig_sport, o->sport) &&
	       port_is(f->orig_dport, o->dport) && port_is(f->reply_sport, r->sport) &&
	       port_is(f->reply_dport, r->dport);
}

int nf_ct_op_delete(struct net *net, const struct op_conntrack_delete *op)
{
	struct nf_ct_filter f;

	if (!nf_ct_filter_parse(&f, (const char *)op->filter.p, op->filter.len))
		return -EINVAL;
	return (int)nf_ct_iterate_cleanup(net, nf_ct_filter_match, &f);
}
