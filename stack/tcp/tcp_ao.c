/* SPDX-License-Identifier: MIT */
/*
 * TCP-AO in the life of a connection (tcp_ao.h; net/ipv4/tcp_ao.c): it begins, its segments are
 * signed, those that arrive are checked, the peer asks for another key (RFC 5925 7).
 */
#include "tcp/tcp_ao.h"

#include "inet/inet_timewait_sock.h"
#include "inet/request_sock.h"
#include "wire/icmp4.h"
#include "wire/tcp.h"

/* ---- sequence number extension (RFC 5925 6.2) ---- */

u32 tcp_ao_compute_sne(u32 next_sne, u32 next_seq, u32 seq)
{
	if (before(seq, next_seq))
		return seq > next_seq ? next_sne - 1 : next_sne;
	return seq < next_seq ? next_sne + 1 : next_sne;
}

u32 tcp_ao_sne_of(struct tcp_ao_sne *s, u32 next, u32 seq)
{
	s->sne = tcp_ao_compute_sne(s->sne, s->seq, next);
	s->seq = next;
	return tcp_ao_compute_sne(s->sne, next, seq);
}

static struct tcp_ao_sne sne_start(u32 isn)
{
	return (struct tcp_ao_sne){ .seq = isn };
}

/* ---- opening ---- */

void tcp_ao_connect_init(struct sock *sk)
{
	const struct inet_addr daddr = skc_daddr(inet_skc(sk));
	struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	u8 family = inet_skc(sk)->skc_family;

	if (!ao)
		return;
	list_for_each_safe(pos, tmp, &ao->keys) {
		struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		if (!tcp_ao_key_matches(key, &daddr, family, key->prefixlen, -1, -1))
			tcp_ao_delete(sk->net, ao, key);
	}
	/* tcp_auth_connect() saw that one fits. */
	ASSERT(!list_empty(&ao->keys));
	if (!ao->current_key)
		ao->current_key = list_entry(ao->keys.next, struct tcp_ao_key, node);
	if (!ao->rnext_key)
		ao->rnext_key = list_entry(ao->keys.next, struct tcp_ao_key, node);
	ao->lisn = tcp_sk(sk)->write_seq;
	ao->snd = sne_start(ao->lisn);
}

void tcp_ao_synsent_syn(struct sock *sk, u32 risn)
{
	struct tcp_ao_info *ao = tcp_ao_info_of(sk);

	if (!ao)
		return;
	ao->risn = risn;
	ao->rcv = sne_start(risn);
	tcp_ao_cache_traffic_keys(sk, ao);
}

void tcp_ao_request(const struct sock *sk, struct request_sock *req, const struct sk_buff *skb,
		    bool cookie)
{
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	struct tcp_request_sock *treq = tcp_rsk(req);
	const struct inet_addr daddr = skc_daddr(&req->skc);
	struct tcp_auth_options opts;

	if (!ao || !tcp_parse_auth_options(sk->net, tcp_hdr(skb), &opts) || !opts.ao)
		return;
	/* What tcp_inbound_hash() took for unsigned, or a cookie of a connection that was. */
	if ((cookie || sk->net->sysctl.rfc_tcp_ao_accept) &&
	    !tcp_ao_do_lookup(ao, &daddr, req->skc.skc_family, -1, opts.ao[2]))
		return;
	treq->used_tcp_ao = true;
	treq->ao_rcv_next = opts.ao[2];
	treq->ao_keyid = opts.ao[3];
}

/* ---- out ---- */

void tcp_ao_transmit_key(struct sock *sk, const u8 *th, struct tcp_key *key)
{
	struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	struct tcp_ao_key *mkt = ao->current_key;
	u8 flags = tcp_flags(th);

	*key = (struct tcp_key){ .type = TCP_KEY_AO,
				 .keyid = mkt->sndid,
				 .rnext = ao->rnext_key->rcvid,
				 .pad = TCPOPT_NOP,
				 .sne = tcp_ao_sne_of(&ao->snd, tcp_sk(sk)->snd_una, tcp_seq(th)),
				 .ao_key = mkt };
	/* RFC 5925 5.2: of a SYN the peer's number is 0; a SYN-ACK has both. */
	if (flags & TCPHDR_SYN)
		tcp_ao_calc_key_sk(mkt, key->traffic_key, sk, ao->lisn,
				   flags & TCPHDR_ACK ? ao->risn : 0, true);
	else
		memcpy(key->traffic_key, mkt->snd_other, sizeof(key->traffic_key));
}

/* ---- in ---- */

/* What a segment's MAC is checked against. */
struct ao_check {
	struct net *net;
	struct tcp_ao_info *ao;
	const struct sk_buff *skb;
	const struct tcp_ends *ends;
	const u8 *aoh;
};

