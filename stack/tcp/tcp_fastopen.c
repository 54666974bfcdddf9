/* SPDX-License-Identifier: MIT */
/*
 * TCP fast open, the server's side and the keys (RFC 7413 4.1; net/ipv4/tcp_fastopen.c). The
 * client's side is in tcp_fastopen_client.c.
 *
 * A cookie is SipHash-2-4 of the addresses under a key of the namespace or of the listener.
 * Invariants: fastopenq.qlen counts the children whose SYN-ACK is not acknowledged, and the
 * requests of those that an RST ended within the last minute; it never exceeds max_qlen when one is
 * made. The request of such a child is in no table: fastopen_rsk holds it.
 */
#include "tcp/tcp_fastopen.h"

#include "kernel/random.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_syn.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_rare.h"

/* ---- keys ---- */

static struct siphash_key key_of_bytes(const u8 *p)
{
	return (struct siphash_key){ { get_le64(p), get_le64(p + 8) } };
}

static void context_free(const struct net *net, struct tcp_fastopen_context *ctx)
{
	if (ctx)
		mem_free(net_world(net), MEM_MISC, ctx, sizeof(*ctx));
}

int tcp_fastopen_reset_cipher(struct net *net, struct sock *sk, const u8 *keys, u32 num)
{
	struct tcp_fastopen_context *ctx = mem_zalloc(net_world(net), MEM_MISC, sizeof(*ctx));
	struct request_sock_queue *q = sk ? inet_csk_queue_get(sk) : NULL;
	struct tcp_fastopen_context **at = q ? &q->fastopenq.ctx : &net->tcp_fastopen_ctx;

	if (!ctx || (sk && !q)) {
		context_free(net, ctx);
		return -ENOMEM;
	}
	ctx->num = num;
	for (u32 i = 0; i < num; i++)
		ctx->key[i] = key_of_bytes(keys + i * TCP_FASTOPEN_KEY_LENGTH);
	context_free(net, *at);
	*at = ctx;
	return 0;
}

void tcp_fastopen_init_key_once(struct net *net)
{
	struct siphash_key key;
	u8 bytes[TCP_FASTOPEN_KEY_LENGTH];

	if (net->tcp_fastopen_ctx)
		return;
	get_random_siphash_key(net_world(net), RANDOM_TFO, &key);
	put_le64(bytes, key.key[0]);
	put_le64(bytes + 8, key.key[1]);
	tcp_fastopen_reset_cipher(net, NULL, bytes, 1);
}

void tcp_fastopen_destroy_cipher(struct sock *sk)
{
	if (!inet_csk(sk)->icsk_accept_queue->fastopenq.ctx)
		return;
	context_free(sk->net, inet_csk_queue(sk)->fastopenq.ctx);
	inet_csk_queue(sk)->fastopenq.ctx = NULL;
}

void tcp_fastopen_net_exit(struct net *net)
{
	context_free(net, net->tcp_fastopen_ctx);
	net->tcp_fastopen_ctx = NULL;
}

static const struct tcp_fastopen_context *get_ctx(const struct net *net, const struct sock *sk)
{
	const struct tcp_fastopen_context *own =
		sk ? inet_csk(sk)->icsk_accept_queue->fastopenq.ctx : NULL;

	return own ? own : net->tcp_fastopen_ctx;
}

u32 tcp_fastopen_get_cipher(const struct net *net, const struct sock *sk, u8 *keys)
{
	const struct tcp_fastopen_context *ctx =
		sk ? inet_csk(sk)->icsk_accept_queue->fastopenq.ctx : net->tcp_fastopen_ctx;

	if (!ctx)
		return 0;
	for (u32 i = 0; i < ctx->num; i++) {
		put_le64(keys + i * TCP_FASTOPEN_KEY_LENGTH, ctx->key[i].key[0]);
		put_le64(keys + i * TCP_FASTOPEN_KEY_LENGTH + 8, ctx->key[i].key[1]);
	}
	return ctx->num;
}

/* ---- cookies ---- */

