-- SPDX-License-Identifier: MIT
-- packetdrill: one host on a tun device, packets in packetdrill's notation with its rules for flows,
-- numbers, times and segments. What `tapline convert x.pkt` writes. Reference: docs/lua.md.
--
-- The rules themselves are the packetdrill front end's (native.drill_...); here are the host, the
-- clock and the calls. All else of a test is net's.
local _, native = ...
local tap = require "tap"
local net = require "net"
local util = require "net.util"
local sockets = require "net.socket"

local raise, options, set = util.raise, util.options, util.set

local packetdrill = {}

-- Constants by their C names: errno, socket calls, TCP_INFO.
packetdrill.C = setmetatable({}, {
  __index = function(_, name)
    local value = native.drill_constant(name)
    if not value then raise(("there is no constant '%s'"):format(tostring(name))) end
    return value
  end,
})
local C = packetdrill.C

local Drill = {}
Drill.__index = Drill
Drill.__name = "packetdrill"

-- The result of a native that compares: what it gave, or the end of the test.
local function check(ok, message, got, expect, diff)
  if ok == false then
    native.asserted()
    native.fail(message, got, expect, diff)
  end
  return ok
end

-- Making -----------------------------------------------------------------------------------------

local own_options = set "ip_version env sysctl cpus prefix_len non_fatal"
local flags = set "strict_segments tcp_ts_ecr_scaled"
local numbers = set [[mtu bind_port connect_port tolerance_usecs tcp_ts_tick_usecs
  default_send_flags]]
local texts = set "local_ip remote_ip netmask_ip tolerance_percent"