static enum skb_drop_reason key_not_found(const struct ao_check *c)
{
	MIB_INC(c->net, TcpExtTCPAOKeyNotFound);
	c->ao->counters.key_not_found++;
	return SKB_DROP_REASON_TCP_AOKEYNOTFOUND;
}

static enum skb_drop_reason verify_hash(const struct ao_check *c, struct tcp_ao_key *key,
					const u8 *traffic_key, u32 sne)
{
	const struct tcp_ao_segment seg = { .th = tcp_hdr(c->skb),
					    .mac_at = c->aoh + TCP_AO_HDR_LEN,
					    .len = c->skb->len,
					    .sne = sne,
					    .ends = *c->ends };
	u8 mac[TCP_AO_MAX_TRAFFIC_KEY_LEN];
	bool good = c->aoh[1] == tcp_ao_len(key);

	if (good) {
		tcp_ao_hash(key, traffic_key, &seg, c->skb, mac);
		good = !memcmp(mac, seg.mac_at, key->maclen);
	}
	if (!good) {
		MIB_INC(c->net, TcpExtTCPAOBad);
		c->ao->counters.pkt_bad++;
		key->pkt_bad++;
		return SKB_DROP_REASON_TCP_AOFAILURE;
	}
	MIB_INC(c->net, TcpExtTCPAOGood);
	c->ao->counters.pkt_good++;
	key->pkt_good++;
	return SKB_DROP_REASON_NOT_SPECIFIED;
}

/* With the traffic key for these numbers. */
static enum skb_drop_reason verify_isns(const struct ao_check *c, struct tcp_ao_key *key, u32 sisn,
					u32 disn, u32 sne)
{
	const u8 *th = tcp_hdr(c->skb);
	const struct tcp_ao_context ctx = { .ends = *c->ends,
					    .sport = tcp_source(th),
					    .dport = tcp_dest(th),
					    .sisn = sisn,
					    .disn = disn };
	u8 traffic_key[TCP_AO_MAX_TRAFFIC_KEY_LEN];

	tcp_ao_calc_traffic_key(key, traffic_key, &ctx);
	return verify_hash(c, key, traffic_key, sne);
}

static enum skb_drop_reason verify_syn(const struct ao_check *c, struct tcp_ao_key *key)
{
	return verify_isns(c, key, tcp_seq(tcp_hdr(c->skb)), 0, 0);
}

static bool is_bare_syn(const u8 *th)
{
	return (tcp_flags(th) & (TCPHDR_SYN | TCPHDR_ACK)) == TCPHDR_SYN;
}

/* RFC 5925 7.5 2.: the peer wants segments signed with another key. Unknown ones are ignored. */
static void key_rotation(struct tcp_ao_info *ao, u8 rnext_keyid)
{
	struct tcp_ao_key *key;

	if (rnext_keyid == ao->current_key->sndid)
		return;
	key = tcp_ao_established_key(ao, rnext_keyid, -1);
	if (key)
		ao->current_key = key;
}

static enum skb_drop_reason inbound_established(const struct ao_check *c, u32 rcv_nxt)
{
	const u8 *th = tcp_hdr(c->skb);
	struct tcp_ao_info *ao = c->ao;
	struct tcp_ao_key *key = ao->rnext_key;
	enum skb_drop_reason reason;

	if (key->rcvid != c->aoh[2])
		key = tcp_ao_established_key(ao, -1, c->aoh[2]);
	if (!key)
		return key_not_found(c);
	if (is_bare_syn(th))
		return verify_syn(c, key);
	reason = verify_hash(c, key, key->rcv_other, tcp_ao_sne_of(&ao->rcv, rcv_nxt, tcp_seq(th)));
	if (reason == SKB_DROP_REASON_NOT_SPECIFIED)
		key_rotation(ao, c->aoh[3]);
	return reason;
}

/* A listener has no numbers of the connection: a request has, or the ACK of a cookie tells. */
static enum skb_drop_reason inbound_listen(const struct ao_check *c, const struct request_sock *req,
					   struct tcp_ao_key *key)
{
	const u8 *th = tcp_hdr(c->skb);
	u32 sisn = tcp_seq(th) - 1, disn = tcp_ack_seq(th) - 1;

	if (is_bare_syn(th))
		return verify_syn(c, key);
	if (req) {
		sisn = tcp_rsk(req)->rcv_isn;
		disn = tcp_rsk(req)->snt_isn;
	} else if (tcp_flags(th) & TCPHDR_SYN || !(tcp_flags(th) & TCPHDR_ACK)) {
		return SKB_DROP_REASON_TCP_FLAGS; /* no way to know */
	}
	return verify_isns(c, key, sisn, disn, tcp_ao_compute_sne(0, sisn, tcp_seq(th)));
}

