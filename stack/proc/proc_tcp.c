/* SPDX-License-Identifier: MIT */
/*
 * Views of TCP's sockets and of the sockets of a host: /proc/net/tcp, tcp6, sockstat, in the
 * kernel's formats (net/ipv4/tcp_ipv4.c: tcp4_seq_show; net/ipv6/tcp_ipv6.c; net/ipv4/proc.c:
 * sockstat_seq_show).
 * Addresses as eight hex digits are those of a little endian machine, whatever this one is; a
 * socket has no inode and no address that would be the same everywhere: these are 0. Times are in
 * hundredths of a second (USER_HZ).
 *
 * Listeners come first, then connections and requests and TIME-WAIT sockets, in the order of their
 * tables, which is the same for the same seed.
 */
#include "inet/inet_timewait_sock.h"
#include "ipv4/ip_fragment.h"
#include "proc/proc_tcp.h"
#include "tcp/tcp.h"
#include "udp/udp.h"

#define PAGE_SIZE  4096u
#define TCP4_WIDTH 149u

/* The column "tr": which timer runs. */
enum { TR_NONE, TR_RETRANSMIT, TR_KEEPALIVE, TR_TIMEWAIT, TR_PROBE0 };

static u64 clock_t_of(u64 jiffies)
{
	return jiffies / 10;
}

static u64 until(const struct net *net, u64 timeout)
{
	u64 now = jiffies(net->host);

	return timeout > now ? clock_t_of(timeout - now) : 0;
}

