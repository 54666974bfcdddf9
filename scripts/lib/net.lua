-- SPDX-License-Identifier: MIT
-- net: hosts, wires, peers, sockets and packets of a test's world. Reference: docs/lua.md.
--
-- All that changes the world goes through native.op (one op each) and native.sys (a socket call);
-- all waiting through native.wait. Nothing here knows more of the stack than that.
local _, native = ...
local tap = require "tap"
local near = require "near"
local util = require "net.util"
local socket = require "net.socket"
local peer = require "net.peer"
local oplog = require "net.oplog"
local segment = require "net.segment"
local sockets = require "net.sockets"
local netfilter = require "net.netfilter"
local link = require "net.link"
local route = require "net.route"
local ip_command = require "net.ip"
local ethtool = require "net.ethtool"
local skbtrace = require "net.skbtrace"
local ss = require "net.ss"
local nstat = require "net.nstat"
local auth = require "net.auth"

local net = {}
local C, raise = util.C, util.raise
local options, set, duration = util.options, util.set, util.duration
local address, prefix, op = util.address, util.prefix, util.op

net.C = C
net.poll = socket.poll
net.oplog = oplog.new
net.tcp_ao = auth.ao
net.tcp_md5 = auth.md5
net.pattern = segment.pattern
net.duration = function(value) return duration(value, "duration") end

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

local models = { ring = C.NIC_MODEL_RING, virtio = C.NIC_MODEL_VIRTIO, tun = C.NIC_MODEL_TUN }
-- tapline run --offload: what the command line wants of each card. What a card can not do is left.
local OFFLOADS = { gro = "NIC_PARAM_GRO", tso = "NIC_PARAM_TSO", tx_csum = "NIC_PARAM_TX_CSUM",
  rx_csum = "NIC_PARAM_RX_CSUM", lro = "NIC_PARAM_LRO" }

local function offload(host, nic)
  local wanted = native.offload()
  if not wanted then return end
  for name, switch in wanted:gmatch "([%w_]+)=(%w+)" do
    if name ~= "lro" or nic.model == C.NIC_MODEL_RING then
      op("nic_set", { host = host.id, ifindex = nic.ifindex, param = C[OFFLOADS[name]],
        value = switch == "on" and 1 or 0 })
    end
  end
end

local nic_options = set "addr mac mtu wire delay rate queues rx_ring tx_ring name model up"

function Host:nic(o)
  o = options("host:nic", o, nic_options)
  local nic = setmetatable({ host = self, broadcasts = {} }, Nic)
  local number = #self.nics
  nic.mac = o.mac or ("02:00:00:00:%02x:%02x"):format(self.id, number + 1)
  nic.name = o.name or "eth" .. number
  nic.wire = o.wire or net.wire { delay = o.delay, rate = o.rate }
  local model = models[o.model or native.nic_model() or "ring"]
  if not model then raise("host:nic: the model is \"ring\", \"virtio\" or \"tun\"") end
  nic.raw, nic.model = o.model == "tun", model
  if nic.raw then native.raw_wire(nic.wire.id) end
  local side = nic.wire.ends[0] and 1 or 0
  if nic.wire.ends[side] then raise("host:nic: both ends of the wire are taken") end
  if side == 1 and nic.wire.peers > 0 then
    raise("host:nic: the wire's other end is played by peers")
  end
  nic.ifindex = op("nic_add", {
    host = self.id, model = model,
    queues = o.queues or 1, rx_ring = o.rx_ring, tx_ring = o.tx_ring, mtu = o.mtu or 1500,
    mac = address(nic.mac, 6, "mac"), name = nic.name,
  })
  op("wire_attach", { wire = nic.wire.id, ["end"] = side, host = self.id, ifindex = nic.ifindex })
  nic.wire.ends[side] = nic
  self.nics[number + 1] = nic
  if not nic.raw then offload(self, nic) end
  if o.up ~= false then
    op("link_set", { host = self.id, ifindex = nic.ifindex, param = C.LINK_PARAM_UP, value = 1 })
  end
  for _, addr in ipairs(list(o.addr)) do self:addr_add(addr, { dev = nic }) end
  return nic
end

local host_options = set [[addr mac mtu wire delay rate queues rx_ring tx_ring model up name cpus
  gateway sysctl dev]]

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
    name = o.dev,
  }
  host.wire = nic.wire
  host.mac = nic.mac
  if o.gateway then host:route { dst = "default", via = o.gateway } end
  return host
end

local function device(host, o) return link.ifindex(host, o and o.dev) end

-- The highest address of a network, as text; nil where it is a host's (RFC 3021).
local function broadcast(bytes, len)
  if len >= 31 or #bytes ~= 4 then return nil end
  local host_bits = (1 << 32 - len) - 1
  return native.address_text((">I4"):pack((">I4"):unpack(bytes) | host_bits))
end

local addr_options = set "dev broadcast"

function Host:addr_add(text, o)
  o = options("host:addr_add", o, addr_options)
  local bytes, len, addr = prefix(text, "addr")
  op("addr_add", { host = self.id, ifindex = device(self, o), prefix_len = len, addr = bytes,
    broadcast = o.broadcast and address(o.broadcast, 4, "broadcast") })
  for _, nic in ipairs(self.nics) do
    if nic.ifindex == device(self, o) then
      nic.addr = nic.addr or addr
      local all = o.broadcast or broadcast(bytes, len)
      if all then nic.broadcasts[all] = true end
    end
  end
  self.addr = self.addr or addr
end

function Host:addr_del(text, o)
  local bytes, len = prefix(text, "addr")
  op("addr_del", { host = self.id, ifindex = device(self, o), prefix_len = len, addr = bytes })
end

local qdisc_options = set "kind limit dev"

