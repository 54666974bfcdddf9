/* SPDX-License-Identifier: MIT */
/*
 * Signed segments, of whichever kind (tcp_auth.h): the option found (tcp_do_parse_auth_options),
 * the one decision about a segment that arrives (tcp_inbound_hash), signatures of those that leave.
 */
#include "tcp/tcp_auth.h"

#include "inet/inet_timewait_sock.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_md5.h"
#include "tcp/tcp_rare.h"

/* ---- addresses ---- */

u32 inet_addr_bits(u8 family)
{
	return family == AF_INET ? 32 : 128;
}

bool inet_addr_prefix_equal(const struct inet_addr *a, const struct inet_addr *b, u32 bits)
{
	for (u32 i = 0; i < 4 && bits; i++) {
		u32 n = min_u32(bits, 32);
		u32 mask = n == 32 ? UINT32_MAX : ~(UINT32_MAX >> n);

		if ((ntohl(a->w[i]) ^ ntohl(b->w[i])) & mask)
			return false;
		bits -= n;
	}
	return true;
}

u32 tcp_pseudo_header(u8 *p, const struct tcp_ends *ends, u32 len)
{
	u32 words = inet_addr_bits(ends->family) / 32;

	for (u32 i = 0; i < words; i++)
		store_be32(p + 4 * i, ends->saddr->w[i]);
	for (u32 i = 0; i < words; i++)
		store_be32(p + 4 * (words + i), ends->daddr->w[i]);
	p += 8 * words;
	if (words == 1) {
		put_be32(p, (u32)IPPROTO_TCP << 16 | len);
		return 12;
	}
	put_be32(p, len);
	put_be32(p + 4, IPPROTO_TCP);
	return 40;
}

/* ---- keys ---- */

static struct tcp_auth *auth_alloc(struct net *net)
{
	struct tcp_auth *auth = mem_zalloc(net_world(net), MEM_MISC, sizeof(*auth));

	if (auth)
		list_init(&auth->md5_keys);
	return auth;
}

struct tcp_auth *tcp_auth_get(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (rare && !rare->auth)
		rare->auth = auth_alloc(sk->net);
	return rare ? rare->auth : NULL;
}

void tcp_auth_free(struct net *net, struct tcp_auth **auth)
{
	if (!*auth)
		return;
	tcp_md5_clear(net, *auth);
	tcp_ao_put_info(net, &(*auth)->ao_info);
	mem_free(net_world(net), MEM_MISC, *auth, sizeof(**auth));
	*auth = NULL;
}

int tcp_auth_inherit(const struct sock *sk, const struct request_sock *req, struct tcp_auth **auth)
{
	const struct inet_addr daddr = skc_daddr(&req->skc);
	const struct tcp_md5sig_key *md5;
	int err;

	*auth = NULL;
	if (!tcp_sk(sk)->rare->auth)
		return 0;
	md5 = tcp_md5_do_lookup(sk, req->skc.skc_family, &daddr);
	if (!md5 && !tcp_rsk(req)->used_tcp_ao)
		return 0;
	*auth = auth_alloc(sk->net);
	if (!*auth)
		return -ENOMEM;
	if (tcp_rsk(req)->used_tcp_ao)
		err = tcp_ao_copy_all_matching(sk, req, &(*auth)->ao_info);
	else
		err = tcp_md5_key_copy(sk->net, *auth, &daddr, md5);
	if (err)
		tcp_auth_free(sk->net, auth);
	return err;
}

u32 tcp_key_len(const struct tcp_key *key)
{
	if (key->type == TCP_KEY_NONE)
		return 0;
	return key->type == TCP_KEY_MD5 ? TCPOLEN_MD5SIG_ALIGNED : tcp_ao_len_aligned(key->ao_key);
}

u32 tcp_auth_len(const struct sock *sk)
{
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);

	if (ao)
		return ao->current_key ? tcp_ao_len_aligned(ao->current_key) : 0;
	return tcp_md5_lookup(sk) ? TCPOLEN_MD5SIG_ALIGNED : 0;
}

