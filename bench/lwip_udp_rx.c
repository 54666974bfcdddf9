/* SPDX-License-Identifier: MIT */
/*
 * The same frames through Debian's liblwip, single threaded: a copy into a pbuf (the stand-in for
 * DMA), ethernet_input, IPv4, UDP with its checksum, the receive callback, which frees. Frames must
 * be PBUF_RAM: the distribution's pool elements are smaller than it believes.
 */
#include "bench.h"

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>

#define BURST  64u
#define ROUNDS 4000u

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
static unsigned received;
static int copy; /* to a reader's buffer, as recv() does; else the callback is the end */
static uint8_t last[2048];

static err_t link_output(struct netif *netif, struct pbuf *p)
{
	(void)netif;
	(void)p;
	return ERR_OK;
}

static err_t netif_start(struct netif *netif)
{
	netif->hwaddr_len = 6;
	memcpy(netif->hwaddr, mac, 6);
	netif->mtu = 1500;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	netif->output = etharp_output;
	netif->linkoutput = link_output;
	return ERR_OK;
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
			u16_t port)
{
	(void)arg;
	(void)pcb;
	(void)from;
	(void)port;
	received++;
	if (copy)
		pbuf_copy_partial(p, last, p->tot_len, 0);
	pbuf_free(p);
}

static void run(struct netif *netif, uint16_t len)
{
	uint8_t bytes[1514];
	double total = 0;
	char name[64];

	bench_udp_frame(bytes, len, mac);
	received = 0;
	for (unsigned r = 0; r < ROUNDS; r++) {
		double t0 = bench_now_ns();

		for (unsigned i = 0; i < BURST; i++) {
			struct pbuf *p = pbuf_alloc(PBUF_RAW, len, PBUF_RAM);

			pbuf_take(p, bytes, len);
			if (netif->input(p, netif) != ERR_OK)
				pbuf_free(p);
		}
		if (r >= ROUNDS / 10)
			total += bench_now_ns() - t0;
	}
	bench_check(received == ROUNDS * BURST, "lwip lost a datagram");
	if (copy)
		bench_check(memcmp(last, bytes + 42, len - 42u) == 0, "payload differs");
	snprintf(name, sizeof(name), "lwip_udp_rx_%u_to_%s", len, copy ? "reader" : "socket");
	bench_print(name, total / (ROUNDS - ROUNDS / 10) / BURST, "ns/frame");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "lwip_udp_rx_64_to_socket lwip_udp_rx_1514_to_socket "
		   "lwip_udp_rx_64_to_reader lwip_udp_rx_1514_to_reader ");

	static struct netif netif;
	ip4_addr_t addr, mask, gw;
	struct udp_pcb *pcb;

	lwip_init();
	IP4_ADDR(&addr, 192, 0, 2, 1);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gw, 0, 0, 0, 0);
	netif_add(&netif, &addr, &mask, &gw, NULL, netif_start, ethernet_input);
	netif_set_up(&netif);
	pcb = udp_new();
	bench_check(pcb && udp_bind(pcb, IP_ADDR_ANY, 7) == ERR_OK, "lwip udp_bind");
	udp_recv(pcb, on_datagram, NULL);
	for (copy = 0; copy <= 1; copy++) {
		run(&netif, 64);
		run(&netif, 1514);
	}
	return 0;
}
