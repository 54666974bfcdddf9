/* SPDX-License-Identifier: MIT */
/*
 * tcp_mtu.c function by function: sizes and path MTUs are each other's inverse within the bounds of
 * the peer's MSS and tcp_min_snd_mss; half the peer's window bounds a segment; search_low never
 * passes search_high, and each of a probe's conditions alone keeps it from being sent (RFC 4821).
 */

/* Before the test's world, whose w they would shadow. */
#include "kernel/world.h"
#include "socket/socket.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_send.h"

#include "stack/fault.h"
#include "stack/tcp.h"
#include "stack/tcp/tcp_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, tcp_world_setup, tcp_world_teardown)

static const u8 plain_opts[4] = { 2, 4, 5, 0xb4 };
static const u8 stamp_opts[16] = { 2, 4, 5, 0xb4, 1, 1, 8, 10, 0, 0, 0, 1 };
static struct peer peer = { .sport = 4000, .dport = 80, .window = 65535 };
static u8 data[20000];
static u32 first; /* number of the host's first octet */
static s32 fd;

/* A connection whose SYN had these options. */
static struct sock *connected(const u8 *opts, u32 len)
{
	s32 listener = t_listener(80, 5);
	int err;

	peer.opts = opts;
	peer.opts_len = len;
	first = peer_open(&peer, 1000) + 1;
	peer.opts_len = 0;
	fd = (s32)t_call(SYS_ACCEPT, listener, 0);
	assert_true(fd >= 0);
	assert_int_equal(t_close(listener), 0);
	return sockfd_lookup(w->hosts[0], fd, &err)->sk;
}

/* ---- sizes ---- */

static void clamp(void **state)
{
	struct tcp_sock tp = { .rx_opt = { .user_mss = 0 } };

	(void)state;
	assert_int_equal(tcp_mss_clamp(&tp, 1460), 1460);
	tp.rx_opt.user_mss = 1459;
	assert_int_equal(tcp_mss_clamp(&tp, 1460), 1459);
	tp.rx_opt.user_mss = 1461;
	assert_int_equal(tcp_mss_clamp(&tp, 1460), 1460);
}

/* RFC 1122 4.2.2.6: headers and options off the MTU; neither above the peer's MSS nor below
 * tcp_min_snd_mss. */
static void inverse(void **state)
{
	struct sock *sk = connected(stamp_opts, sizeof(stamp_opts));

	(void)state;
	assert_int_equal(tcp_sk(sk)->tcp_header_len, 32);
	for (u32 mtu = 100; mtu <= 1500; mtu++) {
		assert_int_equal(tcp_mtu_to_mss(sk, mtu), mtu - 52);
		assert_int_equal(tcp_mss_to_mtu(sk, mtu - 52), mtu);
	}
	assert_int_equal(tcp_mtu_to_mss(sk, 1501), 1448);
	assert_int_equal(tcp_mtu_to_mss(sk, UINT32_MAX), 1448);
	for (u32 mtu = 0; mtu <= 88; mtu++)
		assert_int_equal(tcp_mtu_to_mss_plain(sk, mtu), 48);
	assert_int_equal(tcp_mtu_to_mss_plain(sk, 89), 49);
	assert_int_equal(tcp_mtu_to_mss(sk, 0), 48 - 12);
	set_sysctl("net.ipv4.tcp_min_snd_mss", "500");
	assert_int_equal(tcp_mtu_to_mss_plain(sk, 539), 500);
	assert_int_equal(tcp_mtu_to_mss_plain(sk, 541), 501);
	/* Options of IP take their part too. */
	inet_csk(sk)->icsk_ext_hdr_len = 8;
	assert_int_equal(tcp_mtu_to_mss(sk, 1000), 1000 - 60);
	assert_int_equal(tcp_mss_to_mtu(sk, 1000 - 60), 1000);
	inet_csk(sk)->icsk_ext_hdr_len = 0;
}

/* Two segments must fit into the largest window that the peer showed, unless that is tiny. */
static void half_window(void **state)
{
	struct tcp_sock tp = { .tcp_header_len = 20 };

	(void)state;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), 1460); /* none known */
	tp.max_window = TCP_MSS_DEFAULT;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), TCP_MSS_DEFAULT);
	tp.max_window++;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), TCP_MSS_DEFAULT / 2);
	tp.max_window = 2919;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), 1459);
	tp.max_window = 2920;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), 1460);
	tp.max_window = 1;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), 48);
	tp.tcp_header_len = 60;
	assert_int_equal(tcp_bound_to_half_wnd(&tp, 1460), 8);
}

