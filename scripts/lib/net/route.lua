-- SPDX-License-Identifier: MIT
-- Routes, rules and neighbours of a host. Reference: docs/lua.md. In the words of `ip`: net.ip_route,
-- net.ip_neigh.
local tap = require "tap"
local util = require "net.util"
local link = require "net.link"

local C, raise, op = util.C, util.raise, util.op
local options, set, duration = util.options, util.set, util.duration
local address, ip_address, prefix = util.address, util.ip_address, util.prefix

local route = {}

local function device(host, o) return link.ifindex(host, o and o.dev) end

-- Routes -----------------------------------------------------------------------------------------

local route_types = { unicast = C.RTN_UNICAST, blackhole = C.RTN_BLACKHOLE,
  unreachable = C.RTN_UNREACHABLE, prohibit = C.RTN_PROHIBIT, throw = C.RTN_THROW,
  ["local"] = C.RTN_LOCAL, broadcast = C.RTN_BROADCAST }
local route_metrics = { mtu = C.RTAX_MTU, window = C.RTAX_WINDOW, rtt = C.RTAX_RTT, rttvar = C.RTAX_RTTVAR,
  ssthresh = C.RTAX_SSTHRESH, cwnd = C.RTAX_CWND, advmss = C.RTAX_ADVMSS,
  reordering = C.RTAX_REORDERING, hoplimit = C.RTAX_HOPLIMIT, initcwnd = C.RTAX_INITCWND,
  rto_min = C.RTAX_RTO_MIN, initrwnd = C.RTAX_INITRWND, quickack = C.RTAX_QUICKACK }
local route_verbs = { add = C.ROUTE_ADD, replace = C.ROUTE_REPLACE, change = C.ROUTE_CHANGE,
  append = C.ROUTE_APPEND, prepend = C.ROUTE_PREPEND, delete = C.ROUTE_DELETE }
local route_options = set [[dst via dev src metric tos type table scope onlink nexthops lock congctl
  features verb]]
for name in pairs(route_metrics) do route_options[name] = true end

