-- SPDX-License-Identifier: MIT
-- The commands that a Linux user types: host:ip "link add ...", host:bridge "fdb show". What shows
-- something returns its text, as iproute2 prints it. Reference: docs/lua.md, "Devices and namespaces".
local _, native = ...
local link = require "net.link"
local ip_neigh = require "net.ip_neigh"
local ip_route = require "net.ip_route"
local words = require "net.words"

local ip = {}

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
  if dev then w:told(link.get, host, dev) end
  return words.filtered(native.proc(host.id, view), function(entry)
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
  return w:told(link.add, host, o)
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
  w:told(link.set, host, o)
end

local function dev_word(w)
  local word = w:value "dev"
  return word == "dev" and w:value "dev" or word
end

local function ip_link(host, w, flags)
  local action = w:one_of(w:next() or "show", { "add", "set", "delete", "show", "list", "lst" },
    "command")
  if action == "add" then return link_add(host, w) end
  if action == "set" then return link_set(host, w) end
  if action == "delete" then return w:told(link.del, host, dev_word(w)) end
  return show_links(host, w, "ip " .. flags .. "link")
end

-- ip addr ----------------------------------------------------------------------------------------

-- "brd +": the highest address of the network.
local function broadcast_of(text)
  local a, b, c, d, len = text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)/(%d+)$")
  local bytes = string.char(tonumber(a), tonumber(b), tonumber(c), tonumber(d))
  local mask = (1 << 32 - tonumber(len)) - 1
  return native.address_text((">I4"):pack((">I4"):unpack(bytes) | mask))
end

local function flush_addrs(host, w, dev)
  local text = words.filtered(native.proc(host.id, "ip addr"), function(entry)
    return entry:match("^%d+: ([^:@]+)") == dev
  end)
  for addr in text:gmatch("inet6? (%S+)") do
    -- Secondaries may have gone with their primary.
    if native.proc(host.id, "ip addr"):find(" " .. addr .. " ", 1, true) then
      w:told(host.addr_del, host, addr, { dev = dev })
    end
  end
end

-- -4: only devices that have an address of IPv4, and not the line of their link.
local function only_inet(text)
  local kept = {}
  for _, entry in ipairs(words.entries(text)) do
    if entry:find("\n    inet ", 1, true) then
      kept[#kept + 1] = entry:gsub("\n    link/[^\n]*", ""):gsub("\n    inet6 [^\n]*\n[^\n]*", "")
    end
  end
  return table.concat(kept)
end

local function ip_addr(host, w, flags, inet)
  local action = w:one_of(w:next() or "show",
    { "add", "replace", "change", "delete", "show", "list", "lst", "flush" }, "command")
  if action == "show" or action == "list" or action == "lst" then
    local text = show_links(host, w, "ip " .. flags:gsub("^%-d ", "") .. "addr")
    return inet and only_inet(text) or text
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
  addr = words.with_length(addr)
  if o.broadcast == "+" then o.broadcast = broadcast_of(addr) end
  if o.broadcast == "-" then o.broadcast = nil end
  if action == "delete" then return w:told(host.addr_del, host, addr, { dev = o.dev }) end
  w:told(host.addr_add, host, addr, o)
end

-- ip netns ---------------------------------------------------------------------------------------

local function ip_netns(host, w)
  local action = w:one_of(w:next() or "list", { "add", "delete", "list", "exec" }, "command")
  if action == "list" then return native.proc(host.id, "ip netns") end
  local name = w:value(action)
  if action == "delete" then return w:told(link.netns_del, host, name) end
  if action == "add" then
    local top = host.host or host
    if top.namespaces and top.namespaces[name] then w:fail("File exists (EEXIST)") end
    return w:told(link.netns, host, name)
  end
  if w:next() ~= "ip" then w:fail("only ip can be run in a namespace: host:netns(name) is what acts in it") end
  return link.netns(host, name):ip(table.concat(w, " ", w.at))
end

-- ip maddr ---------------------------------------------------------------------------------------

local function ip_maddr(host, w, _, inet)
  w:one_of(w:next() or "show", { "show", "list", "lst" }, "command")
  local dev
  while w:peek() do
    local word = w:next()
    dev = word == "dev" and w:value "dev" or word
  end
  if dev then w:told(link.get, host, dev) end
  local text = native.proc(host.id, "ip maddr")
  if inet then text = text:gsub("\tlink [^\n]*\n", "") end
  return words.filtered(text, function(entry)
    return (not dev or entry:match "^%d+:\t([^\n]+)" == dev) and entry:find "\n\t"
  end)
end

-- ip ---------------------------------------------------------------------------------------------

local objects = { address = ip_addr, route = ip_route.route, rule = ip_route.rule, neighbour = ip_neigh, neighbor = ip_neigh,
  link = ip_link, netns = ip_netns, maddress = ip_maddr }
local object_order = { "address", "route", "rule", "neighbor", "neighbour", "link", "netns", "maddress" }

function ip.ip(host, command)
  local w = words.read(command, "ip")
  local flags, inet = {}, false
  while w:peek() and w:peek():sub(1, 1) == "-" do
    local flag = w:next():gsub("^%-+", "")
    if flag == "n" or flag == "netns" then
      host = link.netns(host, w:value "-n")
    elseif flag:find("^s") then
      flags[#flags + 1] = "-s "
      if flag == "ss" then flags[#flags + 1] = "-s " end
    elseif flag:find("^d") then
      flags = { "-d " }
    elseif flag == "4" then
      inet = true
    else
      w:fail(("option -%s is not known: -s, -d, -4, -n NETNS"):format(flag))
    end
  end
  local object = w:one_of(w:next() or w:fail("which object?"), object_order, "object")
  return objects[object](host, w, table.concat(flags), inet)
end

-- bridge -----------------------------------------------------------------------------------------

local function bridge_fdb(host, w, flags)
  local action = w:one_of(w:next() or "show", { "show", "add", "append", "replace", "delete", "flush" },
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
    return words.filtered(native.proc(host.id, "bridge " .. flags .. "fdb"), function(entry)
      return (not br or entry:match(" master (%S+)") == br) and
        (not o.dev or entry:match(" dev (%S+)") == o.dev)
    end)
  end
  -- As bridge(8): permanent unless told otherwise.
  if action ~= "flush" and not o.static and not o.dynamic then o.permanent = true end
  o.dynamic = nil
  if action == "delete" then o.permanent, o.static = nil, nil end
  w:told(link.fdb, host, o)
end

function ip.bridge(host, command)
  local w = words.read(command, "bridge")
  local flags = ""
  while w:peek() and w:peek():sub(1, 1) == "-" do
    local flag = w:next()
    if flag ~= "-s" and flag ~= "-statistics" then w:fail("option " .. flag .. " is not known: -s") end
    flags = "-s "
  end
  local object = w:one_of(w:next() or w:fail("which object?"), { "fdb", "link" }, "object")
  if object == "fdb" then return bridge_fdb(host, w, flags) end
  local action = w:one_of(w:next() or "show", { "show", "list", "set" }, "command")
  if action ~= "set" then return show_links(host, w, "bridge link") end
  local o = {}
  read_port(w, o)
  if not o.dev then w:fail("which device?") end
  w:told(link.set, host, o)
end

function ip.methods(Host)
  Host.ip, Host.bridge = ip.ip, ip.bridge
end

return ip
