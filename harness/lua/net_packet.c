/* SPDX-License-Identifier: MIT */
/*
 * Packets as Lua values: layers made from tables, joined by '/', fields read and set by name, the
 * packet that an ICMP error quotes reached by `inner`.
 *
 * A packet value owns its packet, or is a view (of a deeper quote) that keeps the owner alive, as
 * layer values do. The bytes behind them count against the test's memory by an estimate.
 */
#include "lua/net.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_META "packet"
#define LAYER_META  "layer"

/* What a packet takes outside of Lua's heap, about. */
#define PACKET_COST 4096

struct packet_box {
	struct packet *p;
	bool owns;
	u8 depth;
};

struct layer_box {
	struct packet_layer *l;
};

/* -- Values -- */

static void charge(lua_State *L)
{
	struct sandbox *sb = sandbox_of(L);

	if (sb->memory_limit - sb->memory_used < PACKET_COST)
		lua_gc(L, LUA_GCCOLLECT);
	if (sb->memory_limit - sb->memory_used < PACKET_COST)
		script_error(L, "memory limit: too many packets are kept");
	sb->memory_used += PACKET_COST;
	if (sb->collecting)
		lua_gc(L, LUA_GCSTEP, 4);
}

static struct packet_box *new_box(lua_State *L)
{
	struct packet_box *box = lua_newuserdatauv(L, sizeof(*box), 1);

	*box = (struct packet_box){ 0 };
	luaL_setmetatable(L, PACKET_META);
	return box;
}

void net_push_packet(lua_State *L, struct packet *p)
{
	struct packet_box *box = new_box(L);

	box->p = p;
	box->owns = true;
	charge(L);
}

static struct packet_box *check_box(lua_State *L, int index)
{
	return luaL_checkudata(L, index, PACKET_META);
}

struct packet *net_check_packet(lua_State *L, int index)
{
	return check_box(L, index)->p;
}

static int packet_gc(lua_State *L)
{
	struct packet_box *box = check_box(L, 1);

	if (box->owns && box->p) {
		packet_free(box->p);
		sandbox_of(L)->memory_used -= PACKET_COST;
	}
	box->p = NULL;
	return 0;
}

/* Pushes a text that must be freed. */
static int push_text(lua_State *L, char *text)
{
	lua_pushstring(L, text ? text : "");
	free(text);
	return 1;
}

/* -- Setting fields -- */

static void read_option(lua_State *L, struct packet_option *o)
{
	int table = lua_gettop(L);
	const char *name;
	int kind;
	int i;

	*o = (struct packet_option){ 0 };
	if (lua_type(L, table) == LUA_TSTRING) {
		lua_newtable(L);
		lua_pushvalue(L, table);
		lua_rawseti(L, -2, 1);
		lua_replace(L, table);
	}
	luaL_checktype(L, table, LUA_TTABLE);
	lua_rawgeti(L, table, 1);
	if (lua_isinteger(L, -1)) {
		kind = (int)lua_tointeger(L, -1);
	} else {
		name = luaL_checkstring(L, -1);
		kind = packet_option_by_name(name);
		if (kind < 0)
			luaL_error(L, "there is no TCP option '%s'", name);
	}
	o->kind = (u8)kind;
	lua_pop(L, 1);
	for (i = 2; i < 10 && lua_rawgeti(L, table, i) == LUA_TNUMBER; i++) {
		o->num[o->count++] = (u32)lua_tointeger(L, -1);
		lua_pop(L, 1);
	}
	lua_settop(L, table);
	if (lua_getfield(L, table, "length") == LUA_TNUMBER) {
		o->has_length = true;
		o->length = (u8)lua_tointeger(L, -1);
	}
	if (lua_getfield(L, table, "data") == LUA_TSTRING)
		o->data = (const u8 *)lua_tolstring(L, -1, &o->data_len);
	/* The strings stay in the table. */
	lua_settop(L, table);
}