/* A path MTU is taken as it is, up and down; the search never goes above it again. */
static void sync_mss(void **state)
{
	struct sock *sk = connected(plain_opts, sizeof(plain_opts));
	struct tcp_sock *tp = tcp_sk(sk);

	(void)state;
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 1500);
	assert_int_equal(tcp_sync_mss(sk, 1000), 960);
	assert_int_equal(tp->mss_cache, 960);
	assert_int_equal(inet_csk(sk)->icsk_pmtu_cookie, 1000);
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 1000);
	assert_int_equal(tcp_sync_mss(sk, 1500), 1460);
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 1000);
	tp->max_window = 1000;
	assert_int_equal(tcp_sync_mss(sk, 1500), 500);
	tp->max_window = 65535;
	tcp_mtup_init(sk);
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 1500);
	assert_false(inet_csk(sk)->icsk_mtup_enabled);
	/* While it searches: no more than what works. */
	set_sysctl("net.ipv4.tcp_mtu_probing", "2");
	tcp_mtup_init(sk);
	assert_true(inet_csk(sk)->icsk_mtup_enabled);
	assert_int_equal(tp->rare->mtup.search_low, 1064);
	assert_int_equal(tcp_sync_mss(sk, 1500), 1024);
	assert_int_equal(tcp_sync_mss(sk, 1000), 960);
}

/* The MTU of the way is looked at again; SACK blocks that are due take their bytes off. */
static void current_mss(void **state)
{
	static const u8 opts[8] = { 2, 4, 5, 0xb4, 4, 2, 1, 1 };
	struct sock *sk = connected(opts, sizeof(opts));

	(void)state;
	assert_int_equal(tcp_current_mss(sk), 1460);
	peer_send(&peer, ACK, 1101, first, 100);
	assert_int_equal(tcp_current_mss(sk), 1460 - 12);
	peer_send(&peer, ACK, 1301, first, 100);
	assert_int_equal(tcp_current_mss(sk), 1460 - 20);
	peer_send(&peer, ACK, 1001, first, 100);
	peer_send(&peer, ACK, 1201, first, 100);
	assert_int_equal(tcp_current_mss(sk), 1460);
	assert_int_equal(tcp_sk(sk)->mss_cache, 1460);
	/* What was known is of another way. */
	assert_int_equal(tcp_sync_mss(sk, 1200), 1160);
	assert_int_equal(tcp_current_mss(sk), 1460);
	assert_int_equal(inet_csk(sk)->icsk_pmtu_cookie, 1500);
}

/* TCP_MAXSEG and the route bound what is announced; the route's may only lower it later. */
static void advertised(void **state)
{
	struct sock *sk = connected(plain_opts, sizeof(plain_opts));
	struct tcp_sock *tp = tcp_sk(sk);

	(void)state;
	assert_int_equal(tcp_dst_advmss(sk->dst_cache), 1460);
	tp->rx_opt.user_mss = 700;
	tcp_initialize_advmss(sk, sk->dst_cache);
	assert_int_equal(tp->advmss, 700);
	assert_int_equal(tcp_advertise_mss(sk), 700);
	tp->advmss = 9000;
	assert_int_equal(tcp_advertise_mss(sk), 1460);
	assert_int_equal(tp->advmss, 1460);
}

/* ---- probes ---- */

/* One that searches from 552 on, and whose window has room for a probe: `write` octets wait. */
static struct sock *searching(u32 write)
{
	struct sock *sk;
	u32 at = 0;

	set_sysctl("net.ipv4.tcp_mtu_probing", "2");
	set_sysctl("net.ipv4.tcp_base_mss", "512");
	sk = connected(plain_opts, sizeof(plain_opts));
	assert_int_equal(tcp_sync_mss(sk, 1500), 512);
	for (u32 n = 10; tcp_sk(sk)->snd_cwnd < 12; n++) {
		assert_int_equal(t_send(fd, data, n * 512), n * 512);
		run_for(MS);
		/* Not twice what works is in the queue at a time: no probe goes out meanwhile. */
		at += n * 512;
		seen_read = seen_count = 0;
		peer_send(&peer, ACK, 1001, first + at, 0);
		run_for(MS);
		if (tcp_sk(sk)->rare->mtup.probe_size)
			fail_msg("a probe before its time");
	}
	first += at;
	assert_int_equal(tcp_sk(sk)->mss_cache, 512);
	assert_int_equal(t_setopt(fd, IPPROTO_TCP, TCP_CORK, 1), 0);
	if (write) {
		u32 wnd = tcp_sk(sk)->snd_wnd;

		/* It stays in the queue while the window is shut. */
		tcp_sk(sk)->snd_wnd = 0;
		assert_int_equal(t_send(fd, data, write), write);
		tcp_sk(sk)->snd_wnd = wnd;
	}
	return sk;
}