-- The metrics as OP_ROUTE carries them (stack/rtnetlink.h): rtt in 1/8 ms, rttvar in 1/4 ms, rto_min
-- in ms; all of them times for the script. What "lock" names is locked, rto_min always.
local function route_attrs(o)
  local locked, parts = {}, {}
  for name in (o.lock or ""):gmatch "%S+" do
    if not route_metrics[name] then raise("host:route: there is no metric " .. tap.repr(name)) end
    locked[name] = true
  end
  for name, id in pairs(route_metrics) do
    local value = o[name]
    if name == "quickack" and type(value) == "boolean" then value = value and 1 or 0 end
    if value and (name == "rtt" or name == "rttvar" or name == "rto_min") then
      value = duration(value, name) // 1000000 * (name == "rtt" and 8 or name == "rttvar" and 4 or 1)
    end
    if value then
      if locked[name] or name == "rto_min" then id = id | 0x80 end
      parts[#parts + 1] = ("<I1I4"):pack(id, value)
    end
  end
  if o.features then
    if o.features ~= "ecn" then raise("host:route: features may be \"ecn\"") end
    parts[#parts + 1] = ("<I1I4"):pack(C.RTAX_FEATURES, 1)
  end
  return table.concat(parts)
end

local function route_nexthop(host, o)
  local gateway = o.via and address(o.via, 4, "via") or "\0\0\0\0"
  return ("<I4I4I1"):pack(o.dev and device(host, o) or 0, o.onlink and C.RTNH_F_ONLINK or 0,
    o.weight or 1) .. gateway
end

local function route_fields(host, o)
  o = options("host:route", o, route_options)
  local via, src = o.via and ip_address(o.via, "via"), o.src and ip_address(o.src, "src")
  local dst, len = ("\0"):rep(#(via or src or "\0\0\0\0")), 0
  if o.dst ~= "default" then dst, len = prefix(o.dst, "dst") end
  local kind = route_types[o.type or "unicast"]
  if not kind then raise("host:route: unknown type " .. tap.repr(o.type)) end
  return {
    host = host.id, table = o.table or 0, type = kind, scope = o.scope or 255, tos = o.tos,
    metric = o.metric, oif = o.dev and device(host, o) or 0, prefix_len = len, mtu = o.mtu,
    flags = o.onlink and C.RTNH_F_ONLINK or 0, dst = dst,
    gateway = via, prefsrc = src,
  }
end

local function is_ip6(o)
  return (o.dst or ""):find(":", 1, true) or (o.via or ""):find(":", 1, true)
end

-- IPv4, with all that `ip route` can say.
local function route4(host, o)
  o = options("host:route", o, route_options)
  local dst, len = "", 0
  if o.dst ~= "default" then dst, len = prefix(o.dst, "dst") end
  local kind = route_types[o.type or "unicast"]
  local verb = route_verbs[o.verb or "add"]
  if not kind then raise("host:route: unknown type " .. tap.repr(o.type)) end
  if not verb then raise("host:route: unknown verb " .. tap.repr(o.verb)) end
  local hops = {}
  if o.nexthops then
    for i, hop in ipairs(o.nexthops) do hops[i] = route_nexthop(host, hop) end
  elseif o.via or o.dev then
    hops[1] = route_nexthop(host, o)
  end
  op("route", { host = host.id, verb = verb, table = o.table or 0, type = kind,
    scope = o.scope or 255, tos = o.tos, metric = o.metric, prefix_len = len, dst = dst,
    prefsrc = o.src and address(o.src, 4, "src"), attrs = route_attrs(o),
    nexthops = table.concat(hops), congctl = o.congctl })
end

function route.add(host, o)
  if type(o) == "table" and not is_ip6(o) then return route4(host, o) end
  local fields = route_fields(host, o)
  if o.via then fields.scope = o.scope or 0 end
  op("route_add", fields)
end

function route.del(host, o)
  if type(o) == "table" and not is_ip6(o) then
    local copy = {}
    for k, v in pairs(o) do copy[k] = v end
    copy.verb = "delete"
    return route4(host, copy)
  end
  op("route_del", route_fields(host, o))
end

-- Rules ------------------------------------------------------------------------------------------

local rule_actions = { lookup = C.FR_ACT_TO_TBL, ["goto"] = C.FR_ACT_GOTO, nop = C.FR_ACT_NOP,
  blackhole = C.FR_ACT_BLACKHOLE, unreachable = C.FR_ACT_UNREACHABLE, prohibit = C.FR_ACT_PROHIBIT }
local rule_tables = { main = 254, ["local"] = 255, default = 253 }
local rule_options = set [[priority action table from to tos fwmark mask iif oif target inverted
  suppress_prefixlength]]

-- A bare address is a prefix of its own.
local function rule_prefix(text, name)
  return prefix(text:find("/", 1, true) and text or text .. "/32", name)
end

local function rule_op(host, o, remove)
  o = options("host:rule", o, rule_options)
  local src, src_len, dst, dst_len = "", 0, "", 0
  if o.from and o.from ~= "all" then src, src_len = rule_prefix(o.from, "from") end
  if o.to and o.to ~= "all" then dst, dst_len = rule_prefix(o.to, "to") end
  local action = o.action or o.target and "goto" or (o.table or not remove) and "lookup"
  if action and not rule_actions[action] then
    raise("host:rule: unknown action " .. tap.repr(action))
  end
  op("rule", { host = host.id, remove = remove and 1 or 0, priority = o.priority or 0xffffffff,
    action = action and rule_actions[action] or 0,
    table = rule_tables[o.table] or o.table or (action == "lookup" and not remove and 254 or 0),
    flags = o.inverted and 2 or 0, tos = o.tos, mark = o.fwmark, mask = o.mask,
    iif = o.iif and device(host, { dev = o.iif }) or 0, oif = o.oif and device(host, { dev = o.oif }) or 0,
    src_len = src_len, dst_len = dst_len, suppress = o.suppress_prefixlength and o.suppress_prefixlength + 1 or 0,
    target = o.target, src = src, dst = dst })
end

-- `ip rule add`, `ip rule del`.
function route.rule(host, o) rule_op(host, o, false) end
function route.rule_del(host, o) rule_op(host, o, true) end

-- Neighbours -------------------------------------------------------------------------------------

local neigh_states = { none = C.NUD_NONE, incomplete = C.NUD_INCOMPLETE,
  reachable = C.NUD_REACHABLE, stale = C.NUD_STALE, delay = C.NUD_DELAY, probe = C.NUD_PROBE,
  failed = C.NUD_FAILED, noarp = C.NUD_NOARP, permanent = C.NUD_PERMANENT }
local neigh_options = set "addr mac state dev"

function route.neigh(host, o)
  o = options("host:neigh", o, neigh_options)
  local state = neigh_states[o.state or "permanent"]
  if not state then raise("host:neigh: unknown state " .. tap.repr(o.state)) end
  op("neigh_set", { host = host.id, ifindex = device(host, o), state = state,
    addr = address(o.addr, 4, "addr"), lladdr = o.mac and address(o.mac, 6, "mac") })
end

-- `ip neigh add proxy`, `ip neigh del proxy`.
function route.neigh_proxy(host, addr, o)
  op("neigh_proxy", { host = host.id, ifindex = device(host, o), remove = o and o.remove and 1 or 0, addr = address(addr, 4, "addr") })
end

function route.neigh_del(host, addr, o)
  op("neigh_del", { host = host.id, ifindex = device(host, o), addr = address(addr, 4, "addr") })
end

function route.methods(Host)
  Host.route, Host.route_del = route.add, route.del
  Host.rule, Host.rule_del = route.rule, route.rule_del
  Host.neigh, Host.neigh_del, Host.neigh_proxy = route.neigh, route.neigh_del, route.neigh_proxy
end

return route
