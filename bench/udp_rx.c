/* SPDX-License-Identifier: MIT */
/*
 * The receive path, frame by frame: from the wire's end through the NIC's ring, interrupt, NAPI,
 * softirq, netif_receive_skb, IPv4 and UDP to the socket, and on to the reader. Checksums are
 * verified in software. Frames come in bursts that fit the ring, as from a busy wire.
 *
 * The variants show what a frame pays for what it has no business with: a thousand other devices, a
 * million routes, a hundred thousand neighbours, hooks of netfilter for IPv6.
 */
#include "bench.h"

#include "core/neighbour.h"
#include "kernel/host.h"
#include "kernel/world.h"
#include "netfilter/nf_hooks.h"
#include "netns/net.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/world.h"
#include "sut/sut.h"

#define BURST  64u
#define ROUNDS 4000u

static const u8 mac[6] = { 2, 0, 0, 0, 0, 1 };
static const u8 addr[4] = { 192, 0, 2, 1 };

static s64 apply(struct world *w, const struct op *op, const char *what)
{
	s64 r = world_apply(w, op);

	bench_check(r >= 0, what);
	return r;
}

static void build(struct world *w)
{
	struct op op = { .kind = OP_WIRE_ADD };

	apply(w, &op, "wire");
	op = (struct op){ .kind = OP_HOST_ADD };
	op.u.host_add.cpus = 1;
	apply(w, &op, "host");
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.mac = (struct op_bytes){ mac, 6 };
	apply(w, &op, "nic");
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.ifindex = 2;
	apply(w, &op, "attach");
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	apply(w, &op, "link up");
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ addr, 4 };
	apply(w, &op, "address");
	/* The peer has nothing like it, and it is of no use to datagrams that nobody merges. */
	op = (struct op){ .kind = OP_NIC_SET };
	op.u.nic_set.ifindex = 2;
	op.u.nic_set.param = NIC_PARAM_GRO;
	apply(w, &op, "gro off");
}

static s64 call(struct world *w, struct sys_op *op)
{
	bench_check(sys_submit(w, op) == 0, "submit");
	if (!op->completed)
		world_run(w, world_now(w));
	bench_check(op->completed, "a call did not complete");
	return op->ret;
}

static s32 server(struct world *w)
{
	struct sys_op op = { .nr = SYS_SOCKET, .fd = -1, .timeout_ns = TIME_NEVER };
	s32 fd;

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_DGRAM;
	fd = (s32)call(w, &op);
	bench_check(fd >= 0, "socket");
	op = (struct sys_op){
		.nr = SYS_BIND, .fd = fd, .has_addr = true, .timeout_ns = TIME_NEVER
	};
	op.addr.family = AF_INET;
	op.addr.port = 7;
	bench_check(call(w, &op) == 0, "bind");
	return fd;
}

/* ---- what else a host may have ---- */

static void devices(struct world *w)
{
	for (u32 i = 0; i < 1000; i++) {
		struct op op = { .kind = OP_NIC_ADD };

		op.u.nic_add.queues = 1;
		op.u.nic_add.mtu = 1500;
		apply(w, &op, "another nic");
	}
}

static void routes(struct world *w)
{
	static const u8 gateway[4] = { 192, 0, 2, 2 };

	for (u32 i = 0; i < 1000000; i++) {
		struct op op = { .kind = OP_ROUTE_ADD };
		be32 dst = htonl(0x10000000 + i * 16);

		op.u.route_add.prefix_len = 28;
		op.u.route_add.oif = 2;
		op.u.route_add.dst = (struct op_bytes){ (const u8 *)&dst, 4 };
		op.u.route_add.gateway = (struct op_bytes){ gateway, 4 };
		apply(w, &op, "route");
	}
}

