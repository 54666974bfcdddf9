-- SPDX-License-Identifier: MIT
-- net: hosts, wires, peers, sockets and packets of a test's world. Reference: docs/lua.md.
--
-- All that changes the world goes through native.op (one op each) and native.sys (a socket call);
-- all waiting through native.wait. Nothing here knows more of the stack than that.
local _, native = ...
local tap = require "tap"

local net = {}
local C = native.constants()
net.C = C

local raise = native.raise

-- Arguments --------------------------------------------------------------------------------------

-- Refuses what a function does not know: a misspelt option must not be silently ignored.
local function options(what, given, known)
  if given == nil then given = {} end
  if type(given) ~= "table" then raise(what .. ": options are given as a table") end
  for key in pairs(given) do
    if not known[key] then raise(("%s: unknown option '%s'"):format(what, key)) end
  end
  return given
end

local function set(names)
  local result = {}
  for name in names:gmatch("[%w_]+") do result[name] = true end
  return result
end

local unit_ns = { ns = 1, us = 1000, ms = 1000000, s = 1000000000, min = 60000000000,
  h = 3600000000000 }

-- "1.5ms", "10s" or a number of ns, as ns.
local function duration(value, what)
  if math.type(value) == "integer" and value >= 0 then return value end
  if type(value) == "string" then
    local whole, fraction, unit = value:match("^(%d+)%.?(%d*)(%a+)$")
    local ns = unit_ns[unit]
    whole = tonumber(whole)
    if ns and math.type(whole) == "integer" and whole < math.maxinteger // ns and #fraction <= 6 then
      local part = 0
      if fraction ~= "" then part = tonumber(fraction) * ns // math.tointeger(10 ^ #fraction) end
      return whole * ns + part
    end
  end
  raise(("%s: %s is no duration (write \"10ms\", or a number of ns)"):format(what,
    tap.repr(value)))
end

net.duration = function(value) return duration(value, "duration") end

-- The bytes of an address given as text.
local function address(text, len, what)
  local bytes = type(text) == "string" and native.address(text)
  if not bytes or #bytes ~= len then
    raise(("%s: %s is no %s address"):format(what, tap.repr(text), len == 6 and "MAC" or "IPv4"))
  end
  return bytes
end

-- "192.0.2.1/24" as address bytes and prefix length.
local function prefix(text, what)
  local addr, len = tostring(text):match("^(.-)/(%d+)$")
  len = tonumber(len)
  if not addr or len > 32 then raise(("%s: %s is no ADDRESS/LENGTH"):format(what, tap.repr(text))) end
  return address(addr, 4, what), len, addr
end

local function op(name, fields)
  local result, err = native.op(name, fields)
  if not result then raise(("%s: %s"):format(name, err)) end
  return result
end

-- Packets ----------------------------------------------------------------------------------------

for _, proto in ipairs { "eth", "vlan", "llc", "arp", "ip", "ip6", "icmp", "icmp6", "igmp", "udp",
  "tcp" } do
  net[proto] = function(fields) return native.packet(proto, fields or {}) end
end

function net.raw(bytes) return native.packet("payload", { data = bytes }) end

function net.parse(bytes, link)
  return native.parse(bytes, link == "ip" and 101 or 1)
end

