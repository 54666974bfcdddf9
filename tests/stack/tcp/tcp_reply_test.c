/* SPDX-License-Identifier: MIT */
/*
 * Segments that no connection's socket sends (tcp_reply.c): numbers of resets and ACKs (RFC 9293
 * 3.10.7.1), with what they are signed, and when there is none; and how IPv4 carries them
 * (tcp_ipv4_reply.c; IPv6: tcp_ipv6_test.c).
 */

/* Before the test's world, whose w they would shadow. */
#include "inet/inet_timewait_sock.h"
#include "kernel/world.h"
#include "socket/socket.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_md5.h"
#include "tcp/tcp_reply.h"
#include "tcp/tcp_syn.h"

#include "stack/tcp.h"
#include "stack/tcp/tcp_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)

#define THEIR_SEQ 0xfffffff0u /* wraps within the segment */
#define THEIR_ACK 0xf0000001u

static const u8 key_bytes[7] = { 'k', 'e', 'y', '-', 'o', 'n', 'e' };
static struct sk_buff *arrived;
static struct tcp_reply_to to;
static struct tcp_reply rep;

/* A segment of the peer's from port 4000 to 80, `len` octets in sequence, and `to` for it. */
static void segment(u8 flags, u32 len, const u8 *opts, u32 opts_len)
{
	const struct tcp_hdr h = { .source = 4000,
				   .dest = 80,
				   .seq = THEIR_SEQ,
				   .ack_seq = THEIR_ACK,
				   .doff = (u8)(TCP_HLEN + opts_len),
				   .flags = flags };
	struct tcp_skb_cb *cb;

	if (arrived)
		kfree_skb_reason(arrived, SKB_DROP_REASON_NOT_SPECIFIED);
	arrived = alloc_skb(w, 200);
	assert_non_null(arrived);
	skb_reset_transport_header(arrived);
	tcp_build(skb_put(arrived, h.doff), &h);
	if (opts_len)
		memcpy(tcp_hdr(arrived) + TCP_HLEN, opts, opts_len);
	arrived->net = w->hosts[0]->init_net;
	cb = TCP_SKB_CB(arrived);
	cb->seq = h.seq;
	cb->ack_seq = h.ack_seq;
	cb->end_seq = h.seq + len;
	cb->tcp_flags = flags;
	to = (struct tcp_reply_to){ .net = arrived->net,
				    .skb = arrived,
				    .family = AF_INET,
				    .saddr = inet_addr4(load_be32(peer_ip)),
				    .daddr = inet_addr4(load_be32(host_ip)) };
	memset(&rep, 0xa5, sizeof(rep));
}

static int end(void **state)
{
	if (arrived)
		kfree_skb_reason(arrived, SKB_DROP_REASON_NOT_SPECIFIED);
	arrived = NULL;
	return tcp_world_teardown(state);
}

#define REPLY(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, end)

static struct tcp_hdr reply_hdr(void)
{
	struct tcp_hdr h;

	assert_true(tcp_parse(rep.bytes, rep.len, &h));
	assert_int_equal(h.source, 80);
	assert_int_equal(h.dest, 4000);
	assert_int_equal(h.doff, rep.len); /* no data */
	return h;
}

static struct sock *sock_of(s32 fd)
{
	int err;

	return sockfd_lookup(w->hosts[0], fd, &err)->sk;
}

/* ---- numbers ---- */

