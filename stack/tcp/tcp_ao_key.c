/* SPDX-License-Identifier: MIT */
/* TCP-AO's keys (tcp_ao.h): found, made, copied, and their traffic keys. */
#include "tcp/tcp_ao.h"

#include "inet/request_sock.h"

struct tcp_ao_info *tcp_ao_info_of(const struct sock *sk)
{
	const struct tcp_auth *auth = tcp_sk(sk)->rare->auth;

	return auth ? auth->ao_info : NULL;
}

struct tcp_ao_info *tcp_ao_alloc_info(struct net *net)
{
	struct tcp_ao_info *ao = mem_zalloc(net_world(net), MEM_MISC, sizeof(*ao));

	if (!ao)
		return NULL;
	list_init(&ao->keys);
	ao->refcnt = 1;
	net->tcp_ao_needed++;
	return ao;
}

void tcp_ao_delete(struct net *net, struct tcp_ao_info *ao, struct tcp_ao_key *key)
{
	if (ao->current_key == key)
		ao->current_key = NULL;
	if (ao->rnext_key == key)
		ao->rnext_key = NULL;
	list_del_init(&key->node);
	mem_free(net_world(net), MEM_MISC, key, sizeof(*key));
}

void tcp_ao_put_info(struct net *net, struct tcp_ao_info **ao)
{
	struct tcp_ao_info *info = *ao;

	*ao = NULL;
	if (!info || --info->refcnt)
		return;
	list_for_each_safe(pos, tmp, &info->keys)
		tcp_ao_delete(net, info, list_entry(pos, struct tcp_ao_key, node));
	mem_free(net_world(net), MEM_MISC, info, sizeof(*info));
	net->tcp_ao_needed--;
}

/* ---- lookup ---- */

/* tcp_ao_key_cmp: the address "any" fits all of its family, on both sides. */
bool tcp_ao_key_matches(const struct tcp_ao_key *key, const struct inet_addr *addr, u8 family,
			u8 prefix, s32 sndid, s32 rcvid)
{
	if ((sndid >= 0 && key->sndid != sndid) || (rcvid >= 0 && key->rcvid != rcvid))
		return false;
	if (key->family != family)
		return false;
	return inet_addr_any(&key->addr) || inet_addr_any(addr) ||
	       inet_addr_prefix_equal(&key->addr, addr, prefix);
}

struct tcp_ao_key *tcp_ao_do_lookup(const struct tcp_ao_info *ao, const struct inet_addr *addr,
				    u8 family, s32 sndid, s32 rcvid)
{
	list_for_each(pos, &ao->keys) {
		struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		if (tcp_ao_key_matches(key, addr, family, key->prefixlen, sndid, rcvid))
			return key;
	}
	return NULL;
}

struct tcp_ao_key *tcp_ao_established_key(const struct tcp_ao_info *ao, s32 sndid, s32 rcvid)
{
	list_for_each(pos, &ao->keys) {
		struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		if ((sndid < 0 || key->sndid == sndid) && (rcvid < 0 || key->rcvid == rcvid))
			return key;
	}
	return NULL;
}

bool tcp_ao_required(struct sock *sk, const struct inet_addr *addr, u8 family, bool count)
{
	struct tcp_ao_info *ao = tcp_ao_info_of(sk);

	if (!ao || (!ao->ao_required && !tcp_ao_do_lookup(ao, addr, family, -1, -1)))
		return false;
	if (count) {
		MIB_INC(sk->net, TcpExtTCPAORequired);
		ao->counters.ao_required++;
	}
	return true;
}

/* ---- traffic keys ---- */

void tcp_ao_calc_key_sk(const struct tcp_ao_key *key, u8 *traffic_key, const struct sock *sk,
			u32 lisn, u32 risn, bool send)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);
	const struct tcp_ends out = { .family = skc->skc_family, .saddr = &laddr, .daddr = &faddr };
	const struct tcp_ends in = { .family = skc->skc_family, .saddr = &faddr, .daddr = &laddr };
	const struct tcp_ao_context ctx = { .ends = send ? out : in,
					    .sport = send ? skc->skc_num : sk->inet_dport,
					    .dport = send ? sk->inet_dport : skc->skc_num,
					    .sisn = send ? lisn : risn,
					    .disn = send ? risn : lisn };

	tcp_ao_calc_traffic_key(key, traffic_key, &ctx);
}

