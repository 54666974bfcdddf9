/* SPDX-License-Identifier: MIT */
/*
 * Flows: which connection of the host a script packet or a frame belongs to, and how its numbers
 * are rebased. The rules are packetdrill's: the script's own numbers hold for the remote side,
 * whose ISN is what its SYN says; after that both sides count from their SYN. The host's ISN is
 * what the first SYN or SYN-ACK of the host carried.
 */
#include "packetdrill/runner.h"

#include <stdlib.h>
#include <string.h>

struct pd_flow *pd_flow_add(struct pd_run *r, int protocol)
{
	struct pd_flow *f = xrealloc(NULL, sizeof(*f));

	*f = (struct pd_flow){ .protocol = protocol, .script_fd = -1, .live_fd = -1 };
	r->flows = xrealloc(r->flows, (r->flow_count + 1) * sizeof(struct pd_flow *));
	r->flows[r->flow_count++] = f;
	return f;
}

struct pd_flow *pd_flow_of_fd(struct pd_run *r, int script_fd)
{
	size_t i;

	for (i = r->flow_count; i--;) {
		if (r->flows[i]->script_fd == script_fd)
			return r->flows[i];
	}
	return NULL;
}

/* -- What calls do -- */

void pd_flow_socket(struct pd_run *r, int script_fd, int live_fd, int type, int protocol)
{
	struct pd_flow *f = pd_flow_add(r, protocol);

	if (!protocol)
		f->protocol = (type & SOCK_TYPE_MASK) == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
	f->script_fd = script_fd;
	f->live_fd = live_fd;
	r->under_test = f;
}

void pd_flow_listen(struct pd_run *r, struct pd_flow *f)
{
	if (!f)
		return;
	f->state = PD_FLOW_LISTENING;
	r->under_test = f;
}

void pd_flow_accept(struct pd_run *r, int script_fd, int live_fd, u16 remote_port)
{
	size_t i;

	for (i = r->flow_count; i--;) {
		struct pd_flow *f = r->flows[i];

		if (f->remote_port != remote_port || f->state < PD_FLOW_SYN_RECEIVED ||
		    f->state > PD_FLOW_SYNACK_ACKED)
			continue;
		f->script_fd = script_fd;
		f->live_fd = live_fd;
		r->under_test = f;
		return;
	}
}

void pd_flow_connect(struct pd_run *r, struct pd_flow *f, const struct sock_addr *a)
{
	if (!f || a->family == AF_UNSPEC || (f->state != PD_FLOW_NEW && f->protocol == IPPROTO_TCP))
		return;
	f->state = PD_FLOW_CONNECTING;
	f->remote_port = a->port;
	r->under_test = f;
}

void pd_flow_close(struct pd_flow *f)
{
	if (f)
		f->script_fd = f->live_fd = -1;
}

/* -- Script packets -- */

static bool is_tcp(const struct pd_packet *p)
{
	return p->kind == PD_PACKET_TCP;
}

/* A SYN to the socket that listened last makes a flow of its own. */
static struct pd_flow *passive_open(struct pd_run *r, const struct pd_packet *p)
{
	struct pd_flow *f = r->under_test;
	u16 local_port;

	if (p->direction != PD_INBOUND || !f || f->state != PD_FLOW_LISTENING)
		return NULL;
	local_port = f->local_port;
	f = pd_flow_add(r, IPPROTO_TCP);
	f->state = PD_FLOW_SYN_RECEIVED;
	f->local_port = local_port ? local_port : r->settings->bind_port;
	f->remote_port = r->next_port++;
	f->remote_isn = p->tcp.seq;
	if (p->has_ports) {
		f->script_ports = true;
		f->script_remote_port = p->src_port;
		f->script_local_port = p->dst_port;
	}
	r->under_test = f;
	return f;
}

/* The first packet out after connect(). */
static struct pd_flow *active_open(struct pd_run *r, const struct pd_packet *p)
{
	size_t i;

	if (p->direction != PD_OUTBOUND)
		return NULL;
	for (i = 0; i < r->flow_count; i++) {
		struct pd_flow *f = r->flows[i];

		if (f->state != PD_FLOW_CONNECTING)
			continue;
		f->state = PD_FLOW_SYN_SENT;
		f->script_local_isn = p->tcp.seq;
		if (p->has_ports) {
			f->script_ports = true;
			f->script_local_port = p->src_port;
			f->script_remote_port = p->dst_port;
		}
		r->under_test = f;
		return f;
	}
	return NULL;
}

/* A packet with ports goes to the flow that had those ports before. */
static struct pd_flow *by_ports(struct pd_run *r, const struct pd_packet *p)
{
	bool in = p->direction == PD_INBOUND;
	u16 local = in ? p->dst_port : p->src_port;
	u16 remote = in ? p->src_port : p->dst_port;
	size_t i;

	for (i = r->flow_count; i--;) {
		struct pd_flow *f = r->flows[i];

		if (f->script_ports && f->script_local_port == local &&
		    f->script_remote_port == remote)
			return f;
	}
	return NULL;
}

struct pd_flow *pd_flow_of_script(struct pd_run *r, const struct pd_packet *p)
{
	struct pd_flow *f = NULL;

