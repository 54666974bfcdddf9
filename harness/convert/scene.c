/* SPDX-License-Identifier: MIT */
/*
 * Casting: two walks over the frames. The first finds the host and the stations, the second gives
 * each frame its role.
 */
#include "convert/scene.h"

#include <stdlib.h>
#include <string.h>

static const u8 zero[6];

const struct packet_layer *scene_layer(const struct packet *p, enum packet_proto proto)
{
	int i = packet_find(p, proto, 0, 0);

	return i < 0 ? NULL : p->layer[i];
}

const u8 *scene_addr(const struct packet_layer *l, const char *field)
{
	const struct packet_value *v = l ? packet_get(l, field) : NULL;

	if (!v || (v->type != PACKET_V_IP4 && v->type != PACKET_V_MAC))
		return NULL;
	return v->addr;
}

bool scene_is_fragment(const struct packet_layer *ip)
{
	return packet_get_uint(ip, "off", 0) || packet_get_uint(ip, "mf", 0);
}

bool scene_has_port(const struct scene *s, u16 port)
{
	return s->port[port / 8] >> (port % 8) & 1;
}

static void set_port(struct scene *s, u16 port, bool on)
{
	u8 bit = (u8)(1u << (port % 8));

	if (on)
		s->port[port / 8] |= bit;
	else
		s->port[port / 8] &= (u8)~bit;
}

static bool same(const u8 *a, const u8 *b, size_t len)
{
	return a && b && memcmp(a, b, len) == 0;
}

static bool is_group(const u8 *addr)
{
	return addr[0] >= 224 || memcmp(addr, zero, 4) == 0;
}

/* The destination of the first packet that is for one host only. */
static const u8 *first_destination(const struct scene *s)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct packet *p = s->frames[i].packet;
		const u8 *addr = scene_addr(scene_layer(p, PACKET_IP), "dst");

		if (!addr)
			addr = scene_addr(scene_layer(p, PACKET_ARP), "tpa");
		if (addr && !is_group(addr) && addr[3] != 255)
			return addr;
	}
	return NULL;
}

/* Source address and MAC of a frame, each NULL when the frame does not say. */
static void source(const struct packet *p, const u8 **addr, const u8 **mac)
{
	const struct packet_layer *arp = scene_layer(p, PACKET_ARP);

	*mac = scene_addr(scene_layer(p, PACKET_ETH), "src");
	*addr = arp ? scene_addr(arp, "spa") : scene_addr(scene_layer(p, PACKET_IP), "src");
	if (*addr && memcmp(*addr, zero, 4) == 0)
		*addr = NULL;
}

static void find_mac(struct scene *s)
{
	size_t i;

	for (i = 0; i < s->count && !s->has_mac; i++) {
		const struct packet *p = s->frames[i].packet;
		const u8 *addr, *mac;

		source(p, &addr, &mac);
		if (!same(addr, s->addr, 4)) {
			addr = scene_addr(scene_layer(p, PACKET_IP), "dst");
			mac = scene_addr(scene_layer(p, PACKET_ETH), "dst");
		}
		if (same(addr, s->addr, 4) && mac && !(mac[0] & 1) && memcmp(mac, zero, 6) != 0) {
			memcpy(s->mac, mac, 6);
			s->has_mac = true;
		}
	}
}

static int find_station(const struct scene *s, const u8 *mac)
{
	size_t i;

	for (i = 0; i < s->stations; i++) {
		if (s->raw || memcmp(s->station[i].mac, mac, 6) == 0)
			return (int)i;
	}
	return -1;
}

static int add_station(struct scene *s, const u8 *mac)
{
	int i = find_station(s, mac);

	if (i >= 0 || s->stations == SCENE_MAX_STATIONS)
		return i;
	memcpy(s->station[s->stations].mac, mac, 6);
	return (int)s->stations++;
}

/* The station can be reached at this address. */
static void add_address(struct scene *s, int station, const u8 *addr)
{
	struct station *st = &s->station[station];
	size_t i;

	if (is_group(addr) || addr[0] == 127 || addr[3] == 255 || memcmp(st->addr, addr, 4) == 0 ||
	    s->raw)
		return;
	if (memcmp(st->addr, zero, 4) == 0 && memcmp(addr, s->addr, 3) == 0) {
		memcpy(st->addr, addr, 4);
		return;
	}
	for (i = 0; i < s->routes; i++) {
		if (memcmp(s->route[i].addr, addr, 4) == 0)
			return;
	}
	if (s->routes == SCENE_MAX_ROUTES)
		return;
	memcpy(s->route[s->routes].addr, addr, 4);
	s->route[s->routes++].station = station;
}

/* Is it from the host? By its address; by its MAC when there is no address in it. */
static bool from_host(const struct scene *s, const u8 *addr, const u8 *mac)
{
	if (addr)
		return memcmp(addr, s->addr, 4) == 0 &&
		       (!mac || !s->has_mac || memcmp(mac, s->mac, 6) == 0);
	return s->has_mac && same(mac, s->mac, 6);
}

static void find_stations(struct scene *s)
{
	size_t i;

	if (s->raw)
		s->stations = 1;
	for (i = 0; i < s->count; i++) {
		const struct packet *p = s->frames[i].packet;
		const u8 *addr, *mac, *to;
		int n;

		source(p, &addr, &mac);
		if (from_host(s, addr, mac)) {
			mac = scene_addr(scene_layer(p, PACKET_ETH), "dst");
			addr = scene_addr(scene_layer(p, PACKET_IP), "dst");
		}
		to = scene_addr(scene_layer(p, PACKET_ETH), "dst");
		if (s->raw || !mac || (mac[0] & 1) || memcmp(mac, zero, 6) == 0 || !to ||
		    (s->has_mac && memcmp(mac, s->mac, 6) == 0))
			continue;
		n = add_station(s, mac);
		if (n >= 0 && addr)
			add_address(s, n, addr);
	}
}