static void set_options(lua_State *L, struct packet_layer *l, const char *field, int index,
			char *error)
{
	struct packet_option options[40];
	lua_Integer count = luaL_len(L, index);
	lua_Integer i;

	luaL_checkstack(L, 60, NULL);
	if (count > (lua_Integer)ARRAY_SIZE(options))
		luaL_error(L, "more than 40 TCP options");
	for (i = 0; i < count; i++) {
		lua_geti(L, index, i + 1);
		read_option(L, &options[i]);
	}
	if (!packet_set_options(l, field, options, (size_t)count, error))
		luaL_error(L, "%s", error);
	lua_settop(L, lua_gettop(L) - (int)count);
}

/* What a parsed packet was is not what it is now: its bytes are to be built anew. */
static void changed(struct packet *p)
{
	p->bytes = NULL;
	p->len = 0;
}

/* Sets a field from the value at index. */
static void set_field(lua_State *L, struct packet_layer *l, const char *field, int index)
{
	char error[PACKET_ERROR_SIZE] = "";
	bool ok = true;
	const char *text;
	size_t len;

	changed(l->packet);
	index = lua_absindex(L, index);
	switch (lua_type(L, index)) {
	case LUA_TNIL:
		packet_unset(l, field);
		break;
	case LUA_TBOOLEAN:
		ok = packet_set_uint(l, field, (u64)lua_toboolean(L, index), error);
		break;
	case LUA_TNUMBER:
		if (!lua_isinteger(L, index) || lua_tointeger(L, index) < 0)
			script_error(L, "%s.%s: not a whole number from 0 on",
				     packet_proto_name((enum packet_proto)l->proto), field);
		ok = packet_set_uint(l, field, (u64)lua_tointeger(L, index), error);
		break;
	case LUA_TSTRING:
		text = lua_tolstring(L, index, &len);
		ok = packet_set_text(l, field, text, len, error);
		break;
	case LUA_TTABLE:
		set_options(L, l, field, index, error);
		break;
	default:
		script_error(L, "%s.%s: a %s is no value for a field",
			     packet_proto_name((enum packet_proto)l->proto), field,
			     luaL_typename(L, index));
	}
	if (!ok)
		script_error(L, "%s", error);
}

/* Refuses a name and says which there are; what users of other tools write as a field has a word
 * of its own. */
static int no_field(lua_State *L, enum packet_proto proto, const char *name)
{
	const struct packet_field *f = packet_fields(proto);
	struct strbuf names = { 0 };

	if (proto == PACKET_TCP && packet_option_by_name(name) >= 0)
		return script_error(L, "tcp has no field '%s': options = { { \"%s\", ... } }", name,
				    name);
	if (!strcmp(name, "payload") || !strcmp(name, "data"))
		return script_error(
			L, "%s has no field '%s': the payload is joined: net.%s{} / \"bytes\"",
			packet_proto_name(proto), name, packet_proto_name(proto));
	for (; f->name; f++)
		strbuf_printf(&names, " %s", f->name);
	/* The text is Lua's own before the error leaves this function behind. */
	lua_pushlstring(L, strbuf_text(&names), names.len);
	strbuf_free(&names);
	return script_error(L, "%s has no field '%s'; it has:%s", packet_proto_name(proto), name,
			    lua_tostring(L, -1));
}

/* Sets fields from the table at index, in the order of the protocol's table: what a field means
 * may hang on those before it (ICMP's type). */