	if (p->has_ports && is_tcp(p)) {
		f = by_ports(r, p);
		if (f) {
			r->under_test = f;
			return f;
		}
	}
	if (is_tcp(p))
		f = passive_open(r, p);
	if (!f && is_tcp(p))
		f = active_open(r, p);
	return f ? f : r->under_test;
}

/* -- Frames -- */

static bool same_address(const struct packet_layer *ip, const char *field,
			 const struct pd_address *a)
{
	const struct packet_value *v = packet_get(ip, field);

	return v && memcmp(v->addr, a->bytes, a->v6 ? 16 : 4) == 0;
}

static bool ports_of(const struct packet *p, int protocol, u16 *src, u16 *dst)
{
	int at = packet_find(p, protocol == IPPROTO_UDP ? PACKET_UDP : PACKET_TCP, 0, 0);

	if (at < 0)
		return false;
	*src = (u16)packet_get_uint(p->layer[at], "sport", 0);
	*dst = (u16)packet_get_uint(p->layer[at], "dport", 0);
	return true;
}

/* The SYN of a connect(): now the host's port is known. */
static bool is_its_syn(const struct pd_flow *f, u16 dst)
{
	return (f->state == PD_FLOW_SYN_SENT || f->state == PD_FLOW_CONNECTING) && !f->local_port &&
	       f->remote_port == dst;
}

struct pd_flow *pd_flow_of_frame(struct pd_run *r, const struct packet *p)
{
	int at = packet_find(p, r->settings->local.v6 ? PACKET_IP6 : PACKET_IP, 0, 0);
	u16 src, dst;
	size_t i;

	if (at < 0 || !same_address(p->layer[at], "src", &r->settings->local) ||
	    !same_address(p->layer[at], "dst", &r->settings->remote))
		return NULL;
	if (!ports_of(p, IPPROTO_TCP, &src, &dst) && !ports_of(p, IPPROTO_UDP, &src, &dst))
		return r->under_test; /* ICMP */
	for (i = r->flow_count; i--;) {
		struct pd_flow *f = r->flows[i];

		if (f->local_port == src && f->remote_port == dst && f->state != PD_FLOW_LISTENING)
			return f;
	}
	for (i = r->flow_count; i--;) {
		struct pd_flow *f = r->flows[i];

		if (is_its_syn(f, dst)) {
			f->local_port = src;
			return f;
		}
	}
	return NULL;
}

void pd_flow_injected(struct pd_flow *f, const struct pd_packet *p)
{
	const u16 flags = p->tcp.flags;

	if (!is_tcp(p))
		return;
	if (f->state == PD_FLOW_SYNACK_SENT && (flags & PD_TCP_ACK)) {
		f->state = PD_FLOW_SYNACK_ACKED;
	} else if (f->state == PD_FLOW_SYN_SENT && (flags & PD_TCP_SYN)) {
		/* The first SYN counts, however wrong it is. */
		f->state = PD_FLOW_SYN_ACKED;
		f->remote_isn = p->tcp.seq;
	}
}

/* -- Numbers -- */

u32 pd_local_to_live(const struct pd_flow *f, u32 script, bool syn)
{
	return script - (syn ? f->script_local_isn : 0) + f->live_local_isn;
}

u32 pd_local_to_script(const struct pd_flow *f, u32 live, bool syn)
{
	return live - f->live_local_isn + (syn ? f->script_local_isn : 0);
}

u32 pd_remote_to_live(const struct pd_flow *f, u32 script, bool syn)
{
	return syn ? script : script + f->remote_isn;
}

u32 pd_remote_to_script(const struct pd_flow *f, u32 live, bool syn)
{
	return syn ? live : live - f->remote_isn;
}

void pd_ts_learn(struct pd_flow *f, u32 script, u32 live)
{
	size_t i;

	for (i = 0; i < f->ts_count; i++) {
		if (f->ts[i].script == script) {
			f->ts[i].live = live;
			return;
		}
	}
	f->ts = xrealloc(f->ts, (f->ts_count + 1) * sizeof(*f->ts));
	f->ts[f->ts_count++] = (struct pd_ts){ script, live };
}

/*
 * The echo that the script writes is one of the values that the host has sent, by the script's
 * name for it. One that was never sent keeps its distance from the first (scaled), or is taken as
 * it is.
 */
u32 pd_ts_to_live(const struct pd_run *r, const struct pd_flow *f, u32 script)
{
	size_t i;

	for (i = f->ts_count; i--;) {
		if (f->ts[i].script == script)
			return f->ts[i].live;
	}
	if (!f->ts_count || !script)
		return script;
	if (r->settings->ts_ecr_scaled && r->settings->ts_tick_us)
		return f->ts[0].live +
		       (u32)((s64)(s32)(script - f->ts[0].script) * r->settings->ts_tick_us / 1000);
	return script - f->ts[0].script + f->ts[0].live;
}

bool pd_ts_to_script(const struct pd_flow *f, u32 live, u32 *script)
{
	size_t i;

	for (i = f->ts_count; i--;) {
		if (f->ts[i].live == live) {
			*script = f->ts[i].script;
			return true;
		}
	}
	return false;
}
