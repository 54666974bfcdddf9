/* SPDX-License-Identifier: MIT */
/*
 * Layers as Lua values: the fields of a packet's layer set from Lua values and read as such.
 *
 * A layer value keeps the packet value alive that it came from; setting a field makes that packet
 * forget the bytes it was parsed from.
 */
#include "lua/net_layer.h"

#include <stdlib.h>
#include <string.h>

#define LAYER_META "layer"

struct layer_box {
	struct packet_layer *l;
};

int net_push_text(lua_State *L, char *text)
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

void net_packet_changed(struct packet *p)
{
	p->bytes = NULL;
	p->len = 0;
}

void net_set_field(lua_State *L, struct packet_layer *l, const char *field, int index)
{
	char error[PACKET_ERROR_SIZE] = "";
	bool ok = true;
	const char *text;
	size_t len;

	net_packet_changed(l->packet);
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

void net_set_fields(lua_State *L, struct packet_layer *l, int index)
{
	const struct packet_field *f = packet_fields((enum packet_proto)l->proto);

	index = lua_absindex(L, index);
	for (; f->name; f++) {
		if (lua_getfield(L, index, f->name) != LUA_TNIL)
			net_set_field(L, l, f->name, -1);
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
			return net_push_text(L, packet_value_text(l, f, v));
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
		return net_push_text(L, packet_value_text(l, f, v));
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
	net_set_field(L, check_layer(L, 1), luaL_checkstring(L, 2), 3);
	return 0;
}

int net_push_layer(lua_State *L, struct packet_layer *l)
{
	struct layer_box *box = lua_newuserdatauv(L, sizeof(*box), 1);

	box->l = l;
	luaL_setmetatable(L, LAYER_META);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}
void net_open_layers(lua_State *L)
{
	static const luaL_Reg layer_meta[] = {
		{ "__index", layer_index },
		{ "__newindex", layer_newindex },
		{ NULL, NULL },
	};

	luaL_newmetatable(L, LAYER_META);
	luaL_setfuncs(L, layer_meta, 0);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