/* Each condition of tcp_mtu_probe() by itself; all met, it goes. */
static void conditions(void **state)
{
	struct sock *sk = searching(5000);
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_mtup *mtup = &tcp_rare_own(tp)->mtup;
	/* Half way between 552 and 1500, and four segments for the ACKs that show it lost. */
	u32 len = 1026 - 40, needed = len + 4 * 512, was;

	(void)state;
	assert_int_equal(tp->write_seq - tp->snd_nxt, 5000);
	icsk->icsk_mtup_enabled = false;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	icsk->icsk_mtup_enabled = true;
	mtup->probe_size = 700;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	mtup->probe_size = 0;
	icsk->icsk_ca_state = TCP_CA_Disorder;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	icsk->icsk_ca_state = TCP_CA_Open;
	was = tp->snd_cwnd;
	tp->snd_cwnd = 10;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	tp->snd_cwnd = was;
	tp->rx_opt.num_sacks = 1;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	tp->rx_opt.num_sacks = 0;
	tp->rx_opt.dsack = 1;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	tp->rx_opt.dsack = 0;
	/* A search that has found it. */
	mtup->search_low = 1493;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	mtup->search_low = 552;
	was = tp->snd_wnd;
	tp->snd_wnd = needed - 1;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	tp->snd_wnd = was;
	/* Room in the peer's window, in ours: not now, but an ACK may bring it. */
	tp->snd_una -= was - needed + 1;
	assert_int_equal(tcp_mtu_probe(sk), 0);
	tp->snd_una += was - needed + 1;
	tp->packets_out = tp->snd_cwnd - 1;
	assert_int_equal(tcp_mtu_probe(sk), 0);
	tp->packets_out = 0;
	TCP_SKB_CB(tcp_send_head(sk))->eor = 1;
	tcp_send_head(sk)->len -= 4900;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	tcp_send_head(sk)->len += 4900;
	TCP_SKB_CB(tcp_send_head(sk))->eor = 0;
	expect_nothing();

	assert_int_equal(tcp_mtu_probe(sk), 1);
	run_for(0);
	assert_int_equal(next_segment()->len, len);
	assert_int_equal(mtup->probe_size, 1026);
	assert_int_equal(mtup->probe_seq_start, first);
	assert_int_equal(mtup->probe_seq_end, first + len);
	assert_int_equal(tcp_mtu_probe(sk), -1);
}

/* One octet less than a probe and what has to follow it does not do. */
static void enough_to_follow(void **state)
{
	u32 needed = 986 + 4 * 512;
	struct sock *sk = searching(needed - 1);

	(void)state;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	tcp_sk(sk)->reordering--;
	assert_int_equal(tcp_mtu_probe(sk), 1);
}

/* What is not a multiple of the old size is not lost and not sent twice. */
static void octets_of_a_probe(void **state)
{
	struct sock *sk = searching(5000);
	u32 at = 0;

	(void)state;
	assert_int_equal(tcp_mtu_probe(sk), 1);
	assert_int_equal(t_setopt(fd, IPPROTO_TCP, TCP_CORK, 0), 0);
	run_for(MS);
	while (seen_read < seen_count) {
		const struct segment *s = next_segment();

		assert_int_equal(s->tcp.seq, first + at);
		at += s->len;
	}
	assert_int_equal(at, 5000);
}

/* The window keeps its octets; the size that arrived is the one that works. */
static void success(void **state)
{
	struct sock *sk = searching(5000);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 bytes;

	(void)state;
	assert_int_equal(tcp_mtu_probe(sk), 1);
	bytes = tp->snd_cwnd * 552;
	tcp_mtup_probe_success(sk);
	assert_int_equal(tp->rare->mtup.search_low, 1026);
	assert_int_equal(tp->rare->mtup.probe_size, 0);
	assert_int_equal(tp->mss_cache, 986);
	assert_int_equal(tp->snd_cwnd, bytes / 1026);
	assert_int_equal(counter("TcpExtTCPMTUPSuccess"), 1);
	/* At least one segment. */
	tcp_rare_own(tp)->mtup.probe_size = 1500;
	tp->snd_cwnd = 1;
	tcp_mtup_probe_success(sk);
	assert_int_equal(tp->snd_cwnd, 1);
}

