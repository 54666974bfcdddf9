-- SPDX-License-Identifier: MIT
-- Devices and namespaces of a host: making, changing, finding them by name. Reference: docs/lua.md,
-- "Devices and namespaces".
local _, native = ...
local tap = require "tap"
local util = require "net.util"

local C, raise, options, set, op = util.C, util.raise, util.options, util.set, util.op
local address = util.address

local link = {}

local Link = {}
Link.__index = Link
Link.__name = "link"

-- Finding them -----------------------------------------------------------------------------------

local function parse(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local ifindex, name, flags, rest = line:match("^(%d+): ([^:@]+)[^:]*: <([^>]*)>(.*)$")
    if ifindex then
      list[#list + 1] = { ifindex = tonumber(ifindex), name = name, flags = {},
        mtu = tonumber(rest:match(" mtu (%d+)")), state = rest:match(" state (%S+)"),
        master = rest:match(" master (%S+)") }
      for flag in flags:gmatch("[^,]+") do list[#list].flags[flag] = true end
    elseif list[1] then
      list[#list].mac = list[#list].mac or line:match("^    link/%S+ (%x%x:%x%x:%x%x:%x%x:%x%x:%x%x)")
    end
  end
  return list
end

-- All devices of a host or namespace, in order of ifindex: { ifindex, name, flags, mtu, state, mac, master }.
function link.list(host)
  return parse(native.proc(host.id, "ip link"))
end

-- By its name; "if7": by its number. Does not read the others.
function link.find(host, name)
  return parse(native.proc(host.id, "ip link show dev " .. tostring(name)))[1]
end
-- The ifindex of what a caller names as `dev`: a name, a device, a number; nil: the first card.
function link.ifindex(host, dev)
  if type(dev) == "table" then return dev.ifindex end
  if type(dev) == "string" then
    local found = link.find(host, dev)
    if not found then raise(("Cannot find device \"%s\" (%s)"):format(dev, host.name)) end
    return found.ifindex
  end
  if dev ~= nil then return dev end
  if not host.nics[1] then raise(("%s has no card: say which device (dev = \"...\")"):format(host.name)) end
  return host.nics[1].ifindex
end

-- A device as an object, which other calls take as `dev`.
function link.get(host, name)
  local found = link.find(host, name)
  if not found then raise(("Cannot find device \"%s\" (%s)"):format(name, host.name)) end
  for _, nic in ipairs(host.nics) do
    if nic.ifindex == found.ifindex then return nic end
  end
  return setmetatable({ host = host, name = found.name, ifindex = found.ifindex, mac = found.mac }, Link)
end

-- Namespaces -------------------------------------------------------------------------------------

-- The namespace of that name, made when it is not there: an object with all that a host has.
function link.netns(host, name)
  if type(name) ~= "string" or name == "" or #name > 15 then
    raise("host:netns: the name of a namespace has 1 to 15 characters")
  end
  host = host.host or host
  host.namespaces = host.namespaces or {}
  if not host.namespaces[name] then
    host.namespaces[name] = setmetatable({ host = host, name = name, nics = {},
      id = op("netns_add", { host = host.id, name = name }) }, getmetatable(host))
  end
  return host.namespaces[name]
end

-- What belongs to it goes: physical devices back to the host, virtual ones away.
function link.netns_del(host, name)
  host = host.host or host
  local ns = type(name) == "table" and name or host.namespaces and host.namespaces[name]
  if not ns or not ns.host then
    raise(("Cannot remove namespace \"%s\": No such file or directory"):format(tostring(name)))
  end
  op("netns_del", { host = ns.id })
  host.namespaces[ns.name] = nil
  for _, nic in ipairs(ns.nics) do
    nic.host = host
    host.nics[#host.nics + 1] = nic
    for _, entry in ipairs(link.list(host)) do
      if entry.mac == nic.mac then nic.ifindex, nic.name = entry.ifindex, entry.name end
    end
  end
end

-- A host, one of its namespaces, or the name of one (or "1": the first): what ops call it.
local function net_of(host, target, what)
  if target == nil then return host end
  if type(target) == "table" and target.id then return target end
  local top = host.host or host
  if target == 1 or target == "1" then return top end
  local ns = top.namespaces and top.namespaces[target]
  if not ns then raise(("%s: Invalid \"netns\" value \"%s\""):format(what, tostring(target))) end
  return ns
end

-- Making -----------------------------------------------------------------------------------------

local link_add_options = set [[type name link id protocol peer netns mtu address addr up master reorder_hdr
  loose_binding ingress_qos egress_qos ageing_time group_fwd_mask fdb_max_learned]]
local peer_options = set "name netns"
local kinds = set "veth vlan bridge dummy"
local protocols = { ["802.1Q"] = 0x8100, ["802.1q"] = 0x8100, ["802.1ad"] = 0x88a8 }

-- `ip link add`. Returns the device.
function link.add(host, o)
  o = options("host:link_add", o, link_add_options)
  if not kinds[o.type or ""] then
    raise(("host:link_add: unknown type %s (veth, vlan, bridge, dummy)"):format(tap.repr(o.type)))
  end
  local target = net_of(host, o.netns, "host:link_add")
  local peer = type(o.peer) == "string" and { name = o.peer } or
    options("host:link_add: peer", o.peer, peer_options)
  local protocol = o.protocol and protocols[o.protocol]
  if o.protocol and not protocol then
    raise(("host:link_add: unknown protocol %s (802.1Q, 802.1ad)"):format(tap.repr(o.protocol)))
  end
  if o.type == "vlan" and (not o.link or not o.id) then
    raise("host:link_add: a vlan needs the device below it (link) and its id")
  end
  local peer_net = o.type == "vlan" and host or net_of(host, peer.netns, "host:link_add: peer")
  local ifindex = op("link_add", { host = target.id, kind = o.type, name = o.name or "",
    link = o.link and link.ifindex(host, o.link) or 0, id = o.id, protocol = protocol, mtu = o.mtu,
    mac = o.address and address(o.address, 6, "address") or "", peer = peer.name or "",
    peer_host = peer_net.id,
    flags = (o.reorder_hdr == false and C.LINK_ADD_NO_REORDER_HDR or 0) |
      (o.loose_binding and C.LINK_ADD_LOOSE_BINDING or 0) })
  local dev = link.get(target, "if" .. ifindex)
  local later = {}
  for key in pairs(set "ingress_qos egress_qos ageing_time group_fwd_mask fdb_max_learned master up") do
    later[key] = o[key]
  end
  later.dev = dev
  link.set(target, later)
  for _, addr in ipairs(type(o.addr) == "table" and o.addr or { o.addr }) do
    target:addr_add(addr, { dev = dev })
  end
  return dev
end

function link.del(host, dev)
  op("link_del", { host = host.id, ifindex = link.ifindex(host, dev) })
end

-- Changing ---------------------------------------------------------------------------------------

local params = { up = "LINK_PARAM_UP", mtu = "LINK_PARAM_MTU", promisc = "LINK_PARAM_PROMISC",
  allmulti = "LINK_PARAM_ALLMULTI", carrier = "LINK_PARAM_CARRIER", txqlen = "LINK_PARAM_TXQLEN",
  anyip = "LINK_PARAM_ANYIP", arp = "LINK_PARAM_ARP", reorder_hdr = "LINK_PARAM_REORDER_HDR",
  loose_binding = "LINK_PARAM_LOOSE_BINDING", ageing_time = "LINK_PARAM_AGEING_TIME",
  group_fwd_mask = "LINK_PARAM_GROUP_FWD_MASK", fdb_max_learned = "LINK_PARAM_FDB_MAX_LEARNED",
  learning = "LINK_PARAM_LEARNING", flood = "LINK_PARAM_FLOOD", mcast_flood = "LINK_PARAM_MCAST_FLOOD",
  bcast_flood = "LINK_PARAM_BCAST_FLOOD", hairpin = "LINK_PARAM_HAIRPIN",
  isolated = "LINK_PARAM_ISOLATED", port_fwd_mask = "LINK_PARAM_PORT_FWD_MASK" }
local states = { disabled = 0, listening = 1, learning = 2, forwarding = 3, blocking = 4 }
-- The device is down while its name changes, and up last.
local order = { "name", "address", "mtu", "carrier", "txqlen", "anyip", "arp", "promisc",
  "allmulti", "master", "reorder_hdr", "loose_binding", "ingress_qos", "egress_qos", "ageing_time",
  "group_fwd_mask", "fdb_max_learned", "up", "learning", "flood", "mcast_flood", "bcast_flood",
  "hairpin", "isolated", "port_fwd_mask", "state" }
local link_options = set(table.concat(order, " ") .. " netns dev")

local function change(host, ifindex, param, value, bytes)
  op("link_set", { host = host.id, ifindex = ifindex, param = C[param], value = value, bytes = bytes })
end

local function set_maps(host, ifindex, param, map)
  for from, to in pairs(map) do
    change(host, ifindex, param, 0, (">I4I4"):pack(from, to))
  end
end

-- Moves it; the objects that stand for it follow. Returns where it is now.
local function set_netns(host, ifindex, target)
  target = net_of(host, target, "host:link")
  local name
  for _, entry in ipairs(link.list(host)) do
    if entry.ifindex == ifindex then name = entry.name end
  end
  change(host, ifindex, "LINK_PARAM_NETNS", target.id)
  local now = link.find(target, name).ifindex
  for i, nic in ipairs(host.nics) do
    if nic.ifindex == ifindex then
      table.remove(host.nics, i)
      nic.host, nic.ifindex, nic.addr, nic.broadcasts = target, now, nil, {}
      target.nics[#target.nics + 1] = nic
      target.wire, target.mac = target.wire or nic.wire, target.mac or nic.mac
      break
    end
  end
  return target, now
end

-- What is not just a number to be set.
local special = {
  name = function(host, ifindex, value, dev)
    change(host, ifindex, "LINK_PARAM_NAME", 0, value)
    if type(dev) == "table" then dev.name = value end
  end,
  address = function(host, ifindex, value)
    change(host, ifindex, "LINK_PARAM_ADDRESS", 0, address(value, 6, "address"))
  end,
  master = function(host, ifindex, value)
    change(host, ifindex, "LINK_PARAM_MASTER", value and link.ifindex(host, value) or 0)
  end,
  ingress_qos = function(host, ifindex, map) set_maps(host, ifindex, "LINK_PARAM_INGRESS_QOS", map) end,
  egress_qos = function(host, ifindex, map) set_maps(host, ifindex, "LINK_PARAM_EGRESS_QOS", map) end,
  state = function(host, ifindex, value)
    change(host, ifindex, "LINK_PARAM_STATE", states[value] or value)
  end,
}

-- `ip link set`, `bridge link set`.
function link.set(host, o)
  o = options("host:link", o, link_options)
  local ifindex = link.ifindex(host, o.dev)
  if o.netns ~= nil then
    host, ifindex = set_netns(host, ifindex, o.netns)
    if type(o.dev) == "table" then o.dev.host, o.dev.ifindex = host, ifindex end
  end
  for _, key in ipairs(order) do
    if o[key] ~= nil and special[key] then
      special[key](host, ifindex, o[key], o.dev)
    elseif o[key] ~= nil then
      change(host, ifindex, params[key], o[key])
    end
  end
end

-- The forwarding database of a bridge ------------------------------------------------------------

local fdb_options = set "addr dev action permanent static sticky self"
local actions = { add = C.FDB_ADD, replace = C.FDB_REPLACE, del = C.FDB_DEL, flush = C.FDB_FLUSH }

-- `bridge fdb`.
function link.fdb(host, o)
  o = options("host:fdb", o, fdb_options)
  local action = actions[o.action or "add"]
  if not action then raise(("host:fdb: unknown action %s"):format(tap.repr(o.action))) end
  op("fdb_set", { host = host.id, ifindex = link.ifindex(host, o.dev), action = action,
    flags = (o.permanent and C.FDB_F_LOCAL or 0) | (o.static and C.FDB_F_STATIC or 0) |
      (o.sticky and C.FDB_F_STICKY or 0) | (o.self and C.FDB_F_SELF or 0),
    lladdr = o.addr and address(o.addr, 6, "addr") or "" })
end

-- The database as a list of { addr, dev, permanent, static, sticky }; of all bridges, or of one.
function link.fdbs(host, bridge)
  local list = {}
  for line in native.proc(host.id, "bridge fdb"):gmatch("[^\n]+") do
    local addr, dev, rest = line:match("^(%S+) dev (%S+)(.*)$")
    local master = rest:match(" master (%S+)")
    if not bridge or master == bridge then
      list[#list + 1] = { addr = addr, dev = dev, permanent = rest:find(" permanent", 1, true) ~= nil,
        static = rest:find(" static", 1, true) ~= nil, sticky = rest:find(" sticky", 1, true) ~= nil }
    end
  end
  return list
end

function link.methods(Host)
  Host.netns, Host.netns_del = link.netns, link.netns_del
  Host.link_add, Host.link_del, Host.link = link.add, link.del, link.set
  Host.links, Host.dev = link.list, link.get
  Host.fdb, Host.fdbs = link.fdb, link.fdbs
end

return link
