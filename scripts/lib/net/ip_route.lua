-- SPDX-License-Identifier: MIT
-- host:ip "route ..." and host:ip "rule ...". Reference: docs/lua.md, "Devices and namespaces".
local _, native = ...
local util = require "net.util"
local words = require "net.words"

local ip_route = {}

-- ip route ---------------------------------------------------------------------------------------

local route_types = util.set "unicast blackhole unreachable prohibit throw local broadcast multicast"
local tables = { main = 254, ["local"] = 255, default = 253 }
local scopes = { global = 0, site = 200, link = 253, host = 254 }

-- A table's number by its name or number.
local function table_of(w, word)
  return tables[word] or math.tointeger(tonumber(word)) or w:fail("no such table: " .. word)
end

-- Whose a route is: the kernel's or, all that are added, of who added it after booting. Others are
-- not told apart, so that a route is not shown as another than it was asked for.
local function proto_of(w)
  local word = w:value "proto"
  if word ~= "kernel" and word ~= "boot" then
    w:fail(("no such proto here: %s; there are kernel and boot"):format(word))
  end
  return word
end

-- What follows "nexthop", up to the next one.
local function read_nexthop(w)
  local hop = {}
  while w:peek() and w:peek() ~= "nexthop" do
    local word = w:next()
    if word == "via" then hop.via = w:value "via"
    elseif word == "dev" then hop.dev = w:value "dev"
    elseif word == "weight" then hop.weight = w:number "weight"
    elseif word == "onlink" then hop.onlink = true
    else w:fail(("\"%s\" is unknown to nexthop"):format(word)) end
  end
  return hop
end