static void put_addr(u8 *to, const struct inet_addr *a, u32 words)
{
	for (u32 i = 0; i < words; i++)
		store_be32(to + 4 * i, a->w[i]);
}

/* The client's address, then ours, as they stand in the header of its SYN. */
static void cookie_gen_cipher(const struct request_sock *req, const struct siphash_key *key,
			      struct tcp_fastopen_cookie *foc)
{
	const struct sock_common *skc = &req->skc;
	const struct inet_addr saddr = skc_rcv_saddr(skc), daddr = skc_daddr(skc);
	u32 words = skc->skc_family == AF_INET ? 1 : 4;
	u8 bytes[32];

	put_addr(bytes, &daddr, words);
	put_addr(bytes + 4 * words, &saddr, words);
	put_le64(foc->val, siphash(bytes, 8 * words, key));
	foc->len = TCP_FASTOPEN_COOKIE_SIZE;
}

static void cookie_gen(const struct sock *sk, const struct request_sock *req,
		       struct tcp_fastopen_cookie *foc)
{
	const struct tcp_fastopen_context *ctx = get_ctx(sk->net, sk);

	if (ctx)
		cookie_gen_cipher(req, &ctx->key[0], foc);
}

static bool cookie_match(const struct tcp_fastopen_cookie *a, const struct tcp_fastopen_cookie *b)
{
	return a->len == b->len && !memcmp(a->val, b->val, (u8)a->len);
}

/* Which key (1, 2) the client's cookie was made with, 0: none. *valid: the one to have. */
static u32 cookie_gen_check(const struct sock *sk, const struct request_sock *req,
			    const struct tcp_fastopen_cookie *orig,
			    struct tcp_fastopen_cookie *valid)
{
	const struct tcp_fastopen_context *ctx = get_ctx(sk->net, sk);
	struct tcp_fastopen_cookie older = { .len = -1 }, *foc = valid;

	for (u32 i = 0; ctx && i < ctx->num; i++) {
		cookie_gen_cipher(req, &ctx->key[i], foc);
		if (cookie_match(foc, orig))
			return i + 1;
		foc = &older;
	}
	return 0;
}

bool tcp_fastopen_no_cookie(const struct sock *sk, u32 flag)
{
	return (u32)sk->net->sysctl.tcp_fastopen & flag || tcp_sk(sk)->fastopen_no_cookie;
}

/* ---- a SYN ---- */

/* RFC 7413 5.1: room for one more that is not verified? One that an RST ended makes room after a
 * minute. */
static bool queue_check(struct sock *sk)
{
	struct fastopen_queue *q = &inet_csk_queue(sk)->fastopenq;
	struct request_sock *req = q->rskq_rst_head;

	if (!q->max_qlen)
		return false;
	if (q->qlen < q->max_qlen)
		return true;
	if (!req || (s32)(req->timeout - (u32)jiffies(sk->net->host)) > 0) {
		MIB_INC(sk->net, TcpExtTCPFastOpenListenOverflow);
		return false;
	}
	q->rskq_rst_head = reqsk_next(req);
	req->skc.skc_node.next = NULL;
	q->qlen--;
	reqsk_put(req);
	return true;
}

void tcp_fastopen_add_skb(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 doff = tcp_doff(tcp_hdr(skb));

	if (TCP_SKB_CB(skb)->end_seq == tp->rcv_nxt)
		return;
	skb = skb_clone(skb);
	if (!skb)
		return;
	skb->dev = NULL;
	/* The child began with one. */
	tp->segs_in = 0;
	tcp_segs_in(tp, skb);
	skb_pull(skb, doff);
	skb_set_owner_r(skb, sk);
	TCP_SKB_CB(skb)->seq++;
	TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_SYN;
	tp->rcv_nxt = TCP_SKB_CB(skb)->end_seq;
	skb_queue_tail(&sk->receive_queue, skb);
	tp->syn_data_acked = 1;
	tp->bytes_received = skb->len;
	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_FIN)
		tcp_fin(sk);
}