/* Only a loss of the probe itself, seen while nothing else is wrong, is no congestion. */
static void lost(void **state)
{
	struct sock *sk = searching(5000);
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd = tp->snd_cwnd;

	(void)state;
	assert_false(tcp_mtup_probe_lost(sk)); /* none is under way */
	assert_int_equal(tcp_mtu_probe(sk), 1);
	assert_int_equal(tp->snd_cwnd, cwnd - 1);
	tp->snd_una--;
	assert_false(tcp_mtup_probe_lost(sk));
	tp->snd_una++;
	icsk->icsk_ca_state = TCP_CA_CWR;
	assert_false(tcp_mtup_probe_lost(sk));
	icsk->icsk_ca_state = TCP_CA_Open;
	assert_int_equal(tp->rare->mtup.probe_size, 1026);
	assert_true(tcp_mtup_probe_lost(sk));
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 1025);
	assert_int_equal(tp->rare->mtup.probe_size, 0);
	assert_int_equal(tp->snd_cwnd, cwnd);
	assert_int_equal(tp->mss_cache, 512);
	assert_int_equal(counter("TcpExtTCPMTUPFail"), 1);
	assert_false(tcp_mtup_probe_lost(sk));
}

/* RFC 4821 7.3: after tcp_probe_interval the search begins anew, from what works on. */
static void again(void **state)
{
	struct sock *sk = searching(5000);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_mtup *mtup = &tcp_rare_own(tp)->mtup;
	u32 before = mtup->probe_timestamp;

	(void)state;
	tp->inet_conn.icsk_mtup_search_high = 555;
	mtup->probe_timestamp = tcp_jiffies32(sk) - 600 * HZ + 1;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 555);
	mtup->probe_timestamp--;
	assert_int_equal(tcp_mtu_probe(sk), -1);
	assert_int_equal(tp->inet_conn.icsk_mtup_search_high, 1500);
	assert_int_equal(mtup->search_low, 552);
	assert_true(mtup->probe_timestamp - before < HZ);
	assert_int_equal(tcp_mtu_probe(sk), 1);
}

/* ---- black holes ---- */

static void black_hole(void **state)
{
	struct sock *sk = connected(plain_opts, sizeof(plain_opts));
	struct tcp_sock *tp = tcp_sk(sk);

	(void)state;
	tcp_mtu_black_hole(sk);
	assert_false(inet_csk(sk)->icsk_mtup_enabled);
	assert_int_equal(tp->mss_cache, 1460);
	set_sysctl("net.ipv4.tcp_mtu_probing", "1");
	tcp_mtu_black_hole(sk);
	assert_true(inet_csk(sk)->icsk_mtup_enabled);
	assert_int_equal(tp->mss_cache, 1024);
	/* Halves of it, not above the base, not below either floor. */
	tcp_mtu_black_hole(sk);
	assert_int_equal(tp->mss_cache, 512);
	set_sysctl("net.ipv4.tcp_base_mss", "200");
	tcp_mtu_black_hole(sk);
	assert_int_equal(tp->mss_cache, 200);
	set_sysctl("net.ipv4.tcp_mtu_probe_floor", "150");
	tcp_mtu_black_hole(sk);
	assert_int_equal(tp->mss_cache, 150);
	set_sysctl("net.ipv4.tcp_min_snd_mss", "180");
	tcp_mtu_black_hole(sk);
	assert_int_equal(tp->mss_cache, 180);
	assert_true(tp->rare->mtup.search_low <= tp->inet_conn.icsk_mtup_search_high);
}

/* Without memory for it there is no search, and the size stays. */
static void no_memory(void **state)
{
	struct sock *sk = connected(plain_opts, sizeof(plain_opts));
	struct op op = { .kind = OP_FAULT };

	(void)state;
	set_sysctl("net.ipv4.tcp_mtu_probing", "1");
	op.u.fault.point = FAULT_ALLOC;
	op.u.fault.count = 1;
	must(&op, 0);
	tcp_mtu_black_hole(sk);
	assert_false(inet_csk(sk)->icsk_mtup_enabled);
	assert_int_equal(tcp_sk(sk)->mss_cache, 1460);
	tcp_mtu_black_hole(sk);
	assert_true(inet_csk(sk)->icsk_mtup_enabled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clamp),
		CLEAN(inverse),
		cmocka_unit_test(half_window),
		CLEAN(sync_mss),
		CLEAN(current_mss),
		CLEAN(advertised),
		CLEAN(conditions),
		CLEAN(enough_to_follow),
		CLEAN(octets_of_a_probe),
		CLEAN(success),
		CLEAN(lost),
		CLEAN(again),
		CLEAN(black_hole),
		CLEAN(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