int tcp_auth_connect(struct sock *sk)
{
	const struct inet_addr daddr = skc_daddr(inet_skc(sk));
	struct tcp_auth *auth = tcp_sk(sk)->rare->auth;
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	bool ao_key, md5;

	if (!ao)
		return 0;
	ao_key = tcp_ao_do_lookup(ao, &daddr, inet_skc(sk)->skc_family, -1, -1) != NULL;
	md5 = tcp_md5_lookup(sk) != NULL;
	if (md5 && (ao_key || ao->ao_required))
		return -EKEYREJECTED;
	if (md5) {
		tcp_ao_put_info(sk->net, &auth->ao_info);
		return 0;
	}
	if (!ao_key)
		return -EKEYREJECTED;
	tcp_md5_clear(sk->net, auth);
	return 0;
}

bool tcp_auth_synack_key(const struct sock *sk, const struct request_sock *req, struct tcp_key *key)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	const struct inet_addr daddr = skc_daddr(&req->skc);
	u8 family = req->skc.skc_family;

	*key = (struct tcp_key){ .type = TCP_KEY_NONE };
	if (!treq->used_tcp_ao) {
		key->md5_key = tcp_md5_do_lookup(sk, family, &daddr);
		key->type = key->md5_key ? TCP_KEY_MD5 : TCP_KEY_NONE;
		return true;
	}
	if (ao)
		key->ao_key = tcp_ao_do_lookup(ao, &daddr, family, treq->ao_keyid, -1);
	if (!key->ao_key)
		return false;
	key->type = TCP_KEY_AO;
	key->keyid = treq->ao_keyid;
	key->rnext = treq->ao_rcv_next;
	key->pad = TCPOPT_NOP;
	tcp_ao_calc_key_rsk(key->ao_key, key->traffic_key, req);
	return true;
}

/* ---- out ---- */

static void ao_sign(const struct tcp_key *key, u8 *th, u32 len, u32 at, const struct tcp_ends *ends)
{
	const struct tcp_ao_segment seg = { .th = th,
					    .mac_at = th + at + TCP_AO_HDR_LEN,
					    .len = len,
					    .sne = key->sne,
					    .ends = *ends };
	u8 *p = th + at, mac[TCP_AO_MAX_TRAFFIC_KEY_LEN];

	memset(p, key->pad, tcp_ao_len_aligned(key->ao_key));
	p[0] = TCPOPT_AO;
	p[1] = (u8)tcp_ao_len(key->ao_key);
	p[2] = key->keyid;
	p[3] = key->rnext;
	tcp_ao_hash(key->ao_key, key->traffic_key, &seg, NULL, mac);
	memcpy(p + TCP_AO_HDR_LEN, mac, key->ao_key->maclen);
}

void tcp_key_sign(const struct tcp_key *key, u8 *th, u32 len, u32 at, const struct tcp_ends *ends)
{
	if (key->type == TCP_KEY_MD5)
		tcp_md5_sign(th, len, at, ends, key->md5_key);
	else if (key->type == TCP_KEY_AO)
		ao_sign(key, th, len, at, ends);
}

void tcp_auth_sign(struct sock *sk, struct sk_buff *skb)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr saddr = skc_rcv_saddr(skc), daddr = skc_daddr(skc);
	const struct tcp_ends ends = { .family = skc->skc_family,
				       .saddr = &saddr,
				       .daddr = &daddr };
	struct tcp_key key = { .type = TCP_KEY_MD5 };

	if (tcp_ao_info_of(sk))
		tcp_ao_transmit_key(sk, skb->data, &key);
	else
		key.md5_key = tcp_md5_lookup(sk);
	tcp_key_sign(&key, skb->data, skb->len, TCP_HLEN, &ends);
}

/* ---- in ---- */

/* Linux built with TCP-AO looks at what follows a malformed option as soon as one of TCP-AO would
 * have room, without it when one of MD5 would. */
static u32 auth_min_len(const struct net *net)
{
	return net->tcp_ao_needed ? TCP_AO_HDR_LEN + 1 : TCPOLEN_MD5SIG;
}

/* False: it must not be there. */
static bool take_option(const struct net *net, const u8 *p, u32 size, struct tcp_auth_options *out)
{
	bool md5 = p[0] == TCPOPT_MD5SIG, ao = p[0] == TCPOPT_AO && net->tcp_ao_needed;

	if (!md5 && !ao)
		return true;
	/* RFC 5925 2.2: neither twice nor both. */
	if (out->md5_hash || out->ao)
		return false;
	if (md5)
		out->md5_hash = p + 2;
	else
		out->ao = p;
	return md5 ? size == TCPOLEN_MD5SIG : size > TCP_AO_HDR_LEN;
}