static struct sock *create_child(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	struct fastopen_queue *q = &inet_csk_queue(sk)->fastopenq;
	bool own_req;
	struct sock *child =
		inet_csk(sk)->icsk_af_ops->syn_recv_sock(sk, skb, req, NULL, NULL, &own_req);
	struct tcp_rare *rare;
	struct tcp_sock *tp;

	if (!child)
		return NULL;
	rare = tcp_rare_get(child);
	if (!rare) {
		inet_child_forget(child);
		return NULL;
	}
	q->qlen++;
	tp = tcp_sk(child);
	rare->fastopen_rsk = req;
	tp->syn_fastopen_child = 1;
	req->tfo_listener = 1;
	/* RFC 7323 2.2: the window of a SYN is not scaled. */
	tp->snd_wnd = tcp_window(tcp_hdr(skb));
	tp->max_window = tp->snd_wnd;
	/* The child sends the SYN-ACK again. */
	req->timeout = TCP_TIMEOUT_INIT;
	inet_csk_reset_xmit_timer(child, ICSK_TIME_RETRANS, req->timeout, TCP_RTO_MAX);
	tcp_init_transfer(child, skb);
	tp->rcv_nxt = TCP_SKB_CB(skb)->seq + 1;
	tcp_fastopen_add_skb(child, skb);
	tcp_rsk(req)->rcv_nxt = tp->rcv_nxt;
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_mwnd_seq = tp->rcv_wup + tp->rcv_wnd;
	return child;
}

struct sock *tcp_try_fastopen(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
			      struct tcp_fastopen_cookie *foc)
{
	bool syn_data = TCP_SKB_CB(skb)->end_seq != TCP_SKB_CB(skb)->seq + 1;
	struct tcp_fastopen_cookie valid = { .len = -1 };
	struct sock *child;
	u32 key = 0;

	if (!foc->len)
		MIB_INC(sk->net, TcpExtTCPFastOpenCookieReqd);
	if (!(sk->net->sysctl.tcp_fastopen & TFO_SERVER_ENABLE) || (!syn_data && foc->len < 0) ||
	    !queue_check(sk)) {
		foc->len = -1;
		return NULL;
	}
	if (!tcp_fastopen_no_cookie(sk, TFO_SERVER_COOKIE_NOT_REQD)) {
		if (!foc->len)
			cookie_gen(sk, req, &valid);
		else if (foc->len > 0)
			key = cookie_gen_check(sk, req, foc, &valid);
		if (!key) {
			if (foc->len > 0)
				MIB_INC(sk->net, TcpExtTCPFastOpenPassiveFail);
			valid.exp = foc->exp;
			*foc = valid;
			return NULL;
		}
	}
	child = create_child(sk, skb, req);
	valid.exp = foc->exp;
	if (!child) {
		/* The right cookie goes along once more. */
		MIB_INC(sk->net, TcpExtTCPFastOpenPassiveFail);
		*foc = valid;
		return NULL;
	}
	if (key == 2) {
		*foc = valid;
		MIB_INC(sk->net, TcpExtTCPFastOpenPassiveAltKey);
	} else {
		foc->len = -1;
	}
	MIB_INC(sk->net, TcpExtTCPFastOpenPassive);
	return child;
}

/* ---- the queue ---- */

int tcp_fastopen_queue_tune(struct sock *sk, s32 backlog)
{
	struct request_sock_queue *q = inet_csk_queue_get(sk);

	if (!q)
		return -ENOMEM;
	q->fastopenq.max_qlen = min_u32((u32)backlog, (u32)sk->net->sysctl.core_somaxconn);
	return 0;
}

void tcp_fastopen_remove(struct sock *sk, bool reset)
{
	struct request_sock *req = tcp_sk(sk)->rare->fastopen_rsk;

	tcp_rare_own(tcp_sk(sk))->fastopen_rsk = NULL;
	reqsk_fastopen_remove(req, reset, TCP_FASTOPEN_RST_REQ_LIFE);
}
