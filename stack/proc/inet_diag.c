/* SPDX-License-Identifier: MIT */
/*
 * What ss(8) asks the kernel for over netlink (net/ipv4/inet_diag.c, tcp_diag.c): a line a socket,
 * those of /proc/net/tcp and then those of /proc/net/udp, in their order:
 *
 *   RQUEUE WQUEUE MEMINFO CONG TCP_INFO
 *
 * MEMINFO: the nine numbers of SO_MEMINFO between commas. CONG: the congestion control; UDP has
 * "-". TCP_INFO: its bytes as hex, or "-". What is no whole socket (a request, TIME-WAIT) is "0 0 -
 * - -".
 */
#include "proc/proc_tcp.h"
#include "stack/tcp.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_user.h"
#include "udp/udp.h"

/* RQUEUE WQUEUE MEMINFO */
static void diag_memory(struct seq_file *m, const struct sock *sk, u32 rqueue, u32 wqueue)
{
	u32 mem[SK_MEMINFO_VARS];

	seq_u64(m, rqueue, 0);
	seq_putc(m, ' ');
	seq_u64(m, wqueue, 0);
	sk_get_meminfo(sk, mem);
	for (u32 i = 0; i < SK_MEMINFO_VARS; i++) {
		seq_putc(m, i ? ',' : ' ');
		seq_u64(m, mem[i], 0);
	}
}

/* inet_csk_diag_fill: of a listener, those that wait for accept() and how many may. */
static void diag_tcp(struct seq_file *m, struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 info[TCP_INFO_SIZE];

	diag_memory(m, sk, proc_tcp_receive_queue(sk),
		    sk->sk_state == TCP_LISTEN ? icsk->icsk_accept_queue->max_ack_backlog :
						 tp->write_seq - tp->snd_una);
	seq_putc(m, ' ');
	seq_puts(m, icsk->icsk_ca_ops->name);
	seq_putc(m, ' ');
	tcp_get_info(sk, info);
	for (u32 i = 0; i < sizeof(info); i++)
		seq_hex(m, info[i], 2, false);
}

static void tcp_entry(void *ctx, struct sock_common *skc)
{
	struct seq_file *m = ctx;

	if (skc->skc_family != AF_INET)
		return;
	if (skc->skc_kind == SKC_TIMEWAIT || skc->skc_kind == SKC_REQUEST)
		seq_puts(m, "0 0 - - -");
	else
		diag_tcp(m, inet_sk_of(skc));
	seq_line(m);
}

static void udp_entry(void *ctx, const struct sock *sk)
{
	struct seq_file *m = ctx;

	diag_memory(m, sk, sk->sk_rmem_alloc, sk->sk_wmem_alloc);
	seq_puts(m, " - -");
	seq_line(m);
}

void inet_diag(struct seq_file *m, const struct net *net)
{
	proc_tcp_walk(net, tcp_entry, m);
	udp_table_walk(net, udp_entry, m);
}