local route_words = {
  via = function(w, o) o.via = w:value "via" end,
  dev = function(w, o) o.dev = w:value "dev" end,
  src = function(w, o) o.src = w:value "src" end,
  metric = function(w, o) o.metric = w:number "metric" end,
  tos = function(w, o) o.tos = w:number "tos" end,
  table = function(w, o) o.table = table_of(w, w:value "table") end,
  scope = function(w, o)
    local word = w:value "scope"
    o.scope = scopes[word] or math.tointeger(tonumber(word)) or w:fail("no such scope: " .. word)
  end,
  nexthop = function(w, o) o.nexthops = o.nexthops or {} o.nexthops[#o.nexthops + 1] = read_nexthop(w) end,
  congctl = function(w, o) o.congctl = w:value "congctl" end,
  features = function(w, o) o.features = w:value "features" end,
  onlink = function(_, o) o.onlink = true end,
  proto = function(w)
    if proto_of(w) ~= "boot" then w:fail "routes that are added are of proto boot" end
  end,
}

for name in ("mtu window rtt rttvar ssthresh cwnd advmss reordering hoplimit initcwnd rto_min initrwnd quickack"):gmatch "%S+" do
  route_words[name] = function(w, o)
    if w:peek() == "lock" then
      w:next()
      o.lock = (o.lock and o.lock .. " " or "") .. name
    end
    local word = w:value(name)
    if name == "rtt" or name == "rttvar" or name == "rto_min" then
      o[name] = tonumber(word) and word .. "ms" or word
    else
      o[name] = math.tointeger(tonumber(word)) or w:fail(("\"%s %s\" is no number"):format(name, word))
    end
  end
end

local function read_route(w)
  local o = {}
  while w:peek() do
    local word = w:next()
    if route_types[word] and not o.dst and not o.type then
      o.type = word
    elseif route_words[word] then
      route_words[word](w, o)
    elseif o.dst then
      w:fail(("\"%s\" is unknown to route"):format(word))
    else
      o.dst = word == "to" and w:value "to" or word
    end
  end
  if not o.dst then w:fail("which destination?") end
  if o.dst ~= "default" then o.dst = words.with_length(o.dst) end
  return o
end

-- What `show` was told: the table's view, and what an entry must be to be shown.
local function read_show(w)
  local o = { view = "ip route" }
  while w:peek() do
    local word = w:next()
    if word == "table" then
      local name = w:value "table"
      local id = name ~= "all" and table_of(w, name)
      if id ~= tables.main then o.view = "ip route show table " .. (id == tables["local"] and "local" or id or "all") end
    elseif word == "dev" then
      o.dev = w:value "dev"
    elseif word == "proto" then
      o.proto = proto_of(w)
    elseif word == "type" or word == "scope" then
      o[word] = w:value(word)
    elseif route_types[word] then
      o.type = word
    elseif not o.dst then
      o.dst = (word == "to" or word == "exact") and w:value(word) or word
    else
      w:fail(("\"%s\" is unknown to route show"):format(word))
    end
  end
  return o
end

local function show_routes(host, w)
  local o = read_show(w)
  local text = words.filtered(native.proc(host.id, o.view), function(entry)
    local first, second = entry:match "^(%S+) (%S*)"
    local type = route_types[first] and first or "unicast"
    local dst = route_types[first] and second or first
    -- A route of several next hops has no device: those have.
    return (not o.dev or entry:match "^[^\n]* dev (%S+)" == o.dev) and (not o.type or type == o.type) and
      (not o.proto or (entry:match "^[^\n]* proto (%S+)" or "boot") == o.proto) and
      (not o.scope or (entry:match " scope (%S+)" or "global") == o.scope) and
      (not o.dst or dst == o.dst or dst .. "/32" == o.dst)
  end)
  if o.proto then text = text:gsub(" proto " .. o.proto, "") end
  if o.scope then text = text:gsub(" scope " .. o.scope, "") end
  return words.without_dev(text, o.dev)
end

function ip_route.route(host, w)
  local action = w:one_of(w:next() or "show",
    { "add", "replace", "change", "append", "prepend", "delete", "show", "list", "lst", "get" }, "command")
  if action == "show" or action == "list" or action == "lst" then return show_routes(host, w) end
  if action == "get" then
    local rest = table.concat(w, " ", w.at):gsub("^to ", "")
    return native.proc(host.id, "ip route get " .. rest) or
      w:fail("ADDRESS [from ADDRESS] [iif DEV] [oif DEV] [mark N] [tos N] [ipproto P] [sport N] [dport N] [fibmatch]")
  end
  local o = read_route(w)
  if action == "delete" then return w:told(host.route_del, host, o) end
  if action ~= "add" then o.verb = action end
  w:told(host.route, host, o)
end

-- ip rule ----------------------------------------------------------------------------------------

local rule_words = {
  from = function(w, o) o.from = w:value "from" end,
  to = function(w, o) o.to = w:value "to" end,
  tos = function(w, o) o.tos = w:number "tos" end,
  iif = function(w, o) o.iif = w:value "iif" end,
  oif = function(w, o) o.oif = w:value "oif" end,
  fwmark = function(w, o)
    local word = w:value "fwmark"
    local mark, mask = word:match "^([^/]+)/?(.*)$"
    o.fwmark, o.mask = math.tointeger(tonumber(mark)), math.tointeger(tonumber(mask))
    if not o.fwmark or mask ~= "" and not o.mask then w:fail("\"fwmark " .. word .. "\" is no number") end
  end,
  lookup = function(w, o) o.table = table_of(w, w:value "lookup") end,
  suppress_prefixlength = function(w, o) o.suppress_prefixlength = w:number "suppress_prefixlength" end,
  ["goto"] = function(w, o) o.target = w:number "goto" end,
  ["not"] = function(_, o) o.inverted = true end,
}
rule_words.table = rule_words.lookup
rule_words.priority = function(w, o) o.priority = w:number "priority" end
rule_words.pref, rule_words.preference = rule_words.priority, rule_words.priority
for name in ("nop blackhole unreachable prohibit"):gmatch "%S+" do
  rule_words[name] = function(_, o) o.action = name end
end

function ip_route.rule(host, w)
  local action = w:one_of(w:next() or "show", { "add", "delete", "show", "list", "lst" }, "command")
  if action == "show" or action == "list" or action == "lst" then
    return native.proc(host.id, "ip rule")
  end
  local o = {}
  while w:peek() do
    local word = w:next()
    if not rule_words[word] then w:fail(("\"%s\" is unknown to rule"):format(word)) end
    rule_words[word](w, o)
  end
  w:told(action == "add" and host.rule or host.rule_del, host, o)
end

return ip_route