bool tcp_parse_auth_options(const struct net *net, const u8 *th, struct tcp_auth_options *out)
{
	const u8 *opts = th + TCP_HLEN;
	u32 len = tcp_doff(th) - TCP_HLEN, at = 0, size;
	u8 kind;

	*out = (struct tcp_auth_options){ 0 };
	while (len - at >= auth_min_len(net)) {
		u32 next = tcp_option_next(opts, len, at, &kind, &size);

		if (kind == TCPOPT_EOL)
			return true;
		if (!size || (kind != TCPOPT_NOP && !take_option(net, opts + at, size, out)))
			return false;
		if (!next)
			return true;
		at = next;
	}
	return true;
}

enum skb_drop_reason tcp_inbound_hash(struct sock *sk, const struct request_sock *req,
				      const struct sk_buff *skb, const struct tcp_ends *ends)
{
	struct tcp_auth_options opts;

	if (!tcp_parse_auth_options(sk->net, tcp_hdr(skb), &opts))
		return SKB_DROP_REASON_TCP_AUTH_HDR;
	/* RFC 5925 7.4.1: as it began. */
	if (req && tcp_rsk(req)->used_tcp_ao && !opts.ao) {
		MIB_INC(sk->net, TcpExtTCPAOBad);
		return SKB_DROP_REASON_TCP_AOFAILURE;
	}
	if (req && !tcp_rsk(req)->used_tcp_ao && opts.ao && !sk->net->sysctl.rfc_tcp_ao_accept) {
		MIB_INC(sk->net, TcpExtTCPAOBad);
		return SKB_DROP_REASON_TCP_AOFAILURE;
	}
	if (opts.ao)
		return tcp_inbound_ao_hash(sk, req, skb, ends, opts.ao);
	if (!opts.md5_hash && tcp_ao_required(sk, ends->saddr, ends->family, true))
		return SKB_DROP_REASON_TCP_AONOTFOUND;
	return tcp_inbound_md5_hash(sk, skb, ends, opts.md5_hash);
}

/* ---- TIME-WAIT ---- */

struct tcp_twsk_auth {
	struct tcp_ao_info *ao_info; /* a reference; NULL: the key below */
	struct tcp_md5sig_key md5_key;
};

_Static_assert(sizeof(struct tcp_twsk_auth) <= INET_TWSK_EXTRA_MAX, "behind a TIME-WAIT socket");

static struct tcp_twsk_auth *twsk_auth(const struct inet_timewait_sock *tw)
{
	return inet_twsk_extra(tw);
}

u32 tcp_twsk_auth_size(const struct sock *sk)
{
	if (tcp_ao_info_of(sk))
		return (u32)offsetof(struct tcp_twsk_auth, md5_key);
	return tcp_md5_lookup(sk) ? (u32)sizeof(struct tcp_twsk_auth) : 0;
}

void tcp_twsk_auth_init(struct inet_timewait_sock *tw, const struct sock *sk)
{
	if (!tw->tw_extra)
		return;
	twsk_auth(tw)->ao_info = tcp_ao_info_of(sk);
	if (twsk_auth(tw)->ao_info)
		twsk_auth(tw)->ao_info->refcnt++;
	else
		twsk_auth(tw)->md5_key = *tcp_md5_lookup(sk);
}

void tcp_twsk_destructor(struct inet_timewait_sock *tw)
{
	tcp_ao_put_info(tw->tw_common.skc_net, &twsk_auth(tw)->ao_info);
}

struct tcp_ao_info *tcp_twsk_ao_info(const struct inet_timewait_sock *tw)
{
	return tw->tw_extra ? twsk_auth(tw)->ao_info : NULL;
}

const struct tcp_md5sig_key *tcp_twsk_md5_key(const struct inet_timewait_sock *tw)
{
	return tw->tw_extra && !twsk_auth(tw)->ao_info ? &twsk_auth(tw)->md5_key : NULL;
}
