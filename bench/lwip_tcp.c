/* SPDX-License-Identifier: MIT */
/*
 * The TCP benchmarks through Debian's liblwip: one stack with two interfaces, each the far end of
 * the other; every frame is copied into a pbuf on its way (the stand-in for DMA) and waits in a
 * queue for its turn. Each interface's network is its own, with the other end as the gateway, and
 * the PCBs are bound to their interface, or lwIP would hand over packets inside. The clock is ours
 * (sys_now); frames must be PBUF_RAM.
 */
#include "bench.h"

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <malloc.h>
#include <netif/ethernet.h>

#define TOTAL	    (64u << 20)
#define QUEUE	    4096u
#define CONNECTIONS 4000u
#define BATCH	    16u /* connections between two rests, in which TIME-WAIT ends */
#define IDLE	    2000u

static struct netif netif[2];
static struct {
	struct pbuf *frame[QUEUE];
	struct netif *to[QUEUE];
	unsigned head, tail;
} wire;
static u32_t clock_ms;

u32_t sys_now(void);
u32_t sys_now(void)
{
	return clock_ms;
}

static err_t link_output(struct netif *from, struct pbuf *p)
{
	struct pbuf *copy = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);

	bench_check(copy != NULL && pbuf_copy(copy, p) == ERR_OK, "lwip pbuf");
	bench_check(wire.head - wire.tail < QUEUE, "the wire is full");
	wire.frame[wire.head % QUEUE] = copy;
	wire.to[wire.head++ % QUEUE] = from == &netif[0] ? &netif[1] : &netif[0];
	return ERR_OK;
}

static int wire_step(void)
{
	struct netif *to = wire.to[wire.tail % QUEUE];
	struct pbuf *p = wire.frame[wire.tail % QUEUE];

	if (wire.head == wire.tail)
		return 0;
	wire.tail++;
	if (to->input(p, to) != ERR_OK)
		pbuf_free(p);
	return 1;
}

static void rest(u32_t ms)
{
	for (u32_t end = clock_ms + ms; clock_ms < end;) {
		clock_ms += 250;
		sys_check_timeouts();
		while (wire_step())
			;
	}
}

static err_t netif_start(struct netif *n)
{
	n->hwaddr_len = 6;
	memset(n->hwaddr, 0, 6);
	n->hwaddr[0] = 2;
	n->hwaddr[5] = (uint8_t)(1 + (n - netif));
	n->mtu = 1500;
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	n->output = etharp_output;
	n->linkoutput = link_output;
	return ERR_OK;
}

static void netif_make(int i)
{
	ip4_addr_t addr, mask, gw;

	IP4_ADDR(&addr, 10, 0, i, 1);
	IP4_ADDR(&gw, 10, 0, !i, 1);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	netif_add(&netif[i], &addr, &mask, &gw, NULL, netif_start, ethernet_input);
	netif_set_up(&netif[i]);
}

/* ---- the applications ---- */

static struct tcp_pcb *accepted;
static int connected;
static uint64_t received, sent, total;
static uint8_t out[65536], in[65536];

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (!p) {
		accepted = NULL;
		return tcp_close(pcb);
	}
	pbuf_copy_partial(p, in, p->tot_len, 0);
	received += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)err;
	accepted = pcb;
	tcp_recv(pcb, on_recv);
	return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)pcb;
	bench_check(err == ERR_OK, "lwip connect");
	connected = 1;
	return ERR_OK;
}

/* Writes as much as the send buffer holds. */
static void fill(struct tcp_pcb *pcb)
{
	while (sent < total) {
		size_t room = tcp_sndbuf(pcb), at = sent % sizeof(out), n = sizeof(out) - at;

		n = n < room ? n : room;
		n = n < total - sent ? n : (size_t)(total - sent);
		if (!n || tcp_write(pcb, out + at, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
			break;
		sent += n;
	}
	tcp_output(pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	(void)arg;
	(void)len;
	fill(pcb);
	return ERR_OK;
}

static struct tcp_pcb *open_one(void)
{
	struct tcp_pcb *pcb = tcp_new();
	ip_addr_t to = netif[1].ip_addr;

	bench_check(pcb != NULL, "lwip tcp_new");
	tcp_bind_netif(pcb, &netif[0]);
	connected = 0;
	accepted = NULL;
	bench_check(tcp_connect(pcb, &to, 80, on_connected) == ERR_OK, "lwip tcp_connect");
	while (wire_step())
		;
	bench_check(connected && accepted, "lwip: no connection");
	return pcb;
}

static void close_one(struct tcp_pcb *pcb)
{
	tcp_sent(pcb, NULL);
	bench_check(tcp_close(pcb) == ERR_OK, "lwip tcp_close");
	while (wire_step())
		;
	bench_check(!accepted, "lwip: the other end is open still");
}

/* ---- the rows ---- */

static void transfer(struct tcp_pcb *pcb, uint64_t bytes)
{
	sent = received = 0;
	total = bytes;
	fill(pcb);
	/* A delayed ACK waits for the timer when the wire is silent. */
	while (received < total)
		if (!wire_step())
			rest(250);
	rest(500);
}

static void bulk(void)
{
	struct tcp_pcb *pcb = open_one();
	double t0;

	tcp_sent(pcb, on_sent);
	transfer(pcb, TOTAL / 8);
	t0 = bench_now_ns();
	transfer(pcb, TOTAL);
	bench_print("lwip_tcp_bulk_segment", (bench_now_ns() - t0) / (TOTAL / TCP_MSS),
		    "ns/segment");
	close_one(pcb);
	rest(150000);
}

static void connections(void)
{
	double ns = 0;

	for (unsigned i = 0; i < CONNECTIONS; i += BATCH) {
		double t0 = bench_now_ns();

		for (unsigned k = 0; k < BATCH; k++) {
			struct tcp_pcb *pcb = open_one();

			received = 0;
			bench_check(tcp_write(pcb, out, 1, TCP_WRITE_FLAG_COPY) == ERR_OK &&
					    tcp_output(pcb) == ERR_OK,
				    "lwip tcp_write");
			while (wire_step())
				;
			bench_check(received == 1, "lwip: the byte did not arrive");
			close_one(pcb);
		}
		ns += bench_now_ns() - t0;
		rest(150000);
	}
	bench_print("lwip_tcp_open_use_close", ns / CONNECTIONS, "ns/conn");
}

static void idle(void)
{
	size_t before = mallinfo2().uordblks;

	for (unsigned i = 0; i < IDLE; i++)
		open_one();
	bench_print("lwip_tcp_idle_connection", (double)(mallinfo2().uordblks - before) / IDLE / 2,
		    "bytes/end");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "lwip_tcp_bulk_segment lwip_tcp_open_use_close lwip_tcp_idle_connection ");

	struct tcp_pcb *listener;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	lwip_init();
	netif_make(0);
	netif_make(1);
	listener = tcp_new();
	bench_check(listener && tcp_bind(listener, IP_ADDR_ANY, 80) == ERR_OK, "lwip tcp_bind");
	tcp_bind_netif(listener, &netif[1]);
	listener = tcp_listen(listener);
	tcp_accept(listener, on_accept);
	bulk();
	connections();
	idle();
	return 0;
}