-- The fragments of a packet that begins with ip{}, cut at these offsets of its payload.
function net.fragments(packet, offsets)
  local bytes = packet:bytes()
  local ip = native.parse(bytes, 101)
  if not ip.ip then raise("net.fragments: the packet must begin with ip{}") end
  local header = ip.ip.ihl * 4
  local body = bytes:sub(header + 1)
  local list = {}
  local start = 0
  for i = 1, #offsets + 1 do
    local stop = offsets[i] or #body
    if stop % 8 ~= 0 and offsets[i] or stop <= start then
      raise("net.fragments: offsets must be multiples of 8 and grow")
    end
    list[i] = net.ip { src = ip.ip.src, dst = ip.ip.dst, id = ip.ip.id, ttl = ip.ip.ttl,
      tos = ip.ip.tos, proto = ip.ip.proto, off = start // 8, mf = offsets[i] ~= nil } /
      body:sub(start + 1, stop)
    start = stop
  end
  return list
end

-- Time and tasks ---------------------------------------------------------------------------------

net.now = native.now
tap.Test.now = function() return native.now() end

local function sleep_until(deadline)
  while native.wait(deadline, false) do end
end

function net.sleep(time)
  sleep_until(native.now() + duration(time, "sleep"))
end

net.advance = net.sleep

local Task = {}
Task.__index = Task
Task.__name = "task"

function net.spawn(f, ...)
  if type(f) ~= "function" then raise("net.spawn needs a function") end
  local arguments = table.pack(...)
  local task = setmetatable({ waiting = {} }, Task)
  task.number = native.spawn(function()
    task.results = table.pack(f(table.unpack(arguments, 1, arguments.n)))
    task.ended = true
    for _, number in ipairs(task.waiting) do native.wake(number) end
  end)
  return task
end

-- Waits until the task has returned, and returns what it did.
function Task:join()
  self.waiting[#self.waiting + 1] = native.task()
  while not self.ended do native.wait(nil, false) end
  return table.unpack(self.results, 1, self.results.n)
end

-- Wires ------------------------------------------------------------------------------------------

local DEFAULT_DELAY = 1000

local Wire = {}
Wire.__index = Wire
Wire.__name = "wire"

local wire_options = set "delay rate"

function net.wire(o)
  o = options("net.wire", o, wire_options)
  local delay = o.delay and duration(o.delay, "delay") or DEFAULT_DELAY
  local wire = { ends = {}, peers = 0 }
  wire.id = op("wire_add", { delay_ns = delay, rate_bps = o.rate or 0 })
  return setmetatable(wire, Wire)
end

local wire_params = {
  delay = "WIRE_PARAM_DELAY_NS", rate = "WIRE_PARAM_RATE_BPS", loss = "WIRE_PARAM_LOSS_PPM",
  duplicate = "WIRE_PARAM_DUPLICATE_PPM", reorder = "WIRE_PARAM_REORDER_PPM",
  reorder_by = "WIRE_PARAM_REORDER_NS", corrupt = "WIRE_PARAM_CORRUPT_PPM",
  jitter = "WIRE_PARAM_JITTER_NS", drop_next = "WIRE_PARAM_DROP_NEXT",
  queue = "WIRE_PARAM_QUEUE_BYTES",
}
local wire_times = set "delay reorder_by jitter"
local wire_set_options = set "delay rate loss duplicate reorder reorder_by corrupt jitter drop_next queue from"

-- The end where no host is, or nil.
local function free_end(wire)
  if not wire.ends[1] then return 1 end
  if not wire.ends[0] then return 0 end
  return nil
end

-- Whose frames: "host" (end 0), "peer" (the other), nil: both.
local function wire_ends(wire, from)
  if from == nil then return { 0, 1 } end
  if from == "host" then return { 0 } end
  if from == "peer" then return { 1 } end
  for side = 0, 1 do
    if wire.ends[side] and wire.ends[side].host == from then return { side } end
  end
  raise("wire:set: 'from' is \"host\", \"peer\" or a host on the wire")
end

function Wire:set(o)
  o = options("wire:set", o, wire_set_options)
  for _, side in ipairs(wire_ends(self, o.from)) do
    for key, value in pairs(o) do
      if key ~= "from" then
        if wire_times[key] then value = duration(value, key) end
        op("wire_set", { wire = self.id, ["end"] = side, param = C[wire_params[key]],
          value = value })
      end
    end
  end
end

-- Hosts ------------------------------------------------------------------------------------------

local Host = {}
Host.__index = Host
Host.__name = "host"

local Nic = {}
Nic.__index = Nic
Nic.__name = "nic"

local hosts = 0

local function list(value)
  if value == nil then return {} end
  if type(value) == "table" then return value end
  return { value }
end

local nic_options = set "addr mac mtu wire delay rate queues rx_ring tx_ring name model up"

function Host:nic(o)
  o = options("host:nic", o, nic_options)
  local nic = setmetatable({ host = self }, Nic)
  local number = #self.nics
  nic.mac = o.mac or ("02:00:00:00:%02x:%02x"):format(self.id, number + 1)
  nic.name = o.name or "eth" .. number
  nic.wire = o.wire or net.wire { delay = o.delay, rate = o.rate }
  if o.model ~= nil and o.model ~= "tun" then raise("host:nic: the model is \"tun\", or left out") end
  nic.raw = o.model == "tun"
  if nic.raw then native.raw_wire(nic.wire.id) end
  local side = nic.wire.ends[0] and 1 or 0
  if nic.wire.ends[side] then raise("host:nic: both ends of the wire are taken") end
  if side == 1 and nic.wire.peers > 0 then
    raise("host:nic: the wire's other end is played by peers")
  end
  nic.ifindex = op("nic_add", {
    host = self.id, model = o.model == "tun" and C.NIC_MODEL_TUN or C.NIC_MODEL_RING,
    queues = o.queues or 1, rx_ring = o.rx_ring, tx_ring = o.tx_ring, mtu = o.mtu or 1500,
    mac = address(nic.mac, 6, "mac"), name = nic.name,
  })
  op("wire_attach", { wire = nic.wire.id, ["end"] = side, host = self.id, ifindex = nic.ifindex })
  nic.wire.ends[side] = nic
  self.nics[number + 1] = nic
  if o.up ~= false then
    op("link_set", { host = self.id, ifindex = nic.ifindex, param = C.LINK_PARAM_UP, value = 1 })
  end
  for _, addr in ipairs(list(o.addr)) do self:addr_add(addr, { dev = nic }) end
  return nic
end

local host_options = set [[addr mac mtu wire delay rate queues rx_ring tx_ring model up name cpus
  gateway sysctl]]

function net.host(o)
  o = options("net.host", o, host_options)
  local host = setmetatable({ nics = {} }, Host)
  host.name = o.name or "host" .. hosts
  host.id = op("host_add", { cpus = o.cpus or 1, name = host.name })
  hosts = hosts + 1
  for _, setting in ipairs(native.settings()) do host:sysctl(setting[1], setting[2]) end
  for name, value in pairs(o.sysctl or {}) do host:sysctl(name, value) end
  local nic = host:nic {
    addr = o.addr, mac = o.mac, mtu = o.mtu, wire = o.wire, delay = o.delay, rate = o.rate,
    queues = o.queues, rx_ring = o.rx_ring, tx_ring = o.tx_ring, model = o.model, up = o.up,
  }
  host.wire = nic.wire
  host.mac = nic.mac
  if o.gateway then host:route { dst = "default", via = o.gateway } end
  return host
end

local function device(host, o)
  local dev = o and o.dev
  if dev == nil then return host.nics[1].ifindex end
  if type(dev) == "table" then return dev.ifindex end
  return dev
end

local addr_options = set "dev broadcast"

function Host:addr_add(text, o)
  o = options("host:addr_add", o, addr_options)
  local bytes, len, addr = prefix(text, "addr")
  op("addr_add", { host = self.id, ifindex = device(self, o), prefix_len = len, addr = bytes,
    broadcast = o.broadcast and address(o.broadcast, 4, "broadcast") })
  for _, nic in ipairs(self.nics) do
    if nic.ifindex == device(self, o) and not nic.addr then nic.addr = addr end
  end
  self.addr = self.addr or addr
end

function Host:addr_del(text, o)
  local bytes, len = prefix(text, "addr")
  op("addr_del", { host = self.id, ifindex = device(self, o), prefix_len = len, addr = bytes })
end

local route_types = { unicast = C.RTN_UNICAST, blackhole = C.RTN_BLACKHOLE,
  unreachable = C.RTN_UNREACHABLE, prohibit = C.RTN_PROHIBIT, throw = C.RTN_THROW,
  ["local"] = C.RTN_LOCAL, broadcast = C.RTN_BROADCAST }
local route_options = set "dst via dev src metric mtu tos type table scope onlink"

local function route_fields(host, o)
  o = options("host:route", o, route_options)
  local dst, len = "\0\0\0\0", 0
  if o.dst ~= "default" then dst, len = prefix(o.dst, "dst") end
  local kind = route_types[o.type or "unicast"]
  if not kind then raise("host:route: unknown type " .. tap.repr(o.type)) end
  return {
    host = host.id, table = o.table or 0, type = kind, scope = o.scope or 255, tos = o.tos,
    metric = o.metric, oif = o.dev and device(host, o) or 0, prefix_len = len, mtu = o.mtu,
    flags = o.onlink and C.RTNH_F_ONLINK or 0, dst = dst,
    gateway = o.via and address(o.via, 4, "via"), prefsrc = o.src and address(o.src, 4, "src"),
  }
end

function Host:route(o)
  local fields = route_fields(self, o)
  if o.via then fields.scope = o.scope or 0 end
  op("route_add", fields)
end

function Host:route_del(o)
  op("route_del", route_fields(self, o))
end

local neigh_states = { none = C.NUD_NONE, incomplete = C.NUD_INCOMPLETE,
  reachable = C.NUD_REACHABLE, stale = C.NUD_STALE, delay = C.NUD_DELAY, probe = C.NUD_PROBE,
  failed = C.NUD_FAILED, noarp = C.NUD_NOARP, permanent = C.NUD_PERMANENT }
local neigh_options = set "addr mac state dev"

function Host:neigh(o)
  o = options("host:neigh", o, neigh_options)
  local state = neigh_states[o.state or "permanent"]
  if not state then raise("host:neigh: unknown state " .. tap.repr(o.state)) end
  op("neigh_set", { host = self.id, ifindex = device(self, o), state = state,
    addr = address(o.addr, 4, "addr"), lladdr = o.mac and address(o.mac, 6, "mac") })
end

function Host:neigh_del(addr, o)
  op("neigh_del", { host = self.id, ifindex = device(self, o), addr = address(addr, 4, "addr") })
end

local link_params = { up = "LINK_PARAM_UP", mtu = "LINK_PARAM_MTU", promisc = "LINK_PARAM_PROMISC",
  allmulti = "LINK_PARAM_ALLMULTI", address = "LINK_PARAM_ADDRESS", carrier = "LINK_PARAM_CARRIER",
  txqlen = "LINK_PARAM_TXQLEN", anyip = "LINK_PARAM_ANYIP" }
local link_options = set "up mtu promisc allmulti address carrier txqlen anyip dev"

function Host:link(o)
  o = options("host:link", o, link_options)
  for key, value in pairs(o) do
    if key == "address" then
      op("link_set", { host = self.id, ifindex = device(self, o), param = C.LINK_PARAM_ADDRESS,
        bytes = address(value, 6, "address") })
    elseif key ~= "dev" then
      op("link_set", { host = self.id, ifindex = device(self, o), param = C[link_params[key]],
        value = value })
    end
  end
end

local nic_params = { rx_ring = "NIC_PARAM_RX_RING", tx_ring = "NIC_PARAM_TX_RING",
  rx_usecs = "NIC_PARAM_RX_USECS", rx_csum = "NIC_PARAM_RX_CSUM", tx_csum = "NIC_PARAM_TX_CSUM",
  irq_cpu = "NIC_PARAM_IRQ_CPU", gro = "NIC_PARAM_GRO", tx_stall = "NIC_PARAM_TX_STALL",
  irq_lost = "NIC_PARAM_IRQ_LOST", irq_spurious = "NIC_PARAM_IRQ_SPURIOUS" }
local ethtool_options = set [[rx_ring tx_ring rx_usecs rx_csum tx_csum irq_cpu gro tx_stall irq_lost
  irq_spurious dev queue]]

function Host:ethtool(o)
  o = options("host:ethtool", o, ethtool_options)
  for key, value in pairs(o) do
    if key ~= "dev" and key ~= "queue" then
      op("nic_set", { host = self.id, ifindex = device(self, o), param = C[nic_params[key]],
        index = o.queue or 0, value = value })
    end
  end
end

function Host:sysctl(name, value)
  if value == nil then
    local text = native.sysctl(self.id, name)
    if not text then raise(("host:sysctl: there is no sysctl '%s'"):format(name)) end
    return text
  end
  local done, err = native.op("sysctl", { host = self.id, name = name, value = tostring(value) })
  if not done then raise(("host:sysctl: %s = %s: %s"):format(name, value, err)) end
end

function Host:sysctls() return native.sysctls(self.id) end

function Host:counter(name)
  local value = native.counter(self.id, name)
  if not value then raise(("host:counter: there is no counter '%s'"):format(name)) end
  return value
end

function Host:counters() return native.counters(self.id) end

-- The counters that changed since `before` (what host:counters() gave), and by how much. A pattern
-- picks out names.
function Host:changes(before, pattern)
  local result = {}
  for name, value in pairs(native.counters(self.id)) do
    local change = value - (before[name] or 0)
    if change ~= 0 and (not pattern or name:find(pattern)) then result[name] = change end
  end
  return result
end

-- How many packets were dropped for this reason.
function Host:drops(reason) return self:counter("Drop." .. reason) end

function Host:proc(path)
  local text = native.proc(self.id, path)
  if not text then raise(("host:proc: there is no '%s'"):format(path)) end
  return text
end

local fault_options = set "skip count"

function Host:fault(point, o)
  o = options("host:fault", o, fault_options)
  local number = native.names("fault")[point]
  if not number then raise(("host:fault: there is no fault point '%s'"):format(point)) end
  op("fault", { host = self.id, point = number, skip = o.skip, count = o.count })
end

local cost_options = set "irq softirq poll rx_packet rx_byte tx_packet syscall timer"

function Host:cost(o)
  for key, value in pairs(options("host:cost", o, cost_options)) do
    op("cost", { host = self.id, kind = C["COST_" .. key:upper()], ns = duration(value, key) })
  end
end

local hook_places = { pre_routing = C.NF_INET_PRE_ROUTING, local_in = C.NF_INET_LOCAL_IN,
  forward = C.NF_INET_FORWARD, local_out = C.NF_INET_LOCAL_OUT,
  post_routing = C.NF_INET_POST_ROUTING }
local hook_ids = 0
local hook_options = set "priority"

-- Calls f(packet) for every packet at that place; it returns "drop", or "accept" or nothing.
function Host:hook(place, f, o)
  o = options("host:hook", o, hook_options)
  local number = hook_places[place]
  if not number then raise(("host:hook: there is no place '%s'"):format(tostring(place))) end
  if type(f) ~= "function" then raise("host:hook needs a function") end
  hook_ids = hook_ids + 1
  local id = hook_ids
  native.hook(id, f)
  op("hook_add", { host = self.id, family = C.AF_INET, hook = number,
    priority = (o.priority or 0) + (1 << 31), id = id })
  return { remove = function() op("hook_del", { host = self.id, id = id }) end }
end

-- Trace ------------------------------------------------------------------------------------------

-- Records the named events from now on; net.traces() gives the records and forgets them.
function net.trace(...)
  local names = native.names("trace")
  local mask = 0
  for _, name in ipairs { ... } do
    if not names[name] then raise(("net.trace: there is no event '%s'"):format(name)) end
    mask = mask | 1 << names[name]
  end
  native.trace(mask)
end

net.traces = native.traces
net.check = native.check

-- Sockets ----------------------------------------------------------------------------------------

local Socket = {}
Socket.__name = "socket"

-- The calls themselves: they return nil and the name of an error.
local calls = {}

-- Methods raise what a call returns as an error; socket:try("recv", ...) does not.
function Socket.__index(_, name)
  local call = calls[name]
  if name == "try" then
    return function(self, what, ...)
      if not calls[what] then raise(("socket:try: there is no call '%s'"):format(tostring(what))) end
      return calls[what](self, ...)
    end
  end
  if not call then raise(("a socket has no '%s'"):format(tostring(name))) end
  return function(...)
    local results = table.pack(call(...))
    if results[1] == nil and type(results[2]) == "string" then
      raise(("%s: %s"):format(name, results[2]))
    end
    return table.unpack(results, 1, results.n)
  end
end

local socket_types = {
  udp = { C.SOCK_DGRAM, C.IPPROTO_UDP },
  tcp = { C.SOCK_STREAM, C.IPPROTO_TCP },
  ping = { C.SOCK_DGRAM, C.IPPROTO_ICMP },
  raw = { C.SOCK_RAW, C.IPPROTO_RAW },
}
local socket_options = set "nonblock protocol"

function Host:socket(kind, o)
  o = options("host:socket", o, socket_options)
  local known = socket_types[kind]
  if not known then raise(("host:socket: there is no type '%s'"):format(tostring(kind))) end
  local result, err = native.sys("socket", { host = self.id, arg0 = C.AF_INET,
    arg1 = known[1] | (o.nonblock and C.SOCK_NONBLOCK or 0), arg2 = o.protocol or known[2] })
  if not result then raise(("socket: %s"):format(err)) end
  return setmetatable({ host = self, fd = result.ret }, Socket)
end

local function sys(socket, name, fields)
  fields.host = socket.host.id
  fields.fd = socket.fd
  return native.sys(name, fields)
end

-- (7), ("192.0.2.1", 7) or ("192.0.2.1:7") as address bytes and port.
local function endpoint(addr, port, what)
  if math.type(addr) == "integer" and port == nil then return "\0\0\0\0", addr end
  if port == nil and type(addr) == "string" then
    local host, number = addr:match("^(.*):(%d+)$")
    if host then addr, port = host, tonumber(number) end
  end
  port = port or 0
  if math.type(port) ~= "integer" or port < 0 or port > 65535 then
    raise(("%s: %s is no port"):format(what, tap.repr(port)))
  end
  return address(addr, 4, what), port
end

local function simple(result, err)
  if not result then return nil, err end
  return true
end

function calls:bind(addr, port)
  local bytes, number = endpoint(addr, port, "bind")
  return simple(sys(self, "bind", { addr = bytes, port = number }))
end

-- connect(nil) dissolves the association of a datagram socket.
function calls:connect(addr, port)
  if addr == nil then
    return simple(sys(self, "connect", { addr = "\0\0\0\0", family = C.AF_UNSPEC }))
  end
  local bytes, number = endpoint(addr, port, "connect")
  return simple(sys(self, "connect", { addr = bytes, port = number }))
end

-- listen(port) binds first. Returns the socket.
function calls:listen(port, backlog)
  if port then
    local done, err = calls.bind(self, port)
    if not done then return nil, err end
  end
  local result, err = sys(self, "listen", { arg0 = backlog or C.SOMAXCONN or 4096 })
  if not result then return nil, err end
  return self
end

local function from(result)
  if not result.addr then return nil end
  return { addr = native.address_text(result.addr), port = result.port }
end

function calls:accept()
  local result, err = sys(self, "accept", {})
  if not result then return nil, err end
  return setmetatable({ host = self.host, fd = result.ret }, Socket), from(result)
end

local function flags(list_or_number)
  if list_or_number == nil then return 0 end
  if type(list_or_number) == "number" then return list_or_number end
  local sum = 0
  for name in list_or_number:gmatch("[%w_]+") do
    local value = C["MSG_" .. name:upper()]
    if not value then raise(("there is no flag '%s'"):format(name)) end
    sum = sum | value
  end
  return sum
end

local send_options = set "flags control"

-- Returns how many bytes were taken.
function calls:send(data, o)
  o = options("send", o, send_options)
  local result, err = sys(self, "sendmsg", { data = data, arg0 = flags(o.flags),
    control = o.control })
  if not result then return nil, err end
  return result.ret
end

function calls:sendto(data, addr, port, o)
  o = options("sendto", o, send_options)
  local bytes, number = endpoint(addr, port, "sendto")
  local result, err = sys(self, "sendmsg", { data = data, addr = bytes, port = number,
    arg0 = flags(o.flags), control = o.control })
  if not result then return nil, err end
  return result.ret
end

local recv_options = set "size flags control_size"

-- Returns the bytes and a table: addr and port of the sender, length (of the whole datagram with
-- the flag "trunc"), flags (MSG_TRUNC, ... as a number), control.
function calls:recv(o)
  if math.type(o) == "integer" then o = { size = o } end
  o = options("recv", o, recv_options)
  local result, err = sys(self, "recvmsg", { size = o.size or 65536, arg0 = flags(o.flags),
    control_size = o.control_size })
  if not result then return nil, err end
  local info = from(result) or {}
  info.length = result.ret
  info.flags = result.msg_flags
  info.control = result.control
  return result.data, info
end

local shut = { rd = C.SHUT_RD, wr = C.SHUT_WR, rdwr = C.SHUT_RDWR }

function calls:shutdown(how)
  if not shut[how] then raise("shutdown: \"rd\", \"wr\" or \"rdwr\"") end
  return simple(sys(self, "shutdown", { arg0 = shut[how] }))
end

function calls:close() return simple(sys(self, "close", {})) end

function calls:name()
  local result, err = sys(self, "getsockname", {})
  if not result then return nil, err end
  return from(result)
end

function calls:peername()
  local result, err = sys(self, "getpeername", {})
  if not result then return nil, err end
  return from(result)
end

local levels = { SO = C.SOL_SOCKET, IP = C.SOL_IP, UDP = C.SOL_UDP, TCP = C.SOL_TCP }
local time_options = { SO_RCVTIMEO = true, SO_SNDTIMEO = true }

local function option_number(name)
  local level = type(name) == "string" and levels[name:match("^(%u+)_")]
  if not level or not C[name] then raise(("there is no option '%s'"):format(tostring(name))) end
  return level, C[name]
end

-- option(name) reads, option(name, value) sets: a number, a boolean, bytes, or for the time-outs a
-- duration.
function calls:option(name, value)
  local level, number = option_number(name)
  if value == nil then
    local result, err = sys(self, "getsockopt", { arg0 = level, arg1 = number, size = 256 })
    if not result then return nil, err end
    if time_options[name] then
      local sec, usec = ("<i8i8"):unpack(result.data)
      return sec * 1000000000 + usec * 1000
    end
    if #result.data == 4 then return (("<i4"):unpack(result.data)) end
    return result.data
  end
  if time_options[name] then
    local ns = duration(value, name)
    value = ("<i8i8"):pack(ns // 1000000000, ns % 1000000000 // 1000)
  elseif type(value) == "boolean" then
    value = ("<i4"):pack(value and 1 or 0)
  elseif math.type(value) == "integer" then
    value = ("<i4"):pack(value)
  end
  return simple(sys(self, "setsockopt", { arg0 = level, arg1 = number, data = value }))
end

-- Bytes that can be read at once.
function calls:pending()
  local result, err = sys(self, "ioctl", { arg0 = C.FIONREAD })
  if not result then return nil, err end
  return result.ret
end

function calls:nonblock(on)
  return simple(sys(self, "fcntl", { arg0 = C.F_SETFL,
    arg1 = on == false and 0 or C.O_NONBLOCK }))
end

local poll_bits = { ["in"] = C.POLLIN, out = C.POLLOUT, pri = C.POLLPRI, err = C.POLLERR,
  hup = C.POLLHUP, nval = C.POLLNVAL, rdhup = C.POLLRDHUP }

local function poll_events(text)
  local events = 0
  for name in text:gmatch("%a+") do
    if not poll_bits[name] then raise(("poll: there is no event '%s'"):format(name)) end
    events = events | poll_bits[name]
  end
  return events
end

local function poll_set(revents)
  local result = {}
  for name, bit in pairs(poll_bits) do
    if revents & bit ~= 0 then result[name] = true end
  end
  return result
end

-- Waits for events ("in out"), for so long at the most; { ["in"] = true, ... }, empty: none came.
function calls:poll(events, timeout)
  local result, err = native.sys("poll", { host = self.host.id,
    fds = { self.fd, poll_events(events) },
    timeout = timeout and duration(timeout, "poll") })
  if not result then return nil, err end
  return poll_set(result.revents[1])
end

-- net.poll({ { socket, "in" }, ... }, timeout): a list of what came, parallel to the first.
function net.poll(entries, timeout)
  local fds = {}
  for i, entry in ipairs(entries) do
    fds[2 * i - 1], fds[2 * i] = entry[1].fd, poll_events(entry[2])
  end
  local result, err = native.sys("poll", { host = entries[1][1].host.id, fds = fds,
    timeout = timeout and duration(timeout, "poll") })
  if not result then raise("poll: " .. err) end
  local list_of_sets = {}
  for i, revents in ipairs(result.revents) do list_of_sets[i] = poll_set(revents) end
  return list_of_sets
end

-- Peers ------------------------------------------------------------------------------------------

local Peer = {}
Peer.__index = Peer
Peer.__name = "peer"

local peer_options = set "addr mac port arp"
local peers = 0

function Wire:peer(o)
  o = options("wire:peer", o, peer_options)
  local side = free_end(self)
  if not side then raise("wire:peer: a host is at either end of this wire") end
  local nic = self.ends[1 - side]
  if not nic then raise("wire:peer: there is no host on this wire") end
  peers = peers + 1
  self.peers = self.peers + 1
  local peer = setmetatable({ wire = self, nic = nic, side = side, addr = o.addr, port = o.port }, Peer)
  peer.mac = o.mac or ("02:00:00:01:%02x:%02x"):format(peers // 256, peers % 256)
  peer.number = native.peer(self.id, side, address(peer.mac, 6, "mac"),
    o.addr and address(o.addr, 4, "addr") or "\0\0\0\0", o.addr ~= nil and o.arp ~= false)
  return peer
end

-- The port that this peer's segments and datagrams go to.
function Peer:to(port)
  self.to_port = port
  return self
end

local above_ip = set "icmp igmp udp tcp"
local link_layers = set "eth"

-- The MAC address that an IPv4 destination has on the wire (RFC 1112 6.4).
local function mac_of(addr, unicast)
  local bytes = addr and native.address(addr)
  if not bytes or #bytes ~= 4 then return unicast end
  local a, b, c, d = bytes:byte(1, 4)
  if addr == "255.255.255.255" then return "ff:ff:ff:ff:ff:ff" end
  if a >= 224 and a < 240 then return ("01:00:5e:%02x:%02x:%02x"):format(b & 127, c, d) end
  return unicast
end

-- Fills in what the notation leaves out, for a packet from one station to another.
local function fill(packet, src, dst)
  local first = native.first(packet)
  if above_ip[first] then native.prepend(packet, "ip") end
  if not link_layers[first] and not src.raw then native.prepend(packet, "eth") end
  native.default(packet, "eth", "src", src.mac)
  native.default(packet, "ip", "src", src.addr)
  native.default(packet, "ip", "dst", dst.addr)
  for _, proto in ipairs { "udp", "tcp" } do
    native.default(packet, proto, "sport", src.port)
    native.default(packet, proto, "dport", dst.port)
  end
  return packet
end

local function check_packet(packet, what)
  if type(packet) == "string" then
    raise(what .. ": the short form of TCP segments is not available yet")
  end
  if type(packet) ~= "userdata" then raise(what .. " needs a packet") end
  return packet:clone()
end

-- From the peer to the host, ready to be sent.
local function outgoing(peer, packet)
  local src = { mac = peer.mac, addr = peer.addr, port = peer.port, raw = peer.nic.raw }
  local dst = { mac = peer.nic.mac, addr = peer.nic.addr, port = peer.to_port }
  packet = fill(check_packet(packet, "peer:send"), src, dst)
  local arp = packet.arp
  if arp then
    native.default(packet, "arp", "op", "request")
    local request = arp.op == 1
    native.default(packet, "arp", "sha", src.mac)
    native.default(packet, "arp", "spa", src.addr)
    native.default(packet, "arp", "tha", request and "00:00:00:00:00:00" or dst.mac)
    native.default(packet, "arp", "tpa", dst.addr)
    native.default(packet, "eth", "dst", request and "ff:ff:ff:ff:ff:ff" or dst.mac)
  end
  native.default(packet, "eth", "dst", mac_of(packet.ip and packet.ip.dst, dst.mac))
  return packet
end

-- From the host to the peer, as it must be.
local function incoming(peer, packet)
  local src = { mac = peer.nic.mac, addr = peer.nic.addr, port = peer.to_port, raw = peer.nic.raw }
  local dst = { mac = peer.mac, addr = peer.addr, port = peer.port }
  packet = fill(check_packet(packet, "peer:expect"), src, dst)
  local arp = packet.arp
  if arp then
    native.default(packet, "arp", "sha", src.mac)
    native.default(packet, "arp", "spa", src.addr)
    if arp.op == 2 then
      native.default(packet, "arp", "tha", dst.mac)
      native.default(packet, "arp", "tpa", dst.addr)
      native.default(packet, "eth", "dst", dst.mac)
    end
  elseif packet.ip then
    native.default(packet, "eth", "dst", mac_of(packet.ip.dst, dst.mac))
  end
  return packet
end

local function inject(peer, bytes, bad_fcs)
  op("frame", { wire = peer.wire.id, ["end"] = peer.side,
    flags = bad_fcs and C.FRAME_BAD_FCS or 0, bytes = bytes })
end

local peer_send_options = set "fcs pad"

-- Sends a packet now. Frames are padded to 60 bytes as on a real wire (pad = false: they are not).
function Peer:send(packet, o)
  o = options("peer:send", o, peer_send_options)
  local bytes = outgoing(self, packet):bytes()
  if #bytes < 60 and o.pad ~= false and not self.nic.raw then bytes = bytes .. ("\0"):rep(60 - #bytes) end
  inject(self, bytes, o.fcs == "bad")
end

-- Sends these bytes, from the destination MAC on, as they are.
function Peer:send_raw(bytes, o)
  o = options("peer:send_raw", o, peer_send_options)
  if type(bytes) ~= "string" then raise("peer:send_raw needs a string") end
  inject(self, bytes, o.fcs == "bad")
end

-- The frame's bytes, when it arrived and when it was sent; nothing when none came in time.
local function wait_frame(peer, deadline)
  while true do
    local bytes, time, sent = native.take(peer.wire.id, peer.number)
    if bytes then return bytes, time, sent end
    if not native.wait(deadline, true) then
      return native.take(peer.wire.id, peer.number)
    end
  end
end

local function parsed(peer, bytes, time, sent)
  return native.parse(bytes, peer.nic.raw and 101 or 1, { time = time, sent = sent })
end

local expect_options = set "within at defaults"

-- When the frame must leave the host (nil: any time up to the deadline), and until when to wait.
local function timing(peer, o, what)
  local wire = peer.wire.id
  if o.within and o.at then raise(what .. ": either within or at") end
  if o.within then return nil, native.now() + duration(o.within, "within") end
  local sent = native.anchor(wire)
  if type(o.at) == "string" and o.at:sub(1, 1) == "+" then
    sent = sent + duration(o.at:sub(2), "at")
  elseif o.at then
    sent = duration(o.at, "at")
  end
  return sent, sent + native.delay(wire, 1 - peer.side)
end

local LATE = 2000000000

-- Waits for a frame as long as it can be in time.
local function wait_expected(peer, o, sent, deadline)
  while true do
    local bytes, time, left = wait_frame(peer, deadline)
    if bytes or o.at or not sent then return bytes, time, left end
    local later = native.anchor(peer.wire.id) + native.delay(peer.wire.id, 1 - peer.side)
    if later <= deadline then return nil end
    deadline = later
  end
end

-- Nothing came in time. What comes a little later tells much: look for it, the test fails anyway.
local function fail_missing(peer, expect, sent, deadline)
  local bytes, time, late = wait_frame(peer, deadline + LATE)
  local got = "(no frame)"
  local diff
  if bytes then
    got = parsed(peer, bytes, time, late):text()
    diff = ("the next frame left the host at %d ns"):format(late)
    if sent then diff = diff .. (", %d ns after it was due"):format(late - sent) end
  end
  native.asserted()
  native.fail("the expected frame did not come in time", got, expect, diff)
end

-- The instant that is due may move while we wait: an ARP request that the peer answered comes first.
local function check_time(peer, o, frame, sent, expect)
  if not sent or frame.sent == sent then return end
  if not o.at and frame.sent == native.anchor(peer.wire.id) then return end
  native.asserted()
  native.fail("the frame came at another time",
    ("sent at %d ns\n%s"):format(frame.sent, frame:text()),
    ("sent at %d ns\n%s"):format(sent, expect),
    ("%d ns too %s"):format(math.abs(frame.sent - sent), frame.sent < sent and "early" or "late"))
end

-- The next frame must match, at its exact time unless `within` says otherwise. Returns it.
function Peer:expect(template, o)
  o = options("peer:expect", o, expect_options)
  local wanted = o.defaults == false and check_packet(template, "peer:expect") or
    incoming(self, template)
  local sent, deadline = timing(self, o, "peer:expect")
  local bytes, arrived, left = wait_expected(self, o, sent, deadline)
  if not bytes then fail_missing(self, wanted:text(), sent, deadline) end
  local frame = parsed(self, bytes, arrived, left)
  local same, diff = native.match(wanted, frame)
  if not same then
    native.asserted()
    native.fail("another frame came than the expected one", frame:text(), wanted:text(), diff)
  end
  check_time(self, o, frame, sent, wanted:text())
  native.anchor(self.wire.id, left)
  return native.proof(frame)
end

-- As many frames as there are templates, in any order. Returns them in the templates' order.
function Peer:expect_all(templates, o)
  o = options("peer:expect_all", o, expect_options)
  local wanted, frames = {}, {}
  for i, template in ipairs(templates) do wanted[i] = incoming(self, template) end
  local sent, deadline = timing(self, o, "peer:expect_all")
  for _ = 1, #templates do
    local bytes, arrived, left = wait_expected(self, o, sent, deadline)
    local missing = {}
    for i = 1, #templates do
      if not frames[i] then missing[#missing + 1] = wanted[i]:text() end
    end
    if not bytes then fail_missing(self, table.concat(missing, "or\n"), sent, deadline) end
    local frame = parsed(self, bytes, arrived, left)
    local found
    for i = 1, #templates do
      if not found and not frames[i] and native.match(wanted[i], frame) then found = i end
    end
    if not found then
      native.asserted()
      native.fail("a frame came that is none of the expected ones", frame:text(),
        table.concat(missing, "or\n"))
    end
    check_time(self, o, frame, sent, wanted[found]:text())
    frames[found] = native.proof(frame)
  end
  return frames
end

local nothing_options = set "during"

-- No frame comes to this peer for so long; without `during`: none is here now.
function Peer:expect_nothing(o)
  o = options("peer:expect_nothing", o, nothing_options)
  local deadline = native.now() + (o.during and duration(o.during, "during") or 0)
  local bytes, arrived, left = wait_frame(self, deadline)
  if bytes then
    native.asserted()
    native.fail("a frame came where none was expected", parsed(self, bytes, arrived, left):text(),
      "(no frame)", ("it left the host at %d ns"):format(left))
  end
  return native.proof({})
end

-- Takes every frame that comes to this peer for so long, whatever it is.
function Peer:collect(o)
  o = options("peer:collect", o, nothing_options)
  local deadline = native.now() + (o.during and duration(o.during, "during") or 0)
  local frames = {}
  while true do
    local bytes, arrived, left = wait_frame(self, deadline)
    if not bytes then return frames end
    frames[#frames + 1] = parsed(self, bytes, arrived, left)
  end
end

return net