/* Until the timer fires, in jiffies rounded up. */
static u64 timer_left(const struct net *net, const struct event *ev)
{
	u64 now = net_world(net)->now;

	if (!event_armed(ev) || ev->time <= now)
		return 0;
	return clock_t_of((ev->time - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

static void endpoint(struct seq_file *m, u8 family, const struct inet_addr *addr, u16 port)
{
	for (u32 i = 0; i < (family == AF_INET6 ? 4 : 1); i++)
		seq_addr(m, addr->w[i]);
	seq_putc(m, ':');
	seq_hex(m, port, 4, true);
	seq_putc(m, ' ');
}

/* "   0: LOCAL:PORT REMOTE:PORT ST " */
static void line_begin(struct seq_file *m, u32 number, const struct sock_common *skc, u8 state)
{
	const struct inet_addr laddr = skc_rcv_saddr(skc), faddr = skc_daddr(skc);

	seq_u64(m, number, 4);
	seq_puts(m, ": ");
	endpoint(m, skc->skc_family, &laddr, skc->skc_num);
	endpoint(m, skc->skc_family, &faddr, skc->skc_dport);
	seq_hex(m, state, 2, true);
	seq_putc(m, ' ');
}

static void queues(struct seq_file *m, u32 tx, u32 rx)
{
	seq_hex(m, tx, 8, true);
	seq_putc(m, ':');
	seq_hex(m, rx, 8, true);
	seq_putc(m, ' ');
}

/* Timer, how long it still runs, retransmissions, uid, probes, inode. */
static void timers(struct seq_file *m, u32 which, u64 left, u32 retransmits, u32 probes)
{
	seq_hex(m, which, 2, true);
	seq_putc(m, ':');
	seq_hex(m, left, 8, true);
	seq_putc(m, ' ');
	seq_hex(m, retransmits, 8, true);
	seq_putc(m, ' ');
	seq_u64(m, 0, 5);
	seq_putc(m, ' ');
	seq_u64(m, probes, 8);
	seq_puts(m, " 0 ");
}

static void references(struct seq_file *m, u32 count)
{
	seq_u64(m, count, 0);
	seq_puts(m, " 0000000000000000");
}

static u32 running_timer(const struct sock *sk, u64 *left)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	*left = 0;
	switch (icsk->icsk_pending) {
	case ICSK_TIME_RETRANS:
	case ICSK_TIME_REO_TIMEOUT:
	case ICSK_TIME_LOSS_PROBE:
		*left = until(sk->net, inet_csk_jiffies(sk, icsk->icsk_timeout));
		return TR_RETRANSMIT;
	case ICSK_TIME_PROBE0:
		*left = until(sk->net, inet_csk_jiffies(sk, icsk->icsk_timeout));
		return TR_PROBE0;
	default:
		break;
	}
	if (!icsk->icsk_keepalive_timeout)
		return TR_NONE;
	*left = until(sk->net, inet_csk_jiffies(sk, icsk->icsk_keepalive_timeout));
	return TR_KEEPALIVE;
}

u32 proc_tcp_receive_queue(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 waiting = tp->rcv_nxt - tp->copied_seq;

	if (sk->sk_state == TCP_LISTEN)
		return inet_csk(sk)->icsk_accept_queue->ack_backlog;
	return waiting >> 31 ? 0 : waiting;
}

/* get_tcp4_sock */
static void sock_line(struct seq_file *m, u32 number, const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	bool listens = sk->sk_state == TCP_LISTEN;
	u64 left;
	u32 timer = running_timer(sk, &left);

	line_begin(m, number, &icsk->icsk_common, sk->sk_state);
	queues(m, listens ? 0 : tp->write_seq - tp->snd_una, proc_tcp_receive_queue(sk));
	timers(m, timer, left, icsk->icsk_retransmits, icsk->icsk_probes_out);
	references(m, sk->refcnt);
	seq_putc(m, ' ');
	seq_u64(m, clock_t_of(icsk->icsk_rto), 0);
	seq_putc(m, ' ');
	seq_u64(m, clock_t_of(icsk->icsk_ack.ato), 0);
	seq_putc(m, ' ');
	seq_u64(m, (u32)icsk->icsk_ack.quick << 1 | inet_csk_in_pingpong_mode(sk), 0);
	seq_putc(m, ' ');
	seq_u64(m, tp->snd_cwnd, 0);
	seq_putc(m, ' ');
	if (listens)
		seq_u64(m, icsk->icsk_accept_queue->fastopenq.max_qlen, 0);
	else if (tcp_in_initial_slowstart(tp))
		seq_puts(m, "-1");
	else
		seq_u64(m, tp->snd_ssthresh, 0);
}

/* get_openreq4 */
static void request_line(struct seq_file *m, u32 number, const struct request_sock *req)
{
	line_begin(m, number, &req->skc, TCP_SYN_RECV);
	queues(m, 0, 0);
	timers(m, TR_RETRANSMIT, timer_left(req->skc.skc_net, &req->rsk_timer), req->num_timeout,
	       0);
	references(m, 0);
}

/* get_timewait4_sock */
static void timewait_line(struct seq_file *m, u32 number, const struct inet_timewait_sock *tw)
{
	line_begin(m, number, &tw->tw_common, tw->tw_substate);
	queues(m, 0, 0);
	timers(m, TR_TIMEWAIT, timer_left(tw->tw_common.skc_net, &tw->tw_timer), 0, 0);
	references(m, 1);
}

static void table_walk(const struct inet_htable *t, const struct net *net, tcp_entry_fn fn,
		       void *ctx)
{
	for (u32 i = 0; t->heads && i <= t->mask; i++) {
		hlist_for_each(pos, &t->heads[i])
		{
			struct sock_common *skc = container_of(pos, struct sock_common, skc_node);

			if (skc->skc_net == net)
				fn(ctx, skc);
		}
	}
}

void proc_tcp_walk(const struct net *net, tcp_entry_fn fn, void *ctx)
{
	const struct inet_hashinfo *hi = inet_hashinfo_of(net);

	table_walk(&hi->lhash2, net, fn, ctx);
	table_walk(&hi->ehash, net, fn, ctx);
}

struct lines {
	struct seq_file *m;
	u32 number;
	u8 family;
};

static void tcp_line(void *ctx, struct sock_common *skc)
{
	struct lines *l = ctx;

	if (skc->skc_family != l->family)
		return;
	switch (skc->skc_kind) {
	case SKC_TIMEWAIT:
		timewait_line(l->m, l->number, inet_twsk(skc));
		break;
	case SKC_REQUEST:
		request_line(l->m, l->number, inet_reqsk(skc));
		break;
	default:
		sock_line(l->m, l->number, inet_sk_of(skc));
		break;
	}
	l->number++;
	if (l->family == AF_INET)
		seq_pad(l->m, TCP4_WIDTH);
	seq_line(l->m);
}

static void all_lines(struct seq_file *m, const struct net *net, u8 family)
{
	struct lines l = { .m = m, .family = family };

	proc_tcp_walk(net, tcp_line, &l);
}

void proc_net_tcp(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		    "uid  timeout inode");
	seq_pad(m, TCP4_WIDTH);
	seq_line(m);
	all_lines(m, net, AF_INET);
}

void proc_net_tcp6(struct seq_file *m, const struct net *net)
{
	seq_puts(
		m,
		"  sl  local_address                         remote_address                        "
		"st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
	all_lines(m, net, AF_INET6);
}

/* ---- sockstat ---- */

struct tally {
	u32 inuse, timewait;
};

/* Those of AF_INET6 are counted apart (tcpv6_prot), TIME-WAIT together. */
static void count_tcp(void *ctx, struct sock_common *skc)
{
	struct tally *t = ctx;

	if (skc->skc_kind == SKC_TIMEWAIT)
		t->timewait++;
	else if (skc->skc_kind != SKC_REQUEST)
		t->inuse += inet_sk_of(skc)->family == AF_INET;
}

static void count_udp(void *ctx, const struct sock *sk)
{
	u32 *n = ctx;

	(void)sk;
	++*n;
}

static void number(struct seq_file *m, const char *name, u64 value)
{
	seq_puts(m, name);
	seq_u64(m, value, 0);
}

/* Pages that the host's sockets hold, as far as its CPUs have told (core/sock_mem.h). */
static u64 proto_memory_allocated(const struct net *net, enum proto_mem_kind kind)
{
	s64 pages = net->host->proto_mem[kind].allocated;

	return pages > 0 ? (u64)pages : 0;
}

void proc_net_sockstat(struct seq_file *m, const struct net *net)
{
	const struct inet_hashinfo *hi = inet_hashinfo_of(net);
	struct tally tcp = { 0 };
	u32 udp = 0;

	proc_tcp_walk(net, count_tcp, &tcp);
	udp_table_walk(net, count_udp, &udp);
	number(m, "sockets: used ", net->sock_inuse);
	number(m, "\nTCP: inuse ", tcp.inuse);
	number(m, " orphan ", (u64)hi->orphan_count);
	number(m, " tw ", tcp.timewait);
	number(m, " alloc ", net->tcp_sock_inuse);
	number(m, " mem ", proto_memory_allocated(net, PROTO_MEM_TCP));
	number(m, "\nUDP: inuse ", udp);
	number(m, " mem ", proto_memory_allocated(net, PROTO_MEM_UDP));
	seq_puts(m, "\nUDPLITE: inuse 0\nRAW: inuse 0");
	number(m, "\nFRAG: inuse ", ip_frag_queues(net));
	number(m, " memory ", ip_frag_mem(net));
	seq_line(m);
}

/* ---- protocols, sockstat6 ---- */

static void count_tcp6(void *ctx, struct sock_common *skc)
{
	u32 *n = ctx;

	if (skc->skc_kind != SKC_TIMEWAIT && skc->skc_kind != SKC_REQUEST)
		*n += inet_sk_of(skc)->family == AF_INET6;
}

static u32 tcp6_inuse(const struct net *net)
{
	u32 tcp = 0;

	proc_tcp_walk(net, count_tcp6, &tcp);
	return tcp;
}

void proc_net_sockstat6(struct seq_file *m, const struct net *net)
{
	number(m, "TCP6: inuse ", tcp6_inuse(net));
	seq_puts(m, "\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n");
}

/* One line; sizes are Linux 6.18's on x86-64. */
struct protocol {
	const char *name;
	u32 size;
	enum proto_mem_kind memory;
	u32 max_header;
	const char *slab;
	const char *calls; /* those that the protocol has are marked y */
};

static void protocol_memory(struct seq_file *m, const struct net *net, const struct protocol *p)
{
	bool knows_pressure = p->memory == PROTO_MEM_TCP;
	bool pressure = net->host->proto_mem[p->memory].pressure != 0;

	if (p->memory == PROTO_MEM_NONE)
		seq_puts(m, "     -1");
	else
		seq_u64(m, proto_memory_allocated(net, p->memory), 7);
	seq_puts(m, "   ");
	seq_str_left(m, !knows_pressure ? "NI" : pressure ? "yes" : "no", 3);
}

static void protocol_line(struct seq_file *m, const struct net *net, const struct protocol *p,
			  u64 sockets)
{
	seq_str_left(m, p->name, 9);
	seq_putc(m, ' ');
	seq_u64(m, p->size, 4);
	seq_putc(m, ' ');
	seq_u64(m, sockets, 6);
	seq_putc(m, ' ');
	protocol_memory(m, net, p);
	seq_putc(m, ' ');
	seq_u64(m, p->max_header, 6);
	seq_puts(m, "   ");
	seq_str_left(m, p->slab, 3);
	seq_puts(m, "  kernel      ");
	seq_puts(m, p->calls);
	seq_line(m);
}

void proc_net_protocols(struct seq_file *m, const struct net *net)
{
	static const struct protocol
		packet = { "PACKET", 1600, PROTO_MEM_NONE,
			   0,	     "no", "n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n  n" },
		udp = { "UDP", 1344,  PROTO_MEM_UDP,
			0,     "yes", "y  y  y  n  y  y  y  n  y  y  y  y  n  n  y  y  y  n" },
		tcp6 = { "TCPv6",	2432,
			 PROTO_MEM_TCP, MAX_TCP_HEADER,
			 "yes",		"y  y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y" },
		tcp = { "TCP",	       2304,
			PROTO_MEM_TCP, MAX_TCP_HEADER,
			"yes",	       "y  y  y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y" };
	const struct inet_hashinfo *hi = inet_hashinfo_of(net);
	struct tally tcps = { 0 };
	u32 packets = 0, udps = 0;

	table_walk(&hi->lhash2, net, count_tcp, &tcps);
	table_walk(&hi->ehash, net, count_tcp, &tcps);
	list_for_each(pos, &net->packet_sklist)
		packets++;
	udp_table_walk(net, count_udp, &udps);
	seq_puts(
		m,
		"protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de "
		"sh ss gs se re bi br ha uh gp em\n");
	protocol_line(m, net, &packet, packets);
	protocol_line(m, net, &tcp6, tcp6_inuse(net));
	protocol_line(m, net, &udp, udps);
	protocol_line(m, net, &tcp, tcps.inuse);
}