static void set_fields(lua_State *L, struct packet_layer *l, int index)
{
	const struct packet_field *f = packet_fields((enum packet_proto)l->proto);

	index = lua_absindex(L, index);
	for (; f->name; f++) {
		if (lua_getfield(L, index, f->name) != LUA_TNIL)
			set_field(L, l, f->name, -1);
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	while (lua_next(L, index)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;

		if (!key)
			script_error(L, "%s: fields are named by strings",
				     packet_proto_name((enum packet_proto)l->proto));
		else if (packet_field_index((enum packet_proto)l->proto, key) < 0)
			no_field(L, (enum packet_proto)l->proto, key);
		lua_pop(L, 1);
	}
}

/* native.packet(proto, fields): a packet of one layer. */
static int native_packet(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	int proto = packet_proto_by_name(name);
	struct packet *p;

	if (proto < 0)
		return script_error(L, "there is no protocol '%s'", name);
	lua_settop(L, 2);
	p = packet_new();
	net_push_packet(L, p);
	packet_add(p, (enum packet_proto)proto);
	if (!lua_isnil(L, 2)) {
		luaL_checktype(L, 2, LUA_TTABLE);
		set_fields(L, p->layer[0], 2);
	}
	return 1;
}

/* -- Joining -- */

static void join(lua_State *L, struct packet *p, int index)
{
	bool ok;

	if (lua_type(L, index) == LUA_TSTRING) {
		size_t len;
		const char *bytes = lua_tolstring(L, index, &len);

		ok = packet_add_payload(p, bytes, len) != NULL;
	} else if (luaL_testudata(L, index, PACKET_META)) {
		ok = packet_join(p, check_box(L, index)->p);
	} else {
		script_error(L, "a %s can not be part of a packet", luaL_typename(L, index));
		return;
	}
	if (!ok)
		script_error(L, "a packet has %d layers at the most", PACKET_MAX_LAYERS);
}

static int packet_div(lua_State *L)
{
	struct packet *p = packet_new();

	net_push_packet(L, p);
	join(L, p, 1);
	join(L, p, 2);
	return 1;
}

/* -- Reading -- */

static void push_option(lua_State *L, const struct packet_option *o)
{
	const char *name = packet_option_name(o->kind);
	int i;

	lua_createtable(L, o->count + 1, 0);
	if (name)
		lua_pushstring(L, name);
	else
		lua_pushinteger(L, o->kind);
	lua_rawseti(L, -2, 1);
	for (i = 0; i < o->count; i++) {
		lua_pushinteger(L, o->num[i]);
		lua_rawseti(L, -2, i + 2);
	}
	if (o->data_len) {
		lua_pushlstring(L, (const char *)o->data, o->data_len);
		lua_setfield(L, -2, "data");
	}
}

static int push_value(lua_State *L, const struct packet_layer *l, const struct packet_field *f,
		      const struct packet_value *v)
{
	size_t i;

	switch (v->type) {
	case PACKET_V_UINT:
		if (f->type == PACKET_F_FLAG)
			lua_pushboolean(L, v->num != 0);
		else if (f->type == PACKET_F_FLAGS)
			return push_text(L, packet_value_text(l, f, v));
		else
			lua_pushinteger(L, (lua_Integer)v->num);
		return 1;
	case PACKET_V_BYTES:
		lua_pushlstring(L, (const char *)v->bytes, v->len);
		return 1;
	case PACKET_V_OPTIONS:
		lua_createtable(L, (int)v->len, 0);
		for (i = 0; i < v->len; i++) {
			push_option(L, &v->options[i]);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		return 1;
	case PACKET_V_NONE:
		lua_pushnil(L);
		return 1;
	default:
		return push_text(L, packet_value_text(l, f, v));
	}
}

static struct packet_layer *check_layer(lua_State *L, int index)
{
	return ((struct layer_box *)luaL_checkudata(L, index, LAYER_META))->l;
}

static int layer_index(lua_State *L)
{
	const struct packet_layer *l = check_layer(L, 1);
	const char *name = luaL_checkstring(L, 2);
	enum packet_proto proto = (enum packet_proto)l->proto;
	int i = packet_field_index(proto, name);
	const struct packet_value *v;

	if (i < 0 && strcmp(name, "checksum_status") == 0) {
		lua_pushstring(L, packet_checksum_name((enum packet_checksum_status)l->checksum));
		return 1;
	}
	if (i < 0)
		return no_field(L, proto, name);
	v = packet_get(l, name);
	if (!v)
		return 0;
	return push_value(L, l, &packet_fields(proto)[i], v);
}

static int layer_newindex(lua_State *L)
{
	set_field(L, check_layer(L, 1), luaL_checkstring(L, 2), 3);
	return 0;
}

static int push_layer(lua_State *L, struct packet_layer *l)
{
	struct layer_box *box = lua_newuserdatauv(L, sizeof(*box), 1);

	box->l = l;
	luaL_setmetatable(L, LAYER_META);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int push_inner(lua_State *L, const struct packet_box *box)
{
	struct packet_box *inner;

	if (packet_inner(box->p, box->depth + 1u) < 0)
		return 0;
	inner = new_box(L);
	inner->p = box->p;
	inner->depth = (u8)(box->depth + 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int push_payload(lua_State *L, const struct packet_box *box)
{
	int i = packet_find(box->p, PACKET_PAYLOAD, 0, box->depth);
	const struct packet_value *v = i < 0 ? NULL : packet_get(box->p->layer[i], "data");

	if (!v)
		return 0;
	lua_pushlstring(L, (const char *)v->bytes, v->len);
	return 1;
}

/* Upvalue 1: the methods. */
static int packet_index(lua_State *L)
{
	struct packet_box *box = check_box(L, 1);
	const char *name = luaL_checkstring(L, 2);
	int proto, i;

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	if (strcmp(name, "inner") == 0)
		return push_inner(L, box);
	if (strcmp(name, "payload") == 0)
		return push_payload(L, box);
	proto = packet_proto_by_name(name);
	if (proto >= 0) {
		i = packet_find(box->p, (enum packet_proto)proto, 0, box->depth);
		return i < 0 ? 0 : push_layer(L, box->p->layer[i]);
	}
	/* time and sent, which the library sets */
	if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_getfield(L, -1, name) != LUA_TNIL)
		return 1;
	return script_error(L, "a packet has no '%s'", name);
}

static int packet_tostring(lua_State *L)
{
	return push_text(L, packet_line(check_box(L, 1)->p));
}

/* -- Methods -- */

static int method_bytes(lua_State *L)
{
	const struct packet *p = check_box(L, 1)->p;
	char error[PACKET_ERROR_SIZE] = "";
	size_t len = 0;
	u8 *bytes;

	if (p->bytes) {
		lua_pushlstring(L, (const char *)p->bytes, p->len);
		return 1;
	}
	bytes = packet_build(p, &len, error);
	if (!bytes)
		return script_error(L, "this packet can not be: %s", error);
	lua_pushlstring(L, (const char *)bytes, len);
	free(bytes);
	return 1;
}

static int method_text(lua_State *L)
{
	return push_text(L, packet_text(check_box(L, 1)->p));
}

static int method_clone(lua_State *L)
{
	net_push_packet(L, packet_clone(check_box(L, 1)->p));
	return 1;
}

/* native.first(p): name of the first layer. */
static int native_first(lua_State *L)
{
	const struct packet *p = net_check_packet(L, 1);

	if (!p->count)
		return 0;
	lua_pushstring(L, packet_proto_name((enum packet_proto)p->layer[0]->proto));
	return 1;
}

/* native.prepend(p, proto): puts an empty layer in front. */
static int native_prepend(lua_State *L)
{
	struct packet *p = net_check_packet(L, 1);
	int proto = packet_proto_by_name(luaL_checkstring(L, 2));

	luaL_argcheck(L, proto >= 0, 2, "no such protocol");
	if (!packet_insert(p, 0, (enum packet_proto)proto))
		return script_error(L, "a packet has %d layers at the most", PACKET_MAX_LAYERS);
	changed(p);
	return 0;
}

/* native.default(p, proto, field, value): sets it where the layer is there and the field is not. */
static int native_default(lua_State *L)
{
	struct packet *p = net_check_packet(L, 1);
	int proto = packet_proto_by_name(luaL_checkstring(L, 2));
	const char *field = luaL_checkstring(L, 3);
	int i;

	luaL_argcheck(L, proto >= 0, 2, "no such protocol");
	i = packet_find(p, (enum packet_proto)proto, 0, 0);
	if (i >= 0 && !packet_get(p->layer[i], field) && !lua_isnil(L, 4))
		set_field(L, p->layer[i], field, 4);
	return 0;
}

/* native.parse(bytes, link, extra): extra is a table of what else is known of the packet. */
static int native_parse(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	lua_Integer link = luaL_optinteger(L, 2, PACKET_LINK_ETHERNET);

	lua_settop(L, 3);
	net_push_packet(L, packet_parse((int)link, bytes, len, len));
	if (lua_istable(L, 3)) {
		lua_pushvalue(L, 3);
		lua_setiuservalue(L, -2, 1);
	}
	return 1;
}

/* native.match(template, packet): true, or false and where they differ. */
static int native_match(lua_State *L)
{
	struct packet_diff diff;

	if (packet_match(net_check_packet(L, 1), net_check_packet(L, 2), &diff)) {
		lua_pushboolean(L, true);
		return 1;
	}
	lua_pushboolean(L, false);
	lua_pushstring(L, diff.text);
	return 2;
}

/* native.address(text): the bytes of a MAC, IPv4 or IPv6 address; nil when it is none. */
static int native_address(lua_State *L)
{
	static const struct {
		enum packet_proto proto;
		size_t len;
	} kinds[] = { { PACKET_IP, 4 }, { PACKET_ETH, 6 }, { PACKET_IP6, 16 } };
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct packet *p = packet_new();
	bool found = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds) && !found; i++) {
		struct packet_layer *l = packet_add(p, kinds[i].proto);

		if (!packet_set_text(l, "src", text, len, NULL))
			continue;
		found = true;
		lua_pushlstring(L, (const char *)packet_get(l, "src")->addr, kinds[i].len);
	}
	packet_free(p);
	return found;
}

/* native.address_text(bytes): 4, 6 or 16 of them. */
static int native_address_text(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	enum packet_proto proto = len == 4 ? PACKET_IP : len == 6 ? PACKET_ETH : PACKET_IP6;
	struct packet *p = packet_new();
	struct packet_layer *l = packet_add(p, proto);
	char *text = NULL;

	if (packet_set_bytes(l, "src", bytes, len, NULL))
		text = packet_value_text(l, &packet_fields(proto)[packet_field_index(proto, "src")],
					 packet_get(l, "src"));
	packet_free(p);
	return text ? push_text(L, text) : 0;
}

static void make_metatables(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "bytes", method_bytes },
		{ "text", method_text },
		{ "clone", method_clone },
		{ NULL, NULL },
	};
	static const luaL_Reg packet_meta[] = {
		{ "__gc", packet_gc },
		{ "__div", packet_div },
		{ "__tostring", packet_tostring },
		{ NULL, NULL },
	};
	static const luaL_Reg layer_meta[] = {
		{ "__index", layer_index },
		{ "__newindex", layer_newindex },
		{ NULL, NULL },
	};

	luaL_newmetatable(L, PACKET_META);
	luaL_setfuncs(L, packet_meta, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, packet_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	luaL_newmetatable(L, LAYER_META);
	luaL_setfuncs(L, layer_meta, 0);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

void net_open_packets(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "packet", native_packet },
		{ "parse", native_parse },
		{ "match", native_match },
		{ "first", native_first },
		{ "prepend", native_prepend },
		{ "default", native_default },
		{ "address", native_address },
		{ "address_text", native_address_text },
		{ NULL, NULL },
	};

	make_metatables(L);
	luaL_setfuncs(L, functions, 0);
}