static void neighbours(struct world *w)
{
	struct host *h = w->hosts[0];
	struct neigh_table *tbl = h->arp_tbl;

	tbl->gc_thresh1 = tbl->gc_thresh2 = tbl->gc_thresh3 = UINT32_MAX;
	for (u32 i = 0; i < 100000; i++) {
		be32 key = htonl(0x20000000 + i);
		struct neighbour *n = neigh_create(tbl, &key, dev_get_by_index(h->init_net, 2));

		bench_check(n != NULL, "neighbour");
		neigh_release(n);
	}
}

static u32 accept_all(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	(void)priv;
	(void)skb;
	(void)state;
	return NF_ACCEPT;
}

static void hooks(struct world *w)
{
	static char owner[64];

	for (u32 i = 0; i < 64; i++) {
		struct nf_hook_ops ops = {
			.hook = accept_all, .priv = &owner[i], .pf = AF_INET6, .hooknum = i % 2
		};

		bench_check(nf_register_net_hook(w->hosts[0]->init_net, &ops) == 0, "hook");
	}
}

static void run(const char *name, u32 len, void (*crowd)(struct world *w))
{
	const struct world_config config = { .seed = 1 };
	struct sut *s = sut_tapline.create(&config, NULL, NULL);
	struct world *w = sut_tapline_world(s);
	struct op frame = { .kind = OP_FRAME };
	u8 bytes[1514], out[2048];
	double in = 0, read = 0;
	char reader[64];
	s32 fd;

	build(w);
	if (crowd)
		crowd(w);
	fd = server(w);
	bench_udp_frame(bytes, len, mac);
	frame.u.frame.end = 1;
	frame.u.frame.flags = FRAME_NO_DELAY;
	frame.u.frame.bytes = (struct op_bytes){ bytes, len };
	for (u32 r = 0; r < ROUNDS; r++) {
		double t0 = bench_now_ns(), t1;

		for (u32 i = 0; i < BURST; i++)
			world_apply(w, &frame);
		world_run(w, world_now(w) + 100000);
		t1 = bench_now_ns();
		for (u32 i = 0; i < BURST; i++) {
			struct sys_op op = { .nr = SYS_RECVMSG,
					     .fd = fd,
					     .timeout_ns = TIME_NEVER };

			op.arg[0] = MSG_DONTWAIT;
			op.data = out;
			op.data_len = sizeof(out);
			bench_check(call(w, &op) == (s64)len - 42, "a datagram is missing");
		}
		if (r < ROUNDS / 10)
			continue; /* warm-up */
		in += t1 - t0;
		read += bench_now_ns() - t1;
	}
	bench_check(memcmp(out, bytes + 42, len - 42) == 0, "payload differs");
	bench_print(name, in / (ROUNDS - ROUNDS / 10) / BURST, "ns/frame");
	snprintf(reader, sizeof(reader), "udp_rx_%u_to_reader", len);
	if (!crowd)
		bench_print(reader, (in + read) / (ROUNDS - ROUNDS / 10) / BURST, "ns/frame");
	sut_tapline.destroy(s, NULL);
}

static const struct row {
	u32 len;
	const char *variant;
	void (*crowd)(struct world *w);
} rows[] = {
	{ 64, "", NULL },
	{ 1514, "", NULL },
	{ 64, "_1000_devices", devices },
	{ 64, "_1000000_routes", routes },
	{ 64, "_100000_neighbours", neighbours },
	{ 64, "_other_hooks", hooks },
};

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "udp_rx_64_to_socket udp_rx_64_to_reader udp_rx_1514_to_socket "
		   "udp_rx_1514_to_reader udp_rx_64_to_socket_1000_devices "
		   "udp_rx_64_to_socket_1000000_routes "
		   "udp_rx_64_to_socket_100000_neighbours udp_rx_64_to_socket_other_hooks ");

	u32 ran = 0;

	for (u32 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "udp_rx_%u_to_socket%s", rows[i].len, rows[i].variant);
		if (!bench_wanted(argc, argv, name))
			continue;
		run(name, rows[i].len, rows[i].crowd);
		ran++;
	}
	bench_check(ran != 0, "there is no such row: udp_rx_64_to_socket, ...");
	return 0;
}
