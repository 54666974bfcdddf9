/* SPDX-License-Identifier: MIT */
/*
 * From the cast to the text: hosts, peers and sockets first, then frame after frame at its time.
 */
#include "convert/script.h"

#include "convert/notation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000ull

static void put_addr(struct strbuf *out, const u8 *a)
{
	strbuf_printf(out, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

static void put_mac(struct strbuf *out, const u8 *m)
{
	strbuf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* -- The stage -- */

static void write_host(struct strbuf *out, const struct scene *s)
{
	strbuf_puts(out, "  local host = net.host { addr = \"");
	put_addr(out, s->addr);
	strbuf_puts(out, "/24\"");
	if (s->raw) {
		strbuf_puts(out, ", model = \"tun\"");
	} else if (s->has_mac) {
		strbuf_puts(out, ", mac = \"");
		put_mac(out, s->mac);
		strbuf_puts(out, "\"");
	}
	strbuf_puts(out, " }\n");
}

static void write_peers(struct strbuf *out, const struct scene *s)
{
	static const u8 none[4];
	size_t i;

	for (i = 0; i < s->stations; i++) {
		const struct station *st = &s->station[i];

		strbuf_printf(out, "  local peer%zu = host.wire:peer {", i + 1);
		if (memcmp(st->addr, none, 4) != 0) {
			strbuf_puts(out, " addr = \"");
			put_addr(out, st->addr);
			strbuf_puts(out, "\",");
		}
		if (!s->raw) {
			strbuf_puts(out, " mac = \"");
			put_mac(out, st->mac);
			strbuf_puts(out, "\" ");
		}
		strbuf_puts(out, "}\n");
	}
	strbuf_puts(out, "  host:route { dst = \"default\", dev = 2 }\n");
	for (i = 0; i < s->routes; i++) {
		strbuf_puts(out, "  host:neigh { addr = \"");
		put_addr(out, s->route[i].addr);
		strbuf_puts(out, "\", mac = \"");
		put_mac(out, s->station[s->route[i].station].mac);
		strbuf_puts(out, "\" }\n");
	}
}

static void write_sockets(struct strbuf *out, const struct scene *s)
{
	const char *separator = " ";
	u32 port;
	bool any = false;

	for (port = 1; port < 65536; port++) {
		if (!scene_has_port(s, (u16)port))
			continue;
		if (!any)
			strbuf_puts(out, "  local sockets = {}\n  for _, port in ipairs {");
		strbuf_printf(out, "%s%u", separator, port);
		separator = ", ";
		any = true;
	}
	if (any)
		strbuf_puts(out, " } do\n"
				 "    sockets[port] = host:socket \"udp\"\n"
				 "    sockets[port]:option(\"SO_BROADCAST\", 1)\n"
				 "    sockets[port]:option(\"SO_RCVTIMEO\", \"1s\")\n"
				 "    sockets[port]:bind(port)\n"
				 "  end\n");
}

/* -- Datagrams in pieces -- */

static bool same_datagram(const struct packet_layer *a, const struct packet_layer *b)
{
	static const char *const names[] = { "src", "dst" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const u8 *x = scene_addr(a, names[i]);
		const u8 *y = scene_addr(b, names[i]);

		if (!x || !y || memcmp(x, y, 4) != 0)
			return false;
	}
	return packet_get_uint(a, "id", 0) == packet_get_uint(b, "id", 0) &&
	       packet_get_uint(a, "proto", 0) == packet_get_uint(b, "proto", 0);
}

/*
 * Puts together the UDP payload of the datagram that frame i belongs to; `first` and `last` are its
 * frames. False when pieces are missing or overlap, or it is not UDP.
 */
static bool join_pieces(const struct scene *s, size_t i, struct strbuf *data, size_t *first,
			size_t *last, u64 *dport)
{
	const struct packet_layer *ip = scene_layer(s->frames[i].packet, PACKET_IP);
	size_t have = 0;
	size_t total = 0;
	size_t k;

	*first = SIZE_MAX;
	*dport = 0;
	for (k = 0; k < s->count; k++) {
		const struct packet *p = s->frames[k].packet;
		const struct packet_layer *other = scene_layer(p, PACKET_IP);
		const struct packet_layer *udp = scene_layer(p, PACKET_UDP);
		size_t at, len;

		if (!other || s->frames[k].role != s->frames[i].role || !same_datagram(ip, other) ||
		    !scene_is_fragment(other))
			continue;
		at = packet_get_uint(other, "off", 0) * 8;
		len = other->end - other->body;
		while (data->len < at + len)
			strbuf_putc(data, 0);
		memcpy(data->data + at, p->bytes + other->body, len);
		if (at == 0 && udp)
			*dport = packet_get_uint(udp, "dport", 0);
		if (!packet_get_uint(other, "mf", 0))
			total = at + len;
		have += len;
		if (*first == SIZE_MAX)
			*first = k;
		*last = k;
	}
	return *dport && total > 8 && have == total && data->len == total;
}

/* -- The play -- */

struct play {
	struct strbuf *out;
	const struct scene *s;
	u64 start_ns;
	u64 last_ns; /* time of the last thing the script did */
};

static void put_time(struct play *w, const struct scene_frame *f)
{
	u64 t = f->time_ns > w->start_ns ? f->time_ns - w->start_ns : 0;

	strbuf_printf(w->out, "  at(%" PRIu64 ")\n", t);
	w->last_ns = f->time_ns;
}

static void put_sendto(struct play *w, const struct scene_frame *f, const u8 *data, size_t len)
{
	const struct packet_layer *udp = scene_layer(f->packet, PACKET_UDP);
	const u8 *dst = scene_addr(scene_layer(f->packet, PACKET_IP), "dst");

	put_time(w, f);
	strbuf_printf(w->out, "  sockets[%" PRIu64 "]:sendto(", packet_get_uint(udp, "sport", 0));
	notation_string(w->out, data, len);
	strbuf_puts(w->out, ", \"");
	put_addr(w->out, dst);
	strbuf_printf(w->out, "\", %" PRIu64 ")\n", packet_get_uint(udp, "dport", 0));
}

/* Makes the host send its own datagram. */
static void make_host_send(struct play *w, size_t i)
{
	const struct scene_frame *f = &w->s->frames[i];
	const struct packet_layer *ip = scene_layer(f->packet, PACKET_IP);
	const struct packet_layer *udp = scene_layer(f->packet, PACKET_UDP);
	struct strbuf data = { 0 };
	size_t first, last;
	u64 dport;

	if (!ip || packet_get_uint(ip, "proto", 0) != 17)
		return;
	if (!scene_is_fragment(ip)) {
		if (udp)
			put_sendto(w, f, f->packet->bytes + udp->body, udp->end - udp->body);
	} else if (join_pieces(w->s, i, &data, &first, &last, &dport) && first == i && udp) {
		put_sendto(w, f, (const u8 *)data.data + 8, data.len - 8);
	}
	strbuf_free(&data);
}

static void put_expect(struct play *w, size_t i)
{
	const struct scene_frame *f = &w->s->frames[i];
	u64 gap;

	make_host_send(w, i);
	gap = f->time_ns > w->last_ns ? (f->time_ns - w->last_ns) / SECOND_NS : 0;
	strbuf_printf(w->out, "  peer%d:expect(", f->station + 1);
	notation_expect(w->out, w->s, f);
	strbuf_printf(w->out, ", { within = \"%" PRIu64 "s\" })\n", gap + 1);
}

static bool is_for_host(const struct scene *s, const u8 *dst)
{
	static const u8 all[4] = { 255, 255, 255, 255 };

	return dst && (memcmp(dst, s->addr, 4) == 0 || memcmp(dst, all, 4) == 0 ||
		       (memcmp(dst, s->addr, 3) == 0 && dst[3] == 255));
}

static void put_recv(struct play *w, u64 port, const u8 *data, size_t len)
{
	strbuf_printf(w->out, "  t:is((sockets[%" PRIu64 "]:recv()), ", port);
	notation_string(w->out, data, len);
	strbuf_puts(w->out, ")\n");
}

/* A tag with id 0 has a priority only, the host takes it. */
static bool has_vlan(const struct packet *p)
{
	size_t i;

	for (i = 0; i < p->count; i++) {
		if (p->layer[i]->proto == PACKET_VLAN && packet_get_uint(p->layer[i], "id", 0))
			return true;
	}
	return false;
}

/* The host's reader gets what was sent to it. */
static void take_datagram(struct play *w, size_t i)
{
	const struct packet *p = w->s->frames[i].packet;
	const struct packet_layer *ip = scene_layer(p, PACKET_IP);
	const struct packet_layer *udp = scene_layer(p, PACKET_UDP);
	struct strbuf data = { 0 };
	size_t first, last;
	u64 port;

	if (!ip || has_vlan(p) || packet_get_uint(ip, "proto", 0) != 17 || ip->reason ||
	    ip->checksum == PACKET_CSUM_BAD || !is_for_host(w->s, scene_addr(ip, "dst")))
		return;
	if (!scene_is_fragment(ip)) {
		port = udp ? packet_get_uint(udp, "dport", 0) : 0;
		if (udp && !udp->reason && udp->checksum != PACKET_CSUM_BAD &&
		    scene_has_port(w->s, (u16)port))
			put_recv(w, port, p->bytes + udp->body, udp->end - udp->body);
	} else if (join_pieces(w->s, i, &data, &first, &last, &port) && last == i &&
		   scene_has_port(w->s, (u16)port)) {
		put_recv(w, port, (const u8 *)data.data + 8, data.len - 8);
	}
	strbuf_free(&data);
}

static void put_send(struct play *w, size_t i)
{
	const struct scene_frame *f = &w->s->frames[i];
	struct strbuf text = { 0 };
	char *line;

	put_time(w, f);
	if (notation_send(&text, w->s, f)) {
		strbuf_printf(w->out, "  peer%d:send(%s)\n", f->station + 1, strbuf_text(&text));
	} else {
		line = packet_line(f->packet);
		strbuf_printf(w->out, "  -- %s\n  peer%d:send_raw(", line, f->station + 1);
		notation_string(w->out, f->packet->bytes, f->packet->len);
		strbuf_puts(w->out, ")\n");
		free(line);
	}
	take_datagram(w, i);
	strbuf_free(&text);
}

static void put_frame(struct play *w, size_t i)
{
	const struct scene_frame *f = &w->s->frames[i];

	switch (f->role) {
	case FRAME_TO_HOST:
		put_send(w, i);
		break;
	case FRAME_FROM_HOST:
		put_expect(w, i);
		break;
	case FRAME_LEFT_OUT:
		strbuf_printf(w->out, "  -- frame %" PRIu64 " is left out: %s\n", f->number,
			      f->reason);
		break;
	default:
		break;
	}
}

void script_head(struct strbuf *out, const char *command)
{
	strbuf_printf(out,
		      "-- Made by: %s\nlocal tap = require \"tap\"\nlocal net = require \"net\"\n",
		      command);
	strbuf_puts(out, "local eth, vlan, llc, arp = net.eth, net.vlan, net.llc, net.arp\n"
			 "local ip, icmp, igmp, udp = net.ip, net.icmp, net.igmp, net.udp\n");
}

void script_write(struct strbuf *out, const struct scene *s, const char *name)
{
	struct play w = { .out = out, .s = s, .start_ns = s->frames[0].time_ns };
	size_t i;

	w.last_ns = w.start_ns;
	strbuf_puts(out, "\ntap.test(");
	notation_string(out, (const u8 *)name, strlen(name));
	strbuf_puts(out, ", function(t)\n");
	write_host(out, s);
	write_peers(out, s);
	write_sockets(out, s);
	strbuf_puts(out,
		    "  local start = t:now()\n"
		    "  local function at(time)\n"
		    "    if start + time > t:now() then net.sleep(start + time - t:now()) end\n"
		    "  end\n\n");
	for (i = 0; i < s->count; i++)
		put_frame(&w, i);
	strbuf_puts(out, "\n");
	for (i = 0; i < s->stations; i++)
		strbuf_printf(out, "  peer%zu:expect_nothing { during = \"1s\" }\n", i + 1);
	strbuf_puts(out, "end)\n");
}
