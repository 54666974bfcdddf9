-- SPDX-License-Identifier: MIT
-- The commands that a Linux user types: host:ip "link add ...", host:bridge "fdb show". What shows
-- something returns its text, as iproute2 prints it. Reference: docs/lua.md, "Devices and namespaces".
local _, native = ...
local util = require "net.util"
local link = require "net.link"

local raise = util.raise

local ip = {}

-- Words ------------------------------------------------------------------------------------------

-- A command as it is read, word by word.
local Words = {}
Words.__index = Words

local function words(command, tool)
  if type(command) ~= "string" then raise(("host:%s takes a command as text"):format(tool)) end
  local list = setmetatable({ tool = tool, command = command, at = 1 }, Words)
  for word in command:gmatch("%S+") do list[#list + 1] = word end
  if list[1] == tool then list.at = 2 end
  return list
end

function Words:peek() return self[self.at] end

function Words:next()
  local word = self[self.at]
  self.at = self.at + 1
  return word
end

function Words:fail(why)
  raise(("%s %s: %s"):format(self.tool, self.command, why))
end

-- What must follow a keyword.
function Words:value(keyword)
  local word = self:next()
  if not word then self:fail(("\"%s\" wants a value behind it"):format(keyword)) end
  return word
end

function Words:number(keyword)
  local word = self:value(keyword)
  local number = math.tointeger(tonumber(word))
  if not number then self:fail(("\"%s %s\" is no number"):format(keyword, word)) end
  return number
end

function Words:onoff(keyword)
  local word = self:value(keyword)
  if word ~= "on" and word ~= "off" then self:fail(("\"%s\" is on or off"):format(keyword)) end
  return word == "on"
end

-- "1:2 3:4" as { [1] = 2, [3] = 4 }.
function Words:map()
  local map = {}
  while self:peek() and self:peek():find("^%d+:%d+$") do
    local from, to = self:next():match("^(%d+):(%d+)$")
    map[tonumber(from)] = tonumber(to)
  end
  return map
end

-- One of a list, or what begins like it (the first that does).
local function match(self, word, list, what)
  for _, name in ipairs(list) do
    if name:sub(1, #word) == word then return name end
  end
  self:fail(("%s \"%s\" is unknown; there are: %s"):format(what, word, table.concat(list, ", ")))
end

-- Runs f; what goes wrong is told with the command.
local function told(w, f, ...)
  local result = table.pack(pcall(f, ...))
  if not result[1] then w:fail((tostring(result[2]):gsub("^[^ ]*:%d+: ", ""))) end
  return table.unpack(result, 2, result.n)
end

-- Views ------------------------------------------------------------------------------------------

-- A view's entries: a line that begins without a blank, and those behind it that begin with one.
local function entries(text)
  local list = {}
  for line in text:gmatch("[^\n]*\n") do
    if line:find("^ ") and #list > 0 then
      list[#list] = list[#list] .. line
    else
      list[#list + 1] = line
    end
  end
  return list
end

local function filtered(text, wants)
  local kept = {}
  for _, entry in ipairs(entries(text)) do
    if wants(entry) then kept[#kept + 1] = entry end
  end
  return table.concat(kept)
end

local function show_links(host, w, view)
  local dev, master, up
  while w:peek() do
    local word = w:next()
    if word == "master" then
      master = w:value "master"
    elseif word == "up" then
      up = true
    else
      dev = word == "dev" and w:value "dev" or word
    end
  end
  if dev then told(w, link.get, host, dev) end
  return filtered(native.proc(host.id, view), function(entry)
    return (not dev or entry:match("^%d+: ([^:@]+)") == dev) and
      (not master or entry:match(" master (%S+)") == master) and
      (not up or entry:find("[<,]UP[,>]") ~= nil)
  end)
end

-- ip link ----------------------------------------------------------------------------------------

local kind_words = {
  id = function(w, o) o.id = w:number "id" end,
  protocol = function(w, o) o.protocol = w:value "protocol" end,
  proto = function(w, o) o.protocol = w:value "proto" end,
  reorder_hdr = function(w, o) o.reorder_hdr = w:onoff "reorder_hdr" end,
  loose_binding = function(w, o) o.loose_binding = w:onoff "loose_binding" end,
  ["ingress-qos-map"] = function(w, o) o.ingress_qos = w:map() end,
  ["egress-qos-map"] = function(w, o) o.egress_qos = w:map() end,
  ageing_time = function(w, o) o.ageing_time = w:number "ageing_time" end,
  group_fwd_mask = function(w, o) o.group_fwd_mask = w:number "group_fwd_mask" end,
  fdb_max_learned = function(w, o) o.fdb_max_learned = w:number "fdb_max_learned" end,
  stp_state = function(w)
    if w:number "stp_state" ~= 0 then w:fail("there is no spanning tree: stp_state is 0") end
  end,
}

local function read_peer(w, o)
  o.peer = {}
  while w:peek() == "name" or w:peek() == "netns" do
    local word = w:next()
    o.peer[word] = w:value(word)
  end
end

local function read_kind(w, o, kind)
  while w:peek() do
    local word = w:next()
    if word == "peer" and kind == "veth" then
      read_peer(w, o)
    elseif kind_words[word] then
      kind_words[word](w, o)
    else
      w:fail(("\"%s\" is unknown to type %s"):format(word, kind))
    end
  end
end

local link_words = {
  mtu = function(w, o) o.mtu = w:number "mtu" end,
  address = function(w, o) o.address = w:value "address" end,
  netns = function(w, o) o.netns = w:value "netns" end,
  master = function(w, o) o.master = w:value "master" end,
  nomaster = function(_, o) o.master = false end,
  up = function(_, o) o.up = true end,
  down = function(_, o) o.up = false end,
  arp = function(w, o) o.arp = w:onoff "arp" end,
  promisc = function(w, o) o.promisc = w:onoff "promisc" end,
  allmulticast = function(w, o) o.allmulti = w:onoff "allmulticast" end,
  carrier = function(w, o) o.carrier = w:onoff "carrier" end,
  txqueuelen = function(w, o) o.txqlen = w:number "txqueuelen" end,
  txqlen = function(w, o) o.txqlen = w:number "txqlen" end,
  qlen = function(w, o) o.txqlen = w:number "qlen" end,
}

local function link_add(host, w)
  local o = {}
  while w:peek() do
    local word = w:next()
    if word == "type" then
      o.type = w:value "type"
      read_kind(w, o, o.type)
    elseif word == "link" then
      o.link = w:value "link"
    elseif link_words[word] then
      link_words[word](w, o)
    else
      o.name = (word == "name" or word == "dev") and w:value(word) or word
    end
  end
  return told(w, link.add, host, o)
end

local port_words = { learning = true, flood = true, mcast_flood = true, bcast_flood = true,
  hairpin = true, isolated = true }

-- `bridge link set dev X ...`, and `ip link set X type bridge_slave ...`.
local function read_port(w, o)
  while w:peek() do
    local word = w:next()
    if port_words[word] then
      o[word] = w:onoff(word)
    elseif word == "state" then
      o.state = math.tointeger(tonumber(w:peek())) or w:peek()
      w:next()
    elseif word == "group_fwd_mask" then
      o.port_fwd_mask = w:number "group_fwd_mask"
    elseif word == "dev" then
      o.dev = w:value "dev"
    else
      w:fail(("\"%s\" is no setting of a port"):format(word))
    end
  end
end

local function link_set(host, w)
  local o = {}
  while w:peek() do
    local word = w:next()
    if word == "type" then
      local kind = w:value "type"
      if kind == "bridge_slave" then read_port(w, o) else read_kind(w, o, kind) end
    elseif word == "name" and o.dev then
      o.name = w:value "name"
    elseif link_words[word] then
      link_words[word](w, o)
    elseif o.dev then
      w:fail(("\"%s\" is unknown to link set"):format(word))
    else
      o.dev = word == "dev" and w:value "dev" or word
    end
  end
  if not o.dev then w:fail("which device?") end
  told(w, link.set, host, o)
end

local function dev_word(w)
  local word = w:value "dev"
  return word == "dev" and w:value "dev" or word
end

local function ip_link(host, w, flags)
  local action = match(w, w:next() or "show", { "add", "set", "delete", "show", "list", "lst" },
    "command")
  if action == "add" then return link_add(host, w) end
  if action == "set" then return link_set(host, w) end
  if action == "delete" then return told(w, link.del, host, dev_word(w)) end
  return show_links(host, w, "ip " .. flags .. "link")
end

-- ip addr ----------------------------------------------------------------------------------------

local function with_length(text)
  if text:find("/", 1, true) then return text end
  return text .. (text:find(":", 1, true) and "/128" or "/32")
end

-- "brd +": the highest address of the network.
local function broadcast_of(text)
  local a, b, c, d, len = text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)/(%d+)$")
  local bytes = string.char(tonumber(a), tonumber(b), tonumber(c), tonumber(d))
  local mask = (1 << 32 - tonumber(len)) - 1
  return native.address_text((">I4"):pack((">I4"):unpack(bytes) | mask))
end

local function flush_addrs(host, w, dev)
  local text = filtered(native.proc(host.id, "ip addr"), function(entry)
    return entry:match("^%d+: ([^:@]+)") == dev
  end)
  for addr in text:gmatch("inet6? (%S+)") do
    -- Secondaries may have gone with their primary.
    if native.proc(host.id, "ip addr"):find(" " .. addr .. " ", 1, true) then
      told(w, host.addr_del, host, addr, { dev = dev })
    end
  end
end

local function ip_addr(host, w)
  local action = match(w, w:next() or "show",
    { "add", "replace", "change", "delete", "show", "list", "lst", "flush" }, "command")
  if action == "show" or action == "list" or action == "lst" then
    return show_links(host, w, "ip addr")
  end
  local o, addr = {}, nil
  while w:peek() do
    local word = w:next()
    if word == "dev" then
      o.dev = w:value "dev"
    elseif word == "brd" or word == "broadcast" then
      o.broadcast = w:value(word)
    elseif word == "scope" or word == "valid_lft" or word == "preferred_lft" then
      w:fail(("\"%s\" can not be set"):format(word))
    else
      addr = word == "local" and w:value "local" or word
    end
  end
  if not o.dev then w:fail("Not enough information: \"dev\" argument is required.") end
  if action == "flush" then return flush_addrs(host, w, o.dev) end
  if not addr then w:fail("which address?") end
  addr = with_length(addr)
  if o.broadcast == "+" then o.broadcast = broadcast_of(addr) end
  if o.broadcast == "-" then o.broadcast = nil end
  if action == "delete" then return told(w, host.addr_del, host, addr, { dev = o.dev }) end
  told(w, host.addr_add, host, addr, o)
end

-- ip route ---------------------------------------------------------------------------------------

local route_types = util.set "unicast blackhole unreachable prohibit throw local broadcast"
local tables = { main = 254, ["local"] = 255, default = 253 }
local scopes = { global = 0, site = 200, link = 253, host = 254 }
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
  table = function(w, o)
    local word = w:value "table"
    o.table = tables[word] or math.tointeger(tonumber(word)) or w:fail("no such table: " .. word)
  end,
  scope = function(w, o)
    local word = w:value "scope"
    o.scope = scopes[word] or math.tointeger(tonumber(word)) or w:fail("no such scope: " .. word)
  end,
  nexthop = function(w, o) o.nexthops = o.nexthops or {} o.nexthops[#o.nexthops + 1] = read_nexthop(w) end,
  congctl = function(w, o) o.congctl = w:value "congctl" end,
  features = function(w, o) o.features = w:value "features" end,
  onlink = function(_, o) o.onlink = true end,
  proto = function(w) w:value "proto" end,
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
  if o.dst ~= "default" then o.dst = with_length(o.dst) end
  return o
end

local function show_routes(host, w)
  local view, dev = "ip route", nil
  while w:peek() do
    local word = w:next()
    if word == "table" then
      local name = w:value "table"
      if name == "local" or name == "255" then view = "ip route show table local"
      elseif name ~= "main" and name ~= "254" then
        view = "ip route show table " .. (tables[name] or name)
        if not tonumber(tables[name] or name) then w:fail("no such table: " .. name) end
      end
    elseif word == "dev" then
      dev = w:value "dev"
    else
      w:fail(("\"%s\" is unknown to route show"):format(word))
    end
  end
  return filtered(native.proc(host.id, view), function(entry)
    return not dev or entry:match(" dev (%S+)") == dev
  end)
end

local function ip_route(host, w)
  local action = match(w, w:next() or "show",
    { "add", "replace", "change", "append", "prepend", "delete", "show", "list", "lst", "get" }, "command")
  if action == "show" or action == "list" or action == "lst" then return show_routes(host, w) end
  if action == "get" then
    local rest = table.concat(w, " ", w.at):gsub("^to ", "")
    return native.proc(host.id, "ip route get " .. rest) or
      w:fail("ADDRESS, or ADDRESS from ADDRESS")
  end
  local o = read_route(w)
  if action == "delete" then return told(w, host.route_del, host, o) end
  if action ~= "add" then o.verb = action end
  told(w, host.route, host, o)
end

-- ip rule ----------------------------------------------------------------------------------------

local function table_of(w, word)
  return tables[word] or math.tointeger(tonumber(word)) or w:fail("no such table: " .. word)
end

local rule_words = {
  from = function(w, o) o.from = w:value "from" end,
  to = function(w, o) o.to = w:value "to" end,
  tos = function(w, o) o.tos = w:number "tos" end,
  iif = function(w, o) o.iif = w:value "iif" end,
  oif = function(w, o) o.oif = w:value "oif" end,
  fwmark = function(w, o)
    local mark, mask = w:value "fwmark":match "^([^/]+)/?(.*)$"
    o.fwmark, o.mask = math.tointeger(tonumber(mark)), math.tointeger(tonumber(mask))
    if not o.fwmark then w:fail("\"fwmark " .. mark .. "\" is no number") end
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

local function ip_rule(host, w)
  local action = match(w, w:next() or "show", { "add", "delete", "show", "list", "lst" }, "command")
  if action == "show" or action == "list" or action == "lst" then
    return native.proc(host.id, "ip rule")
  end
  local o = {}
  while w:peek() do
    local word = w:next()
    if not rule_words[word] then w:fail(("\"%s\" is unknown to rule"):format(word)) end
    rule_words[word](w, o)
  end
  told(w, action == "add" and host.rule or host.rule_del, host, o)
end

-- ip neigh ---------------------------------------------------------------------------------------

local function ip_neigh(host, w)
  local action = match(w, w:next() or "show",
    { "add", "replace", "change", "delete", "show", "list", "lst", "flush" }, "command")
  local o = {}
  while w:peek() do
    local word = w:next()
    if word == "dev" then
      o.dev = w:value "dev"
    elseif word == "lladdr" then
      o.mac = w:value "lladdr"
    elseif word == "nud" then
      o.state = w:value "nud"
    else
      o.addr = word == "to" and w:value "to" or word
    end
  end
  if action == "show" or action == "list" or action == "lst" or action == "flush" then
    local text = filtered(native.proc(host.id, "ip neigh"), function(entry)
      return (not o.dev or entry:match(" dev (%S+)") == o.dev) and
        (not o.addr or entry:match("^(%S+)") == o.addr)
    end)
    if action ~= "flush" then return text end
    for addr, dev, rest in text:gmatch("(%S+) dev (%S+)([^\n]*)\n") do
      if not rest:find("PERMANENT", 1, true) then told(w, host.neigh_del, host, addr, { dev = dev }) end
    end
    return nil
  end
  if not o.addr or not o.dev then w:fail("Device and destination are required arguments.") end
  if action == "delete" then return told(w, host.neigh_del, host, o.addr, { dev = o.dev }) end
  told(w, host.neigh, host, o)
end

-- ip netns ---------------------------------------------------------------------------------------

local function ip_netns(host, w)
  local action = match(w, w:next() or "list", { "add", "delete", "list", "exec" }, "command")
  if action == "list" then return native.proc(host.id, "ip netns") end
  local name = w:value(action)
  if action == "delete" then return told(w, link.netns_del, host, name) end
  if action == "add" then
    local top = host.host or host
    if top.namespaces and top.namespaces[name] then w:fail("File exists (EEXIST)") end
    return told(w, link.netns, host, name)
  end
  if w:next() ~= "ip" then w:fail("only ip can be run in a namespace: host:netns(name) is what acts in it") end
  return link.netns(host, name):ip(table.concat(w, " ", w.at))
end

-- ip ---------------------------------------------------------------------------------------------

local objects = { address = ip_addr, route = ip_route, rule = ip_rule, neighbour = ip_neigh, neighbor = ip_neigh,
  link = ip_link, netns = ip_netns }
local object_order = { "address", "route", "rule", "neighbor", "neighbour", "link", "netns" }

function ip.ip(host, command)
  local w = words(command, "ip")
  local flags = {}
  while w:peek() and w:peek():sub(1, 1) == "-" do
    local flag = w:next():gsub("^%-+", "")
    if flag == "n" or flag == "netns" then
      host = link.netns(host, w:value "-n")
    elseif flag:find("^s") then
      flags[#flags + 1] = "-s "
      if flag == "ss" then flags[#flags + 1] = "-s " end
    elseif flag:find("^d") then
      flags = { "-d " }
    elseif flag ~= "4" then
      w:fail(("option -%s is not known: -s, -d, -4, -n NETNS"):format(flag))
    end
  end
  local object = match(w, w:next() or w:fail("which object?"), object_order, "object")
  return objects[object](host, w, table.concat(flags))
end

-- bridge -----------------------------------------------------------------------------------------

local function bridge_fdb(host, w, flags)
  local action = match(w, w:next() or "show", { "show", "add", "append", "replace", "delete", "flush" },
    "command")
  local o, br = { action = action == "delete" and "del" or action }, nil
  while w:peek() do
    local word = w:next()
    if word == "br" then
      br = w:value "br"
    elseif word == "dev" or word == "brport" then
      o.dev = w:value(word)
    elseif word == "static" or word == "sticky" or word == "self" then
      o[word] = true
    elseif word == "local" or word == "permanent" then
      o.permanent = true
    elseif word == "dynamic" then
      o.dynamic = true
    elseif word ~= "master" then
      o.addr = word
    end
  end
  if action == "show" then
    return filtered(native.proc(host.id, "bridge " .. flags .. "fdb"), function(entry)
      return (not br or entry:match(" master (%S+)") == br) and
        (not o.dev or entry:match(" dev (%S+)") == o.dev)
    end)
  end
  -- As bridge(8): permanent unless told otherwise.
  if action ~= "flush" and not o.static and not o.dynamic then o.permanent = true end
  o.dynamic = nil
  if action == "delete" then o.permanent, o.static = nil, nil end
  told(w, link.fdb, host, o)
end

function ip.bridge(host, command)
  local w = words(command, "bridge")
  local flags = ""
  while w:peek() and w:peek():sub(1, 1) == "-" do
    local flag = w:next()
    if flag ~= "-s" and flag ~= "-statistics" then w:fail("option " .. flag .. " is not known: -s") end
    flags = "-s "
  end
  local object = match(w, w:next() or w:fail("which object?"), { "fdb", "link" }, "object")
  if object == "fdb" then return bridge_fdb(host, w, flags) end
  local action = match(w, w:next() or "show", { "show", "list", "set" }, "command")
  if action ~= "set" then return show_links(host, w, "bridge link") end
  local o = {}
  read_port(w, o)
  if not o.dev then w:fail("which device?") end
  told(w, link.set, host, o)
end

function ip.methods(Host)
  Host.ip, Host.bridge = ip.ip, ip.bridge
end

return ip