/* Why a frame can not be part of the script, or NULL. */
static const char *unfit(const struct scene_frame *f, bool out)
{
	const struct packet_layer *ip = scene_layer(f->packet, PACKET_IP);
	const struct packet_layer *arp = scene_layer(f->packet, PACKET_ARP);

	if (f->packet->len < f->packet->wire_len)
		return "the capture has only its beginning";
	if (scene_layer(f->packet, PACKET_IP6))
		return "IPv6";
	if (!ip && !arp)
		return out ? "neither ARP nor IPv4" : NULL;
	if (!out || arp)
		return NULL;
	if (scene_layer(f->packet, PACKET_VLAN))
		return "a VLAN device of the host";
	if (packet_get_uint(ip, "proto", 0) == 17)
		return NULL;
	if (packet_get_uint(ip, "proto", 0) != 1)
		return "the host's own packet of a protocol without socket";
	if (!scene_layer(f->packet, PACKET_ICMP))
		return scene_is_fragment(ip) ? NULL : "a damaged ICMP message";
	switch (packet_get_uint(scene_layer(f->packet, PACKET_ICMP), "type", 0)) {
	case 8:
	case 13:
	case 15:
	case 17:
		return "the host's own ICMP request";
	}
	return NULL;
}

static u8 arp_role(const struct scene *s, struct scene_frame *f)
{
	const struct packet_layer *arp = scene_layer(f->packet, PACKET_ARP);
	const u8 *tpa = scene_addr(arp, "tpa");
	size_t i;

	if (packet_get_uint(arp, "op", 0) != 1)
		return FRAME_FROM_HOST;
	for (i = 0; i < s->stations; i++) {
		if (same(tpa, s->station[i].addr, 4))
			return FRAME_ASKS;
	}
	f->reason = "the host's own ARP request for an address that nobody has";
	return FRAME_LEFT_OUT;
}

static bool is_tcp(const struct packet *p)
{
	const struct packet_layer *ip = scene_layer(p, PACKET_IP);

	return ip && packet_get_uint(ip, "proto", 0) == 6;
}

static void cast_frame(struct scene *s, struct scene_frame *f)
{
	const struct packet_layer *eth = scene_layer(f->packet, PACKET_ETH);
	const u8 *to = scene_addr(eth, "dst");
	const u8 *addr, *mac;
	bool out;

	source(f->packet, &addr, &mac);
	out = from_host(s, addr, mac);
	f->station = s->raw ? 0 : -1;
	if (!s->raw && (!eth || !to)) {
		f->role = FRAME_LEFT_OUT;
		f->reason = "no Ethernet header";
		return;
	}
	if (!out && to && s->has_mac && !(to[0] & 1) && memcmp(to, s->mac, 6) != 0) {
		f->role = FRAME_OTHERS;
		return;
	}
	if (is_tcp(f->packet)) {
		f->role = FRAME_OTHERS;
		return;
	}
	f->reason = unfit(f, out);
	f->role = f->reason ? FRAME_LEFT_OUT : out ? FRAME_FROM_HOST : FRAME_TO_HOST;
	if (f->role == FRAME_FROM_HOST && scene_layer(f->packet, PACKET_ARP))
		f->role = arp_role(s, f);
	if (!s->raw)
		f->station = find_station(s, out ? to : mac);
	if (f->station < 0 && out && s->stations)
		f->station = 0; /* to a group: any station takes it */
	if (f->station < 0 && f->role != FRAME_LEFT_OUT) {
		f->role = FRAME_LEFT_OUT;
		f->reason = "from no station";
	}
}

/* The ports that the host answered with "port unreachable" had no socket, all others had one. */
static void find_ports(struct scene *s)
{
	size_t i;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < s->count; i++) {
			const struct scene_frame *f = &s->frames[i];
			const struct packet_layer *icmp = scene_layer(f->packet, PACKET_ICMP);
			const struct packet_layer *udp = scene_layer(f->packet, PACKET_UDP);
			int quoted = packet_find(f->packet, PACKET_UDP, 0, 1);
			bool out = f->role == FRAME_FROM_HOST;

			if (pass == 0 && udp && (out || f->role == FRAME_TO_HOST))
				set_port(s, (u16)packet_get_uint(udp, out ? "sport" : "dport", 0),
					 true);
			if (pass == 1 && out && icmp && quoted >= 0 &&
			    packet_get_uint(icmp, "type", 0) == 3 &&
			    packet_get_uint(icmp, "code", 0) == 3)
				set_port(s,
					 (u16)packet_get_uint(f->packet->layer[quoted], "dport", 0),
					 false);
		}
	}
	set_port(s, 0, false);
}

bool scene_cast(struct scene *s, const u8 *host, struct strbuf *error)
{
	size_t i;

	if (!host)
		host = first_destination(s);
	if (!host) {
		strbuf_puts(error, "no frame is for one IPv4 address: name the host with --host");
		return false;
	}
	memcpy(s->addr, host, 4);
	find_mac(s);
	find_stations(s);
	for (i = 0; i < s->count; i++) {
		cast_frame(s, &s->frames[i]);
		s->any = s->any || s->frames[i].role == FRAME_TO_HOST ||
			 s->frames[i].role == FRAME_FROM_HOST;
	}
	find_ports(s);
	return true;
}

void scene_free(struct scene *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		packet_free(s->frames[i].packet);
	free(s->frames);
}
