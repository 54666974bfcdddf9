/* SPDX-License-Identifier: MIT */
/*
 * /proc/net/tcp and /proc/net/tcp6 in the kernel's format (net/ipv4/tcp_ipv4.c: tcp4_seq_show,
 * get_tcp4_sock, get_openreq4, get_timewait4_sock): listeners first, then what is in the table of
 * connections. uid is 0, inode and the socket's address are no part of a simulated host: 0.
 */
#include "inet/request_sock.h"
#include "proc/seq_file.h"
#include "tcp/tcp.h"

#define TCP_LINE_WIDTH 149

/* What a line shows of an entry, whatever it is. */
struct tcp_line {
	u8 state;
	u32 tx_queue, rx_queue;
	u32 timer; /* 1 retransmission, 2 keepalive, 3 TIME-WAIT, 4 zero-window probe; 0: none */
	u64 when; /* jiffies until it fires */
	u32 retrnsmt, probes;
};

static void seq_inet_addr(struct seq_file *m, const struct inet_addr *a, u8 family)
{
	u32 words = family == AF_INET6 ? 4 : 1;

	for (u32 i = 0; i < words; i++) {
		u8 b[4];

		store_be32(b, a->w[i]);
		seq_hex(m, get_le32(b), 8, true);
	}
}

static void seq_endpoint(struct seq_file *m, const struct inet_addr *a, u8 family, u16 port)
{
	seq_inet_addr(m, a, family);
	seq_putc(m, ':');
	seq_hex(m, port, 4, true);
	seq_putc(m, ' ');
}

static u64 jiffies_left(const struct host *h, u64 at)
{
	u64 now = jiffies(h);

	return at > now ? at - now : 0;
}

static u64 timer_left(const struct host *h, const struct timer *t)
{
	u64 now = h->world->now;

	return timer_pending(t) && t->event.time > now ? (t->event.time - now) / NSEC_PER_MSEC : 0;
}

/* get_tcp4_sock() */
static void sock_line(struct sock_common *skc, struct tcp_line *l)
{
	struct sock *sk = inet_sk_of(skc);
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	l->state = sk->sk_state;
	if (sk->sk_state == TCP_LISTEN) {
		l->rx_queue = icsk->icsk_accept_queue.ack_backlog;
		return;
	}
	l->tx_queue = tp->write_seq - tp->snd_una;
	l->rx_queue = after(tp->rcv_nxt, tp->copied_seq) ? tp->rcv_nxt - tp->copied_seq : 0;
	l->retrnsmt = icsk->icsk_retransmits;
	l->probes = icsk->icsk_probes_out;
	if (icsk->icsk_pending == ICSK_TIME_PROBE0)
		l->timer = 4;
	else if (icsk->icsk_pending)
		l->timer = 1;
	else if (icsk->icsk_keepalive_timeout)
		l->timer = 2;
	if (l->timer)
		l->when = jiffies_left(sk->net->host, l->timer == 2 ? icsk->icsk_keepalive_timeout :
								      icsk->icsk_timeout);
}

static void entry_line(struct sock_common *skc, struct tcp_line *l)
{
	*l = (struct tcp_line){ 0 };
	switch (skc->skc_kind) {
	case SKC_TIMEWAIT:
		l->state = inet_twsk(skc)->tw_substate;
		l->timer = 3;
		l->when = timer_left(skc->skc_net->host, &inet_twsk(skc)->tw_timer);
		break;
	case SKC_REQUEST:
		l->state = TCP_SYN_RECV;
		l->timer = 1;
		l->retrnsmt = container_of(skc, struct request_sock, skc)->num_timeout;
		break;
	default:
		sock_line(skc, l);
	}
}

static void tcp_seq_show(struct seq_file *m, struct sock_common *skc, u32 num)
{
	struct tcp_line l;

	entry_line(skc, &l);
	seq_u64(m, num, 4);
	seq_puts(m, ": ");
	seq_endpoint(m, &skc->skc_rcv_saddr, skc->skc_family, skc->skc_num);
	seq_endpoint(m, &skc->skc_daddr, skc->skc_family, skc->skc_dport);
	seq_hex(m, l.state, 2, true);
	seq_putc(m, ' ');
	seq_hex(m, l.tx_queue, 8, true);
	seq_putc(m, ':');
	seq_hex(m, l.rx_queue, 8, true);
	seq_putc(m, ' ');
	seq_hex(m, l.timer, 2, true);
	seq_putc(m, ':');
	/* clock_t: 100 a second */
	seq_hex(m, l.when / (HZ / 100), 8, true);
	seq_putc(m, ' ');
	seq_hex(m, l.retrnsmt, 8, true);
	seq_puts(m, "     0 ");
	seq_u64(m, l.probes, 8);
	seq_puts(m, " 0 1 0000000000000000");
	seq_pad(m, TCP_LINE_WIDTH);
	seq_line(m);
}

/* tcp_seq_next(): all entries of a table that are of the family. */
static u32 show_table(struct seq_file *m, const struct inet_htable *t, const struct net *net,
		      u8 family, u32 num)
{
	for (u32 i = 0; t->heads && i <= t->mask; i++) {
		hlist_for_each(n, &t->heads[i])
		{
			struct sock_common *skc = container_of(n, struct sock_common, skc_node);

			if (skc->skc_net == net && skc->skc_family == family)
				tcp_seq_show(m, skc, num++);
		}
	}
	return num;
}

static void show_all(struct seq_file *m, const struct net *net, u8 family)
{
	const struct inet_hashinfo *hi = net->host->tcp_hashinfo;
	u32 num;

	if (!hi)
		return;
	num = show_table(m, &hi->lhash2, net, family, 0);
	show_table(m, &hi->ehash, net, family, num);
}

void proc_net_tcp(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		    "uid  timeout inode");
	seq_pad(m, TCP_LINE_WIDTH);
	seq_line(m);
	show_all(m, net, AF_INET);
}

void proc_net_tcp6(struct seq_file *m, const struct net *net)
{
	seq_puts(
		m,
		"  sl  local_address                         remote_address                        "
		"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
	show_all(m, net, AF_INET6);
}