void tcp_ao_cache_traffic_keys(const struct sock *sk, struct tcp_ao_info *ao)
{
	list_for_each(pos, &ao->keys) {
		struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		tcp_ao_calc_key_sk(key, key->snd_other, sk, ao->lisn, ao->risn, true);
		tcp_ao_calc_key_sk(key, key->rcv_other, sk, ao->lisn, ao->risn, false);
	}
}

static void calc_request_key(const struct tcp_ao_key *key, u8 *traffic_key,
			     const struct request_sock *req, bool send)
{
	const struct sock_common *skc = &req->skc;
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_ao_context ctx = { .ends = { skc->skc_family, &laddr, &faddr },
				      .sport = skc->skc_num,
				      .dport = skc->skc_dport,
				      .sisn = treq->snt_isn,
				      .disn = treq->rcv_isn };

	if (!send)
		ctx = (struct tcp_ao_context){ .ends = { skc->skc_family, &faddr, &laddr },
					       .sport = skc->skc_dport,
					       .dport = skc->skc_num,
					       .sisn = treq->rcv_isn,
					       .disn = treq->snt_isn };
	tcp_ao_calc_traffic_key(key, traffic_key, &ctx);
}

void tcp_ao_calc_key_rsk(const struct tcp_ao_key *key, u8 *traffic_key,
			 const struct request_sock *req)
{
	calc_request_key(key, traffic_key, req, true);
}

/* ---- a child's ---- */

static int copy_key(struct net *net, struct tcp_ao_info *ao, const struct tcp_ao_key *from,
		    const struct request_sock *req)
{
	struct tcp_ao_key *key = mem_zalloc(net_world(net), MEM_MISC, sizeof(*key));

	if (!key)
		return -ENOMEM;
	*key = *from;
	key->pkt_good = 0;
	key->pkt_bad = 0;
	calc_request_key(key, key->snd_other, req, true);
	calc_request_key(key, key->rcv_other, req, false);
	list_add(&key->node, &ao->keys);
	return 0;
}

static struct tcp_ao_key *key_or_first(const struct tcp_ao_info *ao, struct tcp_ao_key *key)
{
	return key ? key : list_entry(ao->keys.next, struct tcp_ao_key, node);
}

int tcp_ao_copy_all_matching(const struct sock *sk, const struct request_sock *req,
			     struct tcp_ao_info **out)
{
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct inet_addr daddr = skc_daddr(&req->skc);
	struct tcp_ao_info *new_ao;
	int err = 0;

	*out = NULL;
	if (!treq->used_tcp_ao)
		return 0;
	if (!ao)
		return -EKEYREJECTED;
	new_ao = tcp_ao_alloc_info(sk->net);
	if (!new_ao)
		return -ENOMEM;
	new_ao->lisn = treq->snt_isn;
	new_ao->risn = treq->rcv_isn;
	new_ao->snd.seq = new_ao->lisn;
	new_ao->rcv.seq = new_ao->risn;
	new_ao->ao_required = ao->ao_required;
	new_ao->accept_icmps = ao->accept_icmps;
	list_for_each(pos, &ao->keys) {
		const struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		if (!err &&
		    tcp_ao_key_matches(key, &daddr, req->skc.skc_family, key->prefixlen, -1, -1))
			err = copy_key(sk->net, new_ao, key, req);
	}
	/* RFC 5925 7.4.1: it began with TCP-AO, it does not go on without. */
	if (!err && list_empty(&new_ao->keys))
		err = -EKEYREJECTED;
	if (err) {
		tcp_ao_put_info(sk->net, &new_ao);
		return err;
	}
	new_ao->current_key =
		key_or_first(new_ao, tcp_ao_established_key(new_ao, treq->ao_keyid, -1));
	new_ao->rnext_key =
		key_or_first(new_ao, tcp_ao_established_key(new_ao, -1, treq->ao_rcv_next));
	*out = new_ao;
	return 0;
}