static void reset_numbers(void **state)
{
	static const struct {
		u8 flags;
		u32 len;
		u8 want;
		u32 seq, ack;
	} cases[] = {
		{ SYN, 1, RST | ACK, 0, THEIR_SEQ + 1 },
		{ SYN | FIN, 0x22, RST | ACK, 0, 0x12 }, /* data and FIN count; over the wrap */
		{ 0, 0, RST | ACK, 0, THEIR_SEQ },
		{ ACK, 0, RST, THEIR_ACK, 0 },
		{ SYN | ACK, 1, RST, THEIR_ACK, 0 },
		{ FIN | PSH | ACK, 100, RST, THEIR_ACK, 0 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcp_hdr h;

		segment(cases[i].flags, cases[i].len, NULL, 0);
		tcp_reply_reset(&to, 0, &rep);
		h = reply_hdr();
		assert_int_equal(rep.len, TCP_HLEN);
		assert_int_equal(h.flags, cases[i].want);
		assert_int_equal(h.seq, cases[i].seq);
		assert_int_equal(h.ack_seq, cases[i].ack);
		assert_int_equal(h.window, 0);
		assert_int_equal(counter("TcpOutRsts"), i + 1);
		assert_int_equal(counter("TcpOutSegs"), i + 1);
	}
}

static void timewait_numbers(void **state)
{
	struct inet_timewait_sock tw = { .tw_snd_nxt = 0x11223344,
					 .tw_rcv_nxt = 0x55667788,
					 .tw_rcv_wnd = 0x12345 << 3,
					 .tw_rcv_wscale = 7,
					 .tw_ts_offset = 1000 };
	struct tcp_hdr h;

	(void)state;
	segment(ACK, 0, NULL, 0);
	tcp_reply_timewait(&to, &tw, &rep);
	h = reply_hdr();
	assert_int_equal(rep.len, TCP_HLEN);
	assert_int_equal(h.flags, ACK);
	assert_int_equal(h.seq, tw.tw_snd_nxt);
	assert_int_equal(h.ack_seq, tw.tw_rcv_nxt);
	assert_int_equal(h.window, (0x12345 << 3) >> 7);
	assert_int_equal(counter("TcpOutSegs"), 1);
	assert_int_equal(counter("TcpOutRsts"), 0);
	/* RFC 7323 3.2: with what is to be echoed, and our clock as the connection's was. */
	tw.tw_ts_recent = 77;
	tcp_reply_timewait(&to, &tw, &rep);
	reply_hdr();
	assert_int_equal(rep.len, TCP_HLEN + 12);
	assert_int_equal(get_be32(rep.bytes + TCP_HLEN), 0x0101080a);
	assert_int_equal(get_be32(rep.bytes + TCP_HLEN + 4), tcp_clock_ms(w->hosts[0]) + 1000);
	assert_int_equal(get_be32(rep.bytes + TCP_HLEN + 8), 77);
}

static void request_numbers(void **state)
{
	struct tcp_request_sock treq = { .req = { .ts_off = 9 },
					 .snt_isn = UINT32_MAX,
					 .rcv_nxt = 5 };
	struct tcp_hdr h;

	(void)state;
	segment(ACK, 0, NULL, 0);
	treq.req.skc.skc_net = to.net;
	treq.req.rsk_rcv_wnd = 70000;
	treq.req.rcv_wscale = 1;
	tcp_reply_request(&to, &treq.req, treq.snt_isn + 1, &rep);
	h = reply_hdr();
	assert_int_equal(rep.len, TCP_HLEN);
	assert_int_equal(h.flags, ACK);
	assert_int_equal(h.seq, 0); /* behind our SYN */
	assert_int_equal(h.ack_seq, 5);
	assert_int_equal(h.window, 65535 >> 1);
	treq.req.ts_recent = 3;
	tcp_reply_request(&to, &treq.req, treq.snt_isn + 1, &rep);
	assert_int_equal(rep.len, TCP_HLEN + 12);
	assert_int_equal(get_be32(rep.bytes + TCP_HLEN + 4), tcp_clock_ms(w->hosts[0]) + 9);
	assert_int_equal(get_be32(rep.bytes + TCP_HLEN + 8), 3);
}

/* ---- TCP MD5 ---- */

static void md5_key(s32 fd)
{
	u8 v[216] = { AF_INET };
	struct sys_op op = call_of(SYS_SETSOCKOPT, fd);

	memcpy(v + 4, peer_ip, 4);
	put_le16(v + 130, sizeof(key_bytes));
	memcpy(v + 136, key_bytes, sizeof(key_bytes));
	op.arg[0] = IPPROTO_TCP;
	op.arg[1] = TCP_MD5SIG;
	op.data = v;
	op.data_len = sizeof(v);
	assert_int_equal(finish(&op), 0);
}

/* Is the reply signed with the key, its option the last of the header? */
static void signed_by_md5(void)
{
	const struct tcp_md5sig_key *key = to.key.md5_key;
	const struct tcp_ends ends = { .family = AF_INET, .saddr = &to.daddr, .daddr = &to.saddr };
	u8 again[sizeof(rep.bytes)];
	u32 at = rep.len - TCPOLEN_MD5SIG_ALIGNED;

	assert_int_equal(to.key.type, TCP_KEY_MD5);
	assert_memory_equal(key->key, key_bytes, sizeof(key_bytes));
	assert_int_equal(get_be32(rep.bytes + at), 0x01011312);
	memcpy(again, rep.bytes, rep.len);
	memset(again + at, 0, TCPOLEN_MD5SIG_ALIGNED);
	tcp_md5_sign(again, rep.len, at, &ends, key);
	assert_memory_equal(again, rep.bytes, rep.len);
}

/* The segment signed with a key of the peer's. */
static void sign_arrived(const struct tcp_md5sig_key *key)
{
	const struct tcp_ends ends = { .family = AF_INET, .saddr = &to.saddr, .daddr = &to.daddr };

	tcp_md5_sign(tcp_hdr(arrived), arrived->len, TCP_HLEN, &ends, key);
}

static void md5_of_a_socket(void **state)
{
	static const u8 no_option[20] = { 1, 1, 1, 1 };
	s32 fd = t_socket();

	(void)state;
	md5_key(fd);
	segment(ACK, 0, no_option, 20);
	assert_true(tcp_reply_reset_key(&to, sock_of(fd), NULL));
	tcp_reply_reset(&to, 0, &rep);
	reply_hdr();
	assert_int_equal(rep.len, TCP_HLEN + TCPOLEN_MD5SIG_ALIGNED);
	signed_by_md5();
	/* Of another peer nothing is known. */
	to.saddr = inet_addr4(htonl(0xc000020a));
	assert_true(tcp_reply_reset_key(&to, sock_of(fd), NULL));
	assert_int_equal(to.key.type, TCP_KEY_NONE);
}

static void md5_of_a_request(void **state)
{
	struct tcp_request_sock treq = { .snt_isn = 1000 };
	s32 fd = t_socket();

	(void)state;
	md5_key(fd);
	segment(ACK, 0, NULL, 0);
	treq.req.skc.skc_net = to.net;
	treq.req.ts_recent = 3;
	assert_true(tcp_reply_request_key(&to, sock_of(fd), &treq.req));
	tcp_reply_request(&to, &treq.req, treq.snt_isn + 1, &rep);
	/* Behind the time stamps: both fit. */
	assert_int_equal(rep.len, TCP_HLEN + 12 + TCPOLEN_MD5SIG_ALIGNED);
	assert_int_equal(get_be32(rep.bytes + TCP_HLEN), 0x0101080a);
	signed_by_md5();
}

/* Nobody's: a listener at the sender's port has the key, and the segment must be signed with it. */
static void md5_of_nobody(void **state)
{
	struct tcp_md5sig_key key = { .keylen = sizeof(key_bytes) };
	static const u8 room[20];
	s32 fd;

	(void)state;
	memcpy(key.key, key_bytes, sizeof(key_bytes));
	segment(ACK, 0, room, 20);
	sign_arrived(&key);
	assert_false(tcp_reply_reset_key(&to, NULL, NULL)); /* no listener */
	fd = t_listener(4000, 1);
	assert_false(tcp_reply_reset_key(&to, NULL, NULL)); /* without a key */
	md5_key(fd);
	assert_true(tcp_reply_reset_key(&to, NULL, NULL));
	tcp_reply_reset(&to, 0, &rep);
	signed_by_md5();
	tcp_hdr(arrived)[TCP_HLEN + 4] ^= 1;
	assert_false(tcp_reply_reset_key(&to, NULL, NULL));
	/* One that is not signed gets an answer that is not. */
	segment(ACK, 0, NULL, 0);
	assert_true(tcp_reply_reset_key(&to, NULL, NULL));
	assert_int_equal(to.key.type, TCP_KEY_NONE);
}

/* ---- TCP-AO ---- */

#define SNDID 100
#define RCVID 101

static struct tcp_ao_info *ao_key(s32 fd)
{
	struct sys_op op = call_of(SYS_SETSOCKOPT, fd);
	u8 v[288] = { AF_INET };

	memcpy(v + 4, peer_ip, 4);
	memcpy(v + 128, "hmac(sha1)", 10);
	v[202] = 32;
	v[203] = SNDID;
	v[204] = RCVID;
	v[205] = 12;
	v[207] = sizeof(key_bytes);
	memcpy(v + 208, key_bytes, sizeof(key_bytes));
	op.arg[0] = IPPROTO_TCP;
	op.arg[1] = TCP_AO_ADD_KEY;
	op.data = v;
	op.data_len = sizeof(v);
	assert_int_equal(finish(&op), 0);
	return tcp_sk(sock_of(fd))->rare->auth->ao_info;
}

/* An option as of a peer: its KeyID is our RecvID; it wants to get `rnext`. */
static void ao_segment(u8 flags, u8 rnext)
{
	const u8 opt[16] = { TCPOPT_AO, 16, RCVID, rnext };

	segment(flags, flags & SYN ? 1 : 0, opt, sizeof(opt));
}

/* The reply's option, and its MAC with a traffic key of these numbers. */
static void signed_by_ao(struct tcp_ao_info *ao, u32 lisn, u32 risn, u32 sne)
{
	struct tcp_ao_key *key = tcp_ao_established_key(ao, SNDID, -1);
	const struct tcp_ends ends = { .family = AF_INET, .saddr = &to.daddr, .daddr = &to.saddr };
	const struct tcp_ao_context ctx = {
		.ends = ends, .sport = 80, .dport = 4000, .sisn = lisn, .disn = risn
	};
	const struct tcp_ao_segment seg = { .th = rep.bytes,
					    .mac_at = rep.bytes + rep.len - 12,
					    .len = rep.len,
					    .sne = sne,
					    .ends = ends };
	u8 traffic_key[TCP_AO_MAX_TRAFFIC_KEY_LEN], mac[TCP_AO_MAX_TRAFFIC_KEY_LEN];

	assert_int_equal(to.key.type, TCP_KEY_AO);
	tcp_ao_calc_traffic_key(key, traffic_key, &ctx);
	tcp_ao_hash(key, traffic_key, &seg, NULL, mac);
	assert_memory_equal(mac, rep.bytes + rep.len - 12, 12);
	assert_int_equal(rep.bytes[rep.len - 16], TCPOPT_AO);
	assert_int_equal(rep.bytes[rep.len - 15], 16);
	assert_int_equal(rep.bytes[rep.len - 14], SNDID);
	assert_int_equal(rep.bytes[rep.len - 13], RCVID);
}

/* RFC 5925 7.4: the numbers that both ends can know. */
static void ao_of_a_listener(void **state)
{
	s32 fd = t_listener(80, 1);
	struct tcp_ao_info *ao = ao_key(fd);

	(void)state;
	ao_segment(SYN, SNDID);
	assert_true(tcp_reply_reset_key(&to, sock_of(fd), NULL));
	tcp_reply_reset(&to, 0, &rep);
	signed_by_ao(ao, 0, THEIR_SEQ, 0);
	ao_segment(ACK, SNDID);
	assert_true(tcp_reply_reset_key(&to, sock_of(fd), NULL));
	tcp_reply_reset(&to, 0, &rep);
	signed_by_ao(ao, THEIR_ACK - 1, THEIR_SEQ - 1, 0);
	/* A key that there is none of; a peer that none is for. */
	ao_segment(ACK, SNDID + 1);
	assert_false(tcp_reply_reset_key(&to, sock_of(fd), NULL));
	ao_segment(ACK, SNDID);
	to.saddr = inet_addr4(htonl(0xc000020a));
	assert_false(tcp_reply_reset_key(&to, sock_of(fd), NULL));
}

/* What is sent back is looked up behind SND.UNA: the extension of the number is of the wrap. */
static void ao_of_a_connection(void **state)
{
	s32 fd = t_socket();
	struct tcp_ao_info *ao = ao_key(fd);
	struct sock *sk = sock_of(fd);

	(void)state;
	ao_segment(ACK, SNDID);
	assert_false(tcp_reply_reset_key(&to, sk, NULL)); /* no key has been agreed upon */
	ao->rnext_key = tcp_ao_established_key(ao, SNDID, -1);
	ao->lisn = 0x1234;
	ao->risn = 0x5678;
	ao->snd = (struct tcp_ao_sne){ .sne = 6, .seq = 0xffffff00 };
	tcp_sk(sk)->snd_una = 0xffffff00;
	assert_true(tcp_reply_reset_key(&to, sk, NULL));
	tcp_reply_reset(&to, 0, &rep);
	signed_by_ao(ao, 0x1234, 0x5678, 6);
	/* Without an ACK the number is 0: beyond the wrap. */
	ao_segment(FIN, SNDID);
	assert_true(tcp_reply_reset_key(&to, sk, NULL));
	tcp_reply_reset(&to, 0, &rep);
	signed_by_ao(ao, 0x1234, 0x5678, 7);
	ao_segment(ACK, SNDID + 1);
	assert_false(tcp_reply_reset_key(&to, sk, NULL));
	tcp_sk(sk)->snd_una = 0;
}

static void ao_of_a_request(void **state)
{
	struct tcp_request_sock treq = { .snt_isn = UINT32_MAX, .rcv_isn = 7, .used_tcp_ao = 1 };
	s32 fd = t_listener(80, 1);
	struct tcp_ao_info *ao;

	(void)state;
	ao_segment(ACK, SNDID);
	treq.req.skc.skc_net = to.net;
	assert_false(tcp_reply_request_key(&to, sock_of(fd), &treq.req)); /* its keys are gone */
	ao = ao_key(fd);
	assert_true(tcp_reply_request_key(&to, sock_of(fd), &treq.req));
	tcp_reply_request(&to, &treq.req, treq.snt_isn + 1, &rep);
	signed_by_ao(ao, UINT32_MAX, 7, 1); /* our SYN took the last number there is */
	/* A key that is no more: another one for the peer. */
	ao_segment(ACK, SNDID + 1);
	assert_true(tcp_reply_request_key(&to, sock_of(fd), &treq.req));
	assert_int_equal(to.key.keyid, SNDID);
	segment(ACK, 0, NULL, 0);
	assert_false(tcp_reply_request_key(&to, sock_of(fd), &treq.req));
}

static void ao_of_nobody(void **state)
{
	static const u8 both[36] = { TCPOPT_AO, 16, 1, 1, [16] = 1, 1, 19, 18 };
	static const u8 short_one[8] = { TCPOPT_AO, 3, 1, 1, 1, 1, 1, 1 };

	(void)state;
	/* While no socket has a key it is an option like any other. */
	ao_segment(ACK, SNDID);
	assert_true(tcp_reply_reset_key(&to, NULL, NULL));
	assert_int_equal(to.key.type, TCP_KEY_NONE);
	ao_key(t_socket());
	assert_false(tcp_reply_reset_key(&to, NULL, NULL));
	/* Signed twice (RFC 5925 2.2), or not to be read. */
	segment(ACK, 0, both, sizeof(both));
	assert_false(tcp_reply_reset_key(&to, sock_of(t_socket()), NULL));
	segment(ACK, 0, short_one, sizeof(short_one));
	assert_false(tcp_reply_reset_key(&to, sock_of(t_socket()), NULL));
}

/* ---- on the wire ---- */

static const struct peer peer = { .sport = 4000, .dport = 80, .window = 65535 };

/* IPv4: addresses turned round, identification 0, not to be fragmented, ECN left out. */
static void ipv4_reset(void **state)
{
	u8 frame[100], *iph = frame + 14, *th = frame + 34;
	const struct tcp_hdr h = { .source = 4000, .dest = 80, .doff = TCP_HLEN, .flags = SYN };
	const struct segment *s;
	u32 len;

	(void)state;
	tcp_build(th, &h);
	store_be16(th + 16,
		   csum_fold(csum_partial(th, TCP_HLEN,
					  csum_tcpudp_nofold(load_be32(peer_ip), load_be32(host_ip),
							     TCP_HLEN, IPPROTO_TCP, 0))));
	len = ip_frame(frame, IPPROTO_TCP, TCP_HLEN);
	iph[1] = 0x1b; /* DSCP 6, CE */
	ip4_send_check(iph);
	inject(frame, len);
	s = expect(RST | ACK);
	assert_int_equal(s->ip.saddr, load_be32(host_ip));
	assert_int_equal(s->ip.daddr, load_be32(peer_ip));
	assert_int_equal(s->ip.tos, 0x18);
	assert_int_equal(s->ip.id, 0);
	assert_int_equal(s->ip.frag, IP4_DF);
	assert_int_equal(s->ip.ttl, 64);
}

/* RFC 9293 3.10.7.1, RFC 1122 4.2.3.10. */
static void ipv4_no_reset(void **state)
{
	static const u8 broadcast[4] = { 192, 0, 2, 255 }, all[4] = { 255, 255, 255, 255 };

	(void)state;
	peer_send(&peer, RST, 1, 0, 0);
	peer_send(&peer, RST | ACK, 1, 1, 0);
	to_ip = broadcast;
	peer_send(&peer, SYN, 1, 0, 0);
	to_ip = all;
	peer_send(&peer, SYN, 1, 0, 0);
	expect_nothing();
	assert_int_equal(counter("TcpOutRsts"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REPLY(reset_numbers),	 REPLY(timewait_numbers),   REPLY(request_numbers),
		REPLY(md5_of_a_socket),	 REPLY(md5_of_a_request),   REPLY(md5_of_nobody),
		REPLY(ao_of_a_listener), REPLY(ao_of_a_connection), REPLY(ao_of_a_request),
		REPLY(ao_of_nobody),	 CLEAN(ipv4_reset),	    CLEAN(ipv4_no_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