/* SYN-SENT: the peer's number is that of the segment; SYN-RECEIVED: it is known. */
static enum skb_drop_reason inbound_opening(const struct ao_check *c, u8 state,
					    struct tcp_ao_key *key)
{
	const u8 *th = tcp_hdr(c->skb);
	u32 sisn = c->ao->risn;

	if (is_bare_syn(th))
		return verify_syn(c, key);
	if (state == TCP_SYN_SENT || tcp_flags(th) & TCPHDR_SYN)
		sisn = tcp_seq(th);
	return verify_isns(c, key, sisn, c->ao->lisn, tcp_ao_compute_sne(0, sisn, tcp_seq(th)));
}

static bool is_synchronized(u8 state)
{
	return state != TCP_LISTEN && state != TCP_SYN_SENT && state != TCP_SYN_RECV &&
	       state != TCP_CLOSE;
}

/* RFC 5925 7.3: a segment with TCP-AO for which there is no key is one without, by default. */
static bool accepted_unchecked(struct sock *sk, const struct tcp_ends *ends)
{
	return sk->net->sysctl.rfc_tcp_ao_accept &&
	       !tcp_ao_required(sk, ends->saddr, ends->family, false);
}

enum skb_drop_reason tcp_inbound_ao_hash(struct sock *sk, const struct request_sock *req,
					 const struct sk_buff *skb, const struct tcp_ends *ends,
					 const u8 *aoh)
{
	const struct ao_check c = {
		.net = sk->net, .ao = tcp_ao_info_of(sk), .skb = skb, .ends = ends, .aoh = aoh
	};
	struct tcp_ao_key *key;

	if (accepted_unchecked(sk, ends) && (!req || !tcp_rsk(req)->used_tcp_ao))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	if (!c.ao) {
		MIB_INC(sk->net, TcpExtTCPAOKeyNotFound);
		return SKB_DROP_REASON_TCP_AOUNEXPECTED;
	}
	if (is_synchronized(sk->sk_state))
		return inbound_established(&c, tcp_sk(sk)->rcv_nxt);
	if (sk->sk_state == TCP_CLOSE)
		return SKB_DROP_REASON_TCP_CLOSE;
	key = tcp_ao_do_lookup(c.ao, ends->saddr, ends->family, -1, aoh[2]);
	if (!key)
		return key_not_found(&c);
	return sk->sk_state == TCP_LISTEN ? inbound_listen(&c, req, key) :
					    inbound_opening(&c, sk->sk_state, key);
}

enum skb_drop_reason tcp_inbound_ao_timewait(const struct inet_timewait_sock *tw,
					     const struct sk_buff *skb, const struct tcp_ends *ends)
{
	struct tcp_auth_options opts;
	struct ao_check c = {
		.net = tw->tw_common.skc_net, .ao = tcp_twsk_ao_info(tw), .skb = skb, .ends = ends
	};

	if (!tcp_parse_auth_options(c.net, tcp_hdr(skb), &opts))
		return SKB_DROP_REASON_TCP_AUTH_HDR;
	if (!opts.ao) {
		MIB_INC(c.net, TcpExtTCPAORequired);
		c.ao->counters.ao_required++;
		return SKB_DROP_REASON_TCP_AONOTFOUND;
	}
	c.aoh = opts.ao;
	return inbound_established(&c, tw->tw_rcv_nxt);
}

/* ---- ICMP ---- */

static bool is_hard_error(u8 family, u8 type, u8 code)
{
	if (family == AF_INET)
		return type == ICMP_DEST_UNREACH && code >= ICMP_PROT_UNREACH &&
		       code <= ICMP_FRAG_NEEDED;
	/* ICMPv6 destination unreachable: administratively prohibited, port unreachable. */
	return type == 1 && (code == 1 || code == 4);
}

bool tcp_ao_ignore_icmp(struct sock_common *skc, u8 type, u8 code)
{
	struct tcp_ao_info *ao = NULL;

	if (!skc->skc_net->tcp_ao_needed || !is_hard_error(skc->skc_family, type, code))
		return false;
	if (skc->skc_kind == SKC_TIMEWAIT)
		ao = tcp_twsk_ao_info(inet_twsk(skc));
	else if (skc->skc_kind == SKC_SOCK && is_synchronized(inet_sk_of(skc)->sk_state))
		ao = tcp_ao_info_of(inet_sk_of(skc));
	if (!ao || ao->accept_icmps)
		return false;
	MIB_INC(skc->skc_net, TcpExtTCPAODroppedIcmps);
	ao->counters.dropped_icmp++;
	return true;
}