local function list_of_options(o)
  local list = {}
  local function add(name, value)
    list[#list + 1], list[#list + 2] = name, value
  end
  for name, value in pairs(o) do
    if flags[name] then
      if value then add(name, "") end
    elseif numbers[name] or texts[name] then
      add(name, tostring(value))
    elseif not own_options[name] then
      raise(("packetdrill.new: unknown option '%s'"):format(name))
    end
  end
  if o.non_fatal and o.non_fatal ~= "packet" then
    raise "packetdrill.new: non_fatal is \"packet\", or left out"
  end
  for name, value in pairs(o.env or {}) do add("env", name .. "=" .. value) end
  return list
end

local BOOT = 10000000000

-- What the calls of a socket mean for the flows that packets belong to.
local function watch(self)
  return function(what, ...) native.drill_flow(self.state, what, ...) end
end

local function add_route(host, bytes, len)
  local net_bytes = bytes:sub(1, len // 8) .. ("\0"):rep(#bytes - len // 8)
  local done, err = native.op("route_add", { host = host.id, type = util.C.RTN_UNICAST, scope = 253,
    oif = host.nics[1].ifindex, prefix_len = len, dst = net_bytes })
  if not done and err ~= "EEXIST" then raise("packetdrill.new: the route: " .. err) end
end

-- The way to the remote network, and over IPv4 the route to the remote address that packetdrill
-- makes and scripts change. The local network may hold it: then there is one already.
local function add_routes(host, remote)
  local bytes = util.ip_address(remote, "remote_ip")
  add_route(host, bytes, #bytes == 4 and 24 or 32)
  if #bytes == 4 then add_route(host, bytes, 32) end
end

function packetdrill.new(o)
  o = o or {}
  if type(o) ~= "table" then raise "packetdrill.new: options are given as a table" end
  local version = o.ip_version or "ipv4"
  local self = setmetatable({ waiting = {}, version = version,
    forgives = o.non_fatal == "packet" }, Drill)
  self.state = native.drill("packetdrill", version, list_of_options(o))
  local s = native.drill_settings(self.state)
  for name, value in pairs(s) do self[name] = value end
  local wire = net.wire { delay = 0 }
  self.host = net.host { name = "host", wire = wire, model = "tun", dev = "tun0", mtu = s.mtu,
    cpus = o.cpus, addr = ("%s/%d"):format(s.local_addr, o.prefix_len or s.prefix_len) }
  -- What is sent to the host at an instant starts a nanosecond before.
  wire:set { from = "peer", delay = 1 }
  add_routes(self.host, s.remote_addr)
  if version == "ipv4-mapped-ipv6" then
    self.local_addr = "::ffff:" .. s.local_addr
    self.remote_addr = "::ffff:" .. s.remote_addr
  end
  self.watch = watch(self)
  net.sleep(BOOT)
  native.drill_start(self.state, wire.id)
  self.start = native.now()
  for name, value in pairs(o.sysctl or {}) do self.host:sysctl(name, value) end
  return self
end

-- Time -------------------------------------------------------------------------------------------

local NOTHING = "`:`"

-- A line with its time. The step before ends where this one begins.
local function event(self, time, text)
  self.begun = true
  native.drill_done(self.state)
  return native.drill_event(self.state, time .. " " .. text)
end

local function sleep_until(deadline)
  while native.wait(deadline, false) do end
end

-- When the event is due; not in the past, and a failure when that was too long ago.
local function due(self, e, what)
  local at, until_, ends = native.drill_due(self.state, e)
  local now = native.now()
  if now > at then
    check(native.drill_time(self.state, e, at, until_, now, what))
    at = now
  end
  return at, ends
end

-- Lets the world go on to a time: "1.5" since the start, "+.1" since the last step. With "join" the
-- calls that block end first.
function Drill:at(time, join)
  local e = event(self, time, NOTHING)
  local at = due(self, e, "the step was")
  if join then self:join() end
  if native.now() > at then at = native.now() end
  sleep_until(at)
end

-- Runs f as a task: it begins at the first time of "0.1...0.3", and has to return at the second.
-- What blocked before ends first.
function Drill:blocking(time, f)
  local e = event(self, time, NOTHING)
  local at, ends = due(self, e, "the call was")
  self:join()
  if native.now() > at then at = native.now() end
  sleep_until(at)
  local began = native.now()
  self.waiting[#self.waiting + 1] = net.spawn(function()
    f()
    check(native.drill_time(self.state, e, ends, ends, native.now(), "the call ended", began))
  end)
  sleep_until(native.now())
end

-- Waits for the blocking calls to end.
function Drill:join()
  local waiting = self.waiting
  self.waiting = {}
  for _, task in ipairs(waiting) do task:join() end
end

-- The end of the test: calls have to be through, what the host sent besides is passed over.
function Drill:finish()
  self:join()
  sleep_until(native.now())
  native.drill_drop(self.state)
  self.finished = true
end

-- Packets ----------------------------------------------------------------------------------------

-- Sends the host a packet: inject("+.1", "S 0:0(0) win 1000 <mss 1460>").
function Drill:inject(time, text)
  local e = event(self, time, "< " .. text)
  local at = due(self, e, "the event was")
  local bytes, message, got, expect, diff = native.drill_bytes(self.state, e)
  check(bytes, message, got, expect, diff)
  if native.now() < at then sleep_until(at - 1) end
  util.op("frame", { wire = self.host.wire.id, ["end"] = 1, bytes = bytes,
    flags = native.now() < at and 0 or util.C.FRAME_NO_DELAY })
  sleep_until(at)
  native.drill_sent(self.state, e)
end

-- Waits for what is expected. As check().
local function wait_expected(self, limit)
  while true do
    local results = table.pack(native.drill_step(self.state))
    if results[1] ~= nil then return table.unpack(results, 1, results.n) end
    if native.now() >= limit then
      native.wait(native.drill_late(self.state), true)
      return native.drill_missing(self.state)
    end
    native.wait(limit, true)
  end
end

-- With non_fatal a difference is told, and the test goes on behind that packet.
local function forgive(self, ok, message, got, expect, diff)
  if ok == false and self.forgives then
    native.drill_forgive(self.state)
    native.note(("%s: got %s, expected %s"):format(message, tostring(got), tostring(expect)))
    return true
  end
  return check(ok, message, got, expect, diff)
end

-- The host must send this packet, at that time.
function Drill:expect(time, text)
  local e = event(self, time, "> " .. text)
  local limit, message, got, expect, diff = native.drill_expect(self.state, e)
  check(limit, message, got, expect, diff)
  forgive(self, wait_expected(self, limit))
  return native.proof({})
end

-- Calls ------------------------------------------------------------------------------------------

local kinds = {
  tcp = { "SOCK_STREAM", "IPPROTO_TCP" },
  udp = { "SOCK_DGRAM", "IPPROTO_UDP" },
}
local socket_options = set "family type protocol nonblock"

-- A socket, or nil and the name of the error.
function Drill:try_socket(kind, o)
  o = options("socket", o, socket_options)
  local known = kinds[kind]
  if not known then raise(("socket: the kind is \"tcp\" or \"udp\", not %s"):format(tap.repr(kind))) end
  local family = o.family or (self.version == "ipv4" and C.AF_INET or C.AF_INET6)
  local type_ = o.type or C[known[1]] | (o.nonblock and C.SOCK_NONBLOCK or 0)
  local protocol = o.protocol or C[known[2]]
  local s, err = sockets.open(self.host, family, type_, protocol)
  if not s then return nil, err end
  s.watch = self.watch
  self.watch("socket", s.fd, type_, protocol)
  return s
end

function Drill:socket(kind, o)
  local s, err = self:try_socket(kind, o)
  if not s then raise("socket: " .. err) end
  return s
end

-- A socket object for a descriptor that the host has not.
function Drill:no_socket() return sockets.of(self.host, -1) end

-- A file that commands made, or /dev/zero; nil and the name of the error.
function Drill:open(path)
  if path == "/dev/zero" then return self.host:file(path) end
  local bytes = native.drill_file(self.state, path)
  if not bytes then return nil, "ENOENT" end
  return self.host:file(bytes)
end

-- TCP_INFO as numbers, by the names that scripts have for its fields (tcpi_snd_cwnd).
function Drill:info(s) return native.drill_info(self.state, s.fd) end

-- Commands ---------------------------------------------------------------------------------------

-- Runs a command of tapline's own small shell; it has to end with status 0. Returns what it printed.
function Drill:sh(text)
  local status, output = native.drill_sh(self.state, text)
  native.asserted()
  -- What commands in front of the first step take is none of the script's time.
  if not self.begun then native.drill_begin(self.state); self.start = native.now() end
  if status ~= 0 then
    native.fail(("the command ended with status %d: %s"):format(status, text), output)
  end
  return output
end

-- How many TCP sockets `ss` lists in that state ("syn-recv", "time-wait").
function Drill:count(state)
  local _, output = native.drill_sh(self.state, "ss -Htan state " .. state)
  return select(2, output:gsub("\n", ""))
end

-- Control messages -------------------------------------------------------------------------------

local function cmsg_data(data)
  if math.type(data) == "integer" then return ("<i4"):pack(data) end
  return data or ""
end

-- Bytes of control messages { level, type, data }; data is a number of 4 bytes, or bytes.
function packetdrill.control(list)
  local parts = {}
  for i, message in ipairs(list) do
    local data = cmsg_data(message[3])
    parts[i] = ("<I8i4i4"):pack(16 + #data, message[1], message[2]) .. data ..
      ("\0"):rep(-#data % 8)
  end
  return table.concat(parts)
end

local function read_control(bytes)
  local list, at = {}, 1
  while at + 15 <= #bytes do
    local len, level, kind = ("<I8i4i4"):unpack(bytes, at)
    if len < 16 or at + len - 1 > #bytes then break end
    list[#list + 1] = { level, kind, bytes:sub(at + 16, at + len - 1) }
    at = at + (len + 7) // 8 * 8
  end
  return list
end

-- struct sock_extended_err.
function packetdrill.sock_extended_err(e)
  return ("<I4BBBxI4I4"):pack(e.ee_errno or 0, e.ee_origin or 0, e.ee_type or 0, e.ee_code or 0,
    e.ee_info or 0, e.ee_data or 0)
end

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function show_control(list)
  local lines = {}
  for i, m in ipairs(list) do
    local data = m[3]
    if math.type(data) == "integer" then data = cmsg_data(data) end
    if type(data) == "table" then data = ("time %d ns"):format(data.time) end
    lines[i] = ("level %d, type %d, data %s"):format(m[1], m[2],
      type(data) ~= "string" and "(any)" or data:find("^time") and data or hex(data))
  end
  return table.concat(lines, "\n")
end

-- One message against what is wanted; a stamp { time = ns since the start } within the tolerance.
local function same_message(self, want, got)
  if want[1] ~= got[1] or want[2] ~= got[2] then return false end
  local data = want[3]
  if data == nil then return true end
  if type(data) == "table" then
    if #got[3] < 16 then return false end
    local sec, nsec = ("<i8i8"):unpack(got[3])
    return math.abs(sec * 1000000000 + nsec - self.start - data.time) <= self.tolerance
  end
  data = cmsg_data(data)
  return got[3]:sub(1, #data) == data
end

-- The control messages that recv gave must be these, { level, type, data } each.
function Drill:control_is(control, wanted)
  local got = read_control(control or "")
  local same = #got == #wanted
  for i = 1, #wanted do same = same and same_message(self, wanted[i], got[i]) end
  native.asserted()
  if not same then
    native.fail("other control messages came", show_control(got), show_control(wanted))
  end
  return native.proof({})
end

-- What Python has and Lua has not, for converted code -----------------------------------------------

-- 0, "" and None are false in Python.
function packetdrill.truth(value)
  return value ~= nil and value ~= false and value ~= 0 and value ~= ""
end

-- int(): towards 0.
function packetdrill.int(value)
  if type(value) == "boolean" then return value and 1 or 0 end
  local number = tonumber(value)
  if not number then raise(("int: %s is no number"):format(tap.repr(value))) end
  return math.tointeger(number < 0 and -(-number // 1) or number // 1)
end

-- round(): halves to the even neighbour.
function packetdrill.round(value)
  local down = math.floor(value)
  local rest = value - down
  if rest > 0.5 or rest == 0.5 and down % 2 == 1 then return down + 1 end
  return down
end

return packetdrill