-- `tc qdisc replace ... root`.
function Host:qdisc(o)
  o = options("host:qdisc", o, qdisc_options)
  op("qdisc_set", { host = self.id, ifindex = device(self, o), kind = o.kind or "pfifo_fast",
    limit = o.limit or 0xffffffff })
end

-- `taskset -p`: the present task's calls on this host run on that CPU from now on.
function Host:taskset(cpu)
  if math.type(cpu) ~= "integer" or cpu < 0 then raise("host:taskset: a CPU's number is needed") end
  socket.taskset(self, cpu)
end

-- `tc` with the same words: "qdisc replace dev eth0 root fq maxrate 1mbit", "-s qdisc show".
function Host:tc(words)
  local text, err = native.tc(self.id, words)
  if not text then raise(err) end
  return text
end

-- `ip tcp_metrics flush`: of one peer, of all without an address.
function Host:tcp_metrics_flush(addr)
  op("tcp_metrics_flush", { host = self.id, addr = addr and address(addr, 4, "addr") or "" })
end


Host.ethtool = ethtool.command

local function no_sysctl(host, name)
  raise(("host:sysctl: there is no sysctl '%s'%s"):format(name, near.text(name, native.sysctls(host.id))))
end

function Host:sysctl(name, value)
  if value == nil and name:find "=" then name, value = name:match "^%s*([^=]-)%s*=%s*(.-)%s*$" end
  if value == nil then
    local text = native.sysctl(self.id, name)
    if not text then no_sysctl(self, name) end
    return text
  end
  local done, err = native.op("sysctl", { host = self.id, name = name, value = tostring(value) })
  if not done and err == "ENOENT" then no_sysctl(self, name) end
  if not done then raise(("host:sysctl: %s = %s: %s"):format(name, value, err)) end
end

function Host:sysctls() return native.sysctls(self.id) end

function Host:counter(name)
  local value = native.counter(self.id, name)
  if not value then
    raise(("host:counter: there is no counter '%s'%s"):format(name,
      near.text(name, native.counters(self.id))))
  end
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

local cost_options = set [[irq softirq poll rx_packet rx_byte tx_packet tx_byte tx_complete ipi syscall
  timer]]

function Host:cost(o)
  for key, value in pairs(options("host:cost", o, cost_options)) do
    op("cost", { host = self.id, kind = C["COST_" .. key:upper()], ns = duration(value, key) })
  end
end

local softirqs = { hi = 0, timer = 1, net_tx = 2, net_rx = 3, block = 4, irq_poll = 5, tasklet = 6,
  sched = 7, hrtimer = 8, rcu = 9 }
local softirq_options = set "cpu cost again"

-- Raises a softirq of the host. Kinds that the stack does not use take `cost`, and come again.
function Host:softirq(kind, o)
  o = options("host:softirq", o, softirq_options)
  if not softirqs[kind] then raise(("host:softirq: there is no kind '%s'"):format(tostring(kind))) end
  op("softirq", { host = self.id, cpu = o.cpu, nr = softirqs[kind],
    ns = o.cost and duration(o.cost, "cost"), again = o.again })
end

-- The interleaving of CPUs ---------------------------------------------------------------------------

-- Who goes next where several CPUs could: a list of choices (0: the lowest one), a number: another
-- seed of the world's own choice, nil: the world's own choice.
function net.schedule(how)
  if type(how) == "table" then
    op("sched", { mode = C.WORLD_SCHED_PINNED, choices = string.char(table.unpack(how)) })
  elseif how ~= nil then
    op("sched", { mode = C.WORLD_SCHED_SEED, seed = how })
  else
    op("sched", { mode = C.WORLD_SCHED_RANDOM })
  end
end

-- Of a list of choices: what was chosen so far, and out of how many.
function net.scheduled()
  local choices, of = native.sched()
  return { choices:byte(1, -1) }, { of:byte(1, -1) }
end

-- The choices that come after these: the last one that can be raised is.
local function next_choices(choices, of)
  for i = #choices, 1, -1 do
    if choices[i] + 1 < of[i] then
      local list = table.move(choices, 1, i, 1, {})
      list[i] = list[i] + 1
      return list
    end
  end
end

local interleavings_options = set "max"

-- Runs f for every order in which the CPUs could take their steps, each time from the world as it is
-- now. f is given the choices. Returns how many there were.
function net.interleavings(f, o)
  o = options("net.interleavings", o, interleavings_options)
  local max = o.max or 10000
  local mark = native.mark()
  local choices, count = {}, 0
  repeat
    if count > 0 then native.restore(mark) end
    if count == max then
      raise(("net.interleavings: there are more than %d; make the case smaller, or give max"):format(max))
    end
    net.schedule(choices)
    f(choices)
    local taken, of = net.scheduled()
    net.schedule(nil)
    count = count + 1
    choices = next_choices(taken, of)
  until not choices
  return count
end

-- Runs f(seed) for seeds 1 to n of the world's own choice, each time from the world as it is now.
function net.seeds(n, f)
  local mark = native.mark()
  for seed = 1, n do
    if seed > 1 then native.restore(mark) end
    net.schedule(seed)
    f(seed)
  end
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

Host.socket = socket.new
Host.syscall = socket.syscall
Host.sockets = sockets.list
netfilter.methods(Host)
link.methods(Host)
route.methods(Host)
ip_command.methods(Host)
skbtrace.methods(Host)
ss.methods(Host)
nstat.methods(Host)
Host.epoll = socket.epoll
Host.pipe = socket.pipe
Host.file = socket.file
Wire.peer = peer.new

near.functions("host:", Host)
near.functions("nic:", Nic)
near.functions("wire:", Wire)
near.functions("net.", net)

return net
