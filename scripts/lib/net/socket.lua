-- SPDX-License-Identifier: MIT
-- Sockets of a host: one method per system call. A call that would block suspends its task.
local _, native = ...
local tap = require "tap"
local near = require "near"
local util = require "net.util"
local tcp_info = require "net.tcp_info"
local cmsg = require "net.cmsg"
local packet = require "net.packet"
local auth = require "net.auth"

local C, raise = util.C, util.raise
local options, set, duration, ip_address = util.options, util.set, util.duration, util.ip_address

local socket = {}

local Socket = {}
Socket.__name = "socket"

-- The calls themselves: they return nil and the name of an error.
local calls = {}

-- Methods raise what a call returns as an error; socket:try("recv", ...) does not.
function Socket.__index(_, name)
  local call = calls[name]
  if name == "try" then
    return function(self, what, ...)
      if not calls[what] then
        raise(("socket:try: there is no call '%s'%s"):format(tostring(what), near.text(what, calls)))
      end
      return calls[what](self, ...)
    end
  end
  if not call then
    raise(("a socket has no '%s'%s"):format(tostring(name), near.text(name, calls)))
  end
  return function(...)
    local results = table.pack(call(...))
    if results[1] == nil and type(results[2]) == "string" then
      raise(("%s: %s"):format(name, results[2]))
    end
    return table.unpack(results, 1, results.n)
  end
end

local socket_types = {
  tcp6 = { C.SOCK_STREAM, C.IPPROTO_TCP, C.AF_INET6 },
  udp = { C.SOCK_DGRAM, C.IPPROTO_UDP },
  tcp = { C.SOCK_STREAM, C.IPPROTO_TCP },
  packet = { C.SOCK_RAW, 3, C.AF_PACKET },
  ["packet-dgram"] = { C.SOCK_DGRAM, 3, C.AF_PACKET },
}
local socket_options = set "nonblock protocol dev filter auxdata"

function socket.new(host, kind, o)
  o = options("host:socket", o, socket_options)
  local known = socket_types[kind]
  if not known then
    raise(("host:socket: there is no type '%s'; there are: packet packet-dgram tcp tcp6 udp"):format(tostring(kind)))
  end
  local is_packet = known[3] == C.AF_PACKET
  local protocol = is_packet and packet.protocol(o.protocol) or o.protocol or known[2]
  if not is_packet and (o.dev or o.auxdata) then raise("host:socket: dev and auxdata are for packet sockets") end
  -- One that is bound or filtered hears nothing before it is.
  local later = is_packet and (o.dev or o.filter)
  local result, err = native.sys("socket", { host = host.id, arg0 = known[3] or C.AF_INET,
    arg1 = known[1] | (o.nonblock and C.SOCK_NONBLOCK or 0), arg2 = later and 0 or protocol })
  if not result then raise(("socket: %s"):format(err)) end
  local s = setmetatable({ host = host, fd = result.ret, v6 = known[3] == C.AF_INET6,
    packet = is_packet and protocol }, Socket)
  if o.filter then s:filter(o.filter) end
  if o.auxdata then s:option("PACKET_AUXDATA", 1) end
  if later then s:bind(o.dev, protocol) end
  return s
end

-- An object for a descriptor that is there (or not: -1).
function socket.of(host, fd, v6)
  return setmetatable({ host = host, fd = fd, v6 = v6 }, Socket)
end

-- socket(2) with its own numbers; nil and the name of the error.
function socket.open(host, family, type_, protocol)
  local result, err = native.sys("socket", { host = host.id, arg0 = family, arg1 = type_,
    arg2 = protocol })
  if not result then return nil, err end
  return socket.of(host, result.ret, family == C.AF_INET6)
end

-- Tells who watches the socket (scripts/lib/packetdrill.lua) what a call did.
local function tell(s, what, fd, port, bits)
  local watch = rawget(s, "watch")
  if watch then watch(what, fd, port, bits) end
end

-- The task that calls runs where host:taskset() put it.
local function settle(host)
  local top = host.host or host
  local cpus = top.task_cpus
  if not cpus then return end
  local cpu = cpus[native.task()] or cpus[0] or 0
  if cpu == (top.task_cpu or 0) then return end
  util.op("taskset", { host = top.id, cpu = cpu })
  top.task_cpu = cpu
end

function socket.taskset(host, cpu)
  local top = host.host or host
  top.task_cpus = top.task_cpus or {}
  top.task_cpus[native.task()] = cpu
end

local function sys(s, name, fields)
  settle(s.host)
  fields.host = s.host.id
  fields.fd = s.fd
  return native.sys(name, fields)
end

-- host:syscall(name, fields): a call by its own numbers and bytes (stack/include/stack/sys.h). What
-- came of it, or nil and the name of the error.
function socket.syscall(host, name, fields)
  settle(host)
  fields.host = host.id
  return native.sys(name, fields)
end

-- (7), ("192.0.2.1", 7), ("192.0.2.1:7") or ("[2001:db8::1]:7") as address bytes and port.
local function endpoint(s, addr, port, what)
  if math.type(addr) == "integer" and port == nil then return ("\0"):rep(s.v6 and 16 or 4), addr end
  if port == nil and type(addr) == "string" then
    local host, number = addr:match("^%[(.*)%]:(%d+)$")
    if not host then host, number = addr:match("^([^:]*):(%d+)$") end
    if host then addr, port = host, tonumber(number) end
  end
  port = port or 0
  if math.type(port) ~= "integer" or port < 0 or port > 65535 then
    raise(("%s: %s is no port"):format(what, tap.repr(port)))
  end
  return ip_address(addr, what), port
end

local function simple(result, err)
  if not result then return nil, err end
  return true
end

function calls:bind(addr, port)
  if rawget(self, "packet") then
    return simple(sys(self, "bind", packet.name(self, addr, packet.protocol(port or self.packet))))
  end
  local bytes, number = endpoint(self, addr, port, "bind")
  tell(self, "bind", self.fd, number)
  return simple(sys(self, "bind", { addr = bytes, port = number }))
end

-- connect(nil) dissolves the association of a datagram socket.
function calls:connect(addr, port)
  if addr == nil then
    return simple(sys(self, "connect", { addr = "\0\0\0\0", family = C.AF_UNSPEC }))
  end
  local bytes, number = endpoint(self, addr, port, "connect")
  tell(self, "connect", self.fd, number)
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
  tell(self, "listen", self.fd)
  return self
end

local function from(result)
  if not result.addr then return nil end
  if result.family == C.AF_PACKET then return packet.from(result) end
  return { addr = native.address_text(result.addr), port = result.port }
end

local accept_options = set "nonblock"

function calls:accept(o)
  o = options("accept", o, accept_options)
  local result, err = sys(self, "accept", { arg0 = o.nonblock and C.SOCK_NONBLOCK or 0 })
  if not result then return nil, err end
  local accepted = socket.of(self.host, result.ret, self.v6)
  rawset(accepted, "watch", rawget(self, "watch"))
  tell(self, "accept", result.ret, result.port)
  return accepted, from(result)
end

local function flags(list_or_number)
  if list_or_number == nil then return 0 end
  if type(list_or_number) == "number" then return list_or_number end
  local sum = 0
  for name in list_or_number:gmatch("[%w_]+") do
    local value = C["MSG_" .. name:upper()]
    if not value then raise(("there is no flag '%s'%s"):format(name, near.text("MSG_" .. name:upper(), C))) end
    sum = sum | value
  end
  return sum
end

local send_options = set "flags control fault piece"

-- Returns how many bytes were taken.
function calls:send(data, o)
  o = options("send", o, send_options)
  local result, err = sys(self, "sendmsg", { data = data, arg0 = flags(o.flags),
    arg1 = o.piece, control = cmsg.pack(o.control), fault = o.fault and 1 or 0 })
  if not result then return nil, err end
  return result.ret
end

local packet_send_options = set "flags protocol addr"

-- Out of a device: a frame, or with "packet-dgram" what comes behind the link header that `addr` and
-- `protocol` make.
local function send_packet(self, data, dev, o)
  o = options("sendto", o, packet_send_options)
  if type(data) ~= "string" then data = data:bytes() end
  local fields = packet.name(self, dev, packet.protocol(o.protocol or self.packet), o.addr)
  fields.data, fields.arg0 = data, flags(o.flags)
  local result, err = sys(self, "sendmsg", fields)
  if not result then return nil, err end
  return result.ret
end

function calls:sendto(data, addr, port, o)
  if rawget(self, "packet") then return send_packet(self, data, addr, port) end
  o = options("sendto", o, send_options)
  local bytes, number = endpoint(self, addr, port, "sendto")
  local bits = flags(o.flags)
  tell(self, "sendto", self.fd, number, bits)
  local result, err = sys(self, "sendmsg", { data = data, addr = bytes, port = number,
    arg0 = bits, arg1 = o.piece, control = cmsg.pack(o.control), fault = o.fault and 1 or 0 })
  if not result then return nil, err end
  return result.ret
end

local recv_options = set "size flags control_size fault"

-- Returns the bytes and a table: addr and port of the sender, length (of the whole datagram with
-- the flag "trunc"), flags (MSG_TRUNC, ... as a number), control.
function calls:recv(o)
  if math.type(o) == "integer" then o = { size = o } end
  o = options("recv", o, recv_options)
  local result, err = sys(self, "recvmsg", { size = o.size or 65536, arg0 = flags(o.flags),
    control_size = o.control_size or 512, fault = o.fault and 1 or 0 })
  if not result then return nil, err end
  local info = from(result) or {}
  info.length = result.ret
  info.flags = result.msg_flags
  info.control = result.control
  info.cmsg = cmsg.unpack(result.control or "")
  return result.data, info
end

local splice_flags = { nonblock = 2, more = 4 }

-- splice(2) into or out of a pipe's end: so many bytes at most.
function calls:splice(to, bytes, o)
  local names = (o or {}).flags or ""
  local bits = 0
  if math.type(names) == "integer" then bits, names = names, "" end
  for name in names:gmatch("%a+") do
    if not splice_flags[name] then raise(("splice: there is no flag '%s'"):format(name)) end
    bits = bits | splice_flags[name]
  end
  local result, err = sys(self, "splice", { arg0 = to.fd, arg1 = bytes, arg2 = bits })
  if not result then return nil, err end
  return result.ret
end

-- sendfile(2): bytes of a host:file(), from its own position or from an offset on.
function calls:sendfile(file, bytes, offset)
  local result, err = sys(self, "sendfile", { arg0 = file.fd, arg1 = offset or -1, arg2 = bytes })
  if not result then return nil, err end
  return result.ret
end

local shut = { rd = C.SHUT_RD, wr = C.SHUT_WR, rdwr = C.SHUT_RDWR }

function calls:shutdown(how)
  local number = shut[how] or how
  if math.type(number) ~= "integer" then raise("shutdown: \"rd\", \"wr\" or \"rdwr\"") end
  return simple(sys(self, "shutdown", { arg0 = number }))
end

function calls:close()
  local result, err = sys(self, "close", {})
  if not result then return nil, err end
  tell(self, "close", self.fd)
  return true
end

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

local levels = { SO = C.SOL_SOCKET, IP = C.SOL_IP, UDP = C.SOL_UDP, TCP = C.SOL_TCP,
  IPV6 = C.SOL_IPV6, PACKET = C.SOL_PACKET }
local time_options = { SO_RCVTIMEO = true, SO_SNDTIMEO = true }

local function option_number(name)
  if type(name) == "table" then return name[1], name[2] end
  local level = type(name) == "string" and levels[name:match("^(%u+6?)_")]
  if not level or not C[name] then
    raise(("there is no option '%s'%s"):format(tostring(name), near.text(name, C)))
  end
  return level, C[name]
end

-- option(name) reads, option(name, value) sets: a number, a boolean, bytes, a list of numbers (a
-- structure of int, as SO_LINGER has), a table of fields (TCP_MD5SIG, TCP_AO_*: net.auth), or for the
-- time-outs a duration. A name that
-- is not known here is given as { level, number }; `size` is the room for what is read.
function calls:option(name, value, size)
  local level, number = option_number(name)
  if value == nil then
    local result, err = sys(self, "getsockopt", { arg0 = level, arg1 = number, size = size or 512 })
    if not result then return nil, err end
    if time_options[name] then
      local sec, usec = ("<i8i8"):unpack(result.data)
      return sec * 1000000000 + usec * 1000
    end
    local data = result.data or ""
    if #data == 4 then return (("<i4"):unpack(data)) end
    return data
  end
  if time_options[name] then
    local ns = duration(value, name)
    value = ("<i8i8"):pack(ns // 1000000000, ns % 1000000000 // 1000)
  elseif type(value) == "boolean" then
    value = ("<i4"):pack(value and 1 or 0)
  elseif math.type(value) == "integer" then
    value = (value > 0x7fffffff and "<I4" or "<i4"):pack(value)
  elseif type(value) == "table" and auth.structs[name] then
    value = auth.structs[name](value, name)
  elseif type(value) == "table" then
    value = ("<" .. ("i4"):rep(#value)):pack(table.unpack(value))
  end
  return simple(sys(self, "setsockopt", { arg0 = level, arg1 = number, data = value }))
end

-- getsockopt() with a question in the buffer; what it wrote over it.
auth.methods(calls, function(self, name, question)
  local level, number = option_number(name)
  local result, err = sys(self, "getsockopt", { arg0 = level, arg1 = number, data = question, size = #question })
  if not result then return nil, err end
  return result.data
end)

-- An option as C calls name it: a level and its own number; a name tells its level itself.
local function option_name(level, name)
  if type(name) == "string" then return name end
  return { C[level] or level, name }
end

-- The C calls' own order; the level may be left out.
function calls:getsockopt(level, name, size)
  if name == nil then return calls.option(self, level, nil, size) end
  return calls.option(self, option_name(level, name), nil, size)
end

function calls:setsockopt(level, name, value)
  if value == nil then return calls.option(self, level, name) end
  return calls.option(self, option_name(level, name), value)
end

-- SO_MEMINFO as a table, the fields that `ss -m` shows.
local meminfo_names = { "rmem", "rcvbuf", "wmem", "sndbuf", "forward", "queued", "options",
  "backlog", "drops" }
function calls:meminfo()
  local data, err = calls.option(self, "SO_MEMINFO")
  if not data then return nil, err end
  local info = {}
  for i, name in ipairs(meminfo_names) do info[name] = ("<I4"):unpack(data, 4 * i - 3) end
  return info
end

-- TCP_INFO as a table (net.tcp_info).
function calls:info()
  local data, err = calls.option(self, "TCP_INFO")
  if not data then return nil, err end
  return tcp_info.read(data)
end

-- Bytes that can be read at once.
function calls:pending()
  local result, err = sys(self, "ioctl", { arg0 = C.FIONREAD })
  if not result then return nil, err end
  return result.ret
end

-- fcntl(2) and ioctl(2): the number that the call returned.
function calls:fcntl(command, value)
  local result, err = sys(self, "fcntl", { arg0 = command, arg1 = value or 0 })
  if not result then return nil, err end
  return result.ret
end

function calls:ioctl(request)
  local result, err = sys(self, "ioctl", { arg0 = request })
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

-- socket.poll({ { socket, "in" }, ... }, timeout): a list of what came, parallel to the first.
function socket.poll(entries, timeout)
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

-- Pipes and files in memory: they take the calls of a socket that fit (send writes, recv reads).
local function of_fd(host, fd) return setmetatable({ host = host, fd = fd }, Socket) end

-- The end that is read, the end that is written.
function socket.pipe(host, o)
  o = options("host:pipe", o, set "nonblock")
  local result, err = native.sys("pipe", { host = host.id, arg0 = o.nonblock and C.O_NONBLOCK or 0 })
  if not result then raise("pipe: " .. err) end
  return of_fd(host, result.ret & 0xffffffff), of_fd(host, result.ret >> 32)
end

-- A file with these bytes; "/dev/zero": zero bytes without end.
function socket.file(host, bytes)
  local zero = bytes == "/dev/zero"
  local result, err = native.sys("memfd", { host = host.id, arg0 = zero and 1 or 0,
    data = not zero and bytes or nil })
  if not result then raise("file: " .. err) end
  return of_fd(host, result.ret)
end

-- epoll ------------------------------------------------------------------------------------------

local EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD = 1, 2, 3
local EPOLLONESHOT, EPOLLET = 1 << 30, 1 << 31

local Epoll = {}
Epoll.__index = Epoll
Epoll.__name = "epoll"

function socket.epoll(host)
  local result, err = native.sys("epoll_create", { host = host.id })
  if not result then raise("epoll: " .. err) end
  return setmetatable({ host = host, fd = result.ret, sockets = {} }, Epoll)
end

local function epoll_ctl(self, call, s, events)
  local bits = 0
  for name in (events or ""):gmatch("%a+") do
    if name == "et" then
      bits = bits | EPOLLET
    elseif name == "oneshot" then
      bits = bits | EPOLLONESHOT
    else
      bits = bits | poll_events(name)
    end
  end
  self.sockets[s.fd] = s
  local result, err = native.sys("epoll_ctl", { host = self.host.id, fd = self.fd, arg0 = call,
    arg1 = s.fd, data = ("<I4I8"):pack(bits, s.fd) })
  if not result then raise("epoll: " .. err) end
end

-- Events as for poll, and "et", "oneshot".
function Epoll:add(s, events) epoll_ctl(self, EPOLL_CTL_ADD, s, events) end
function Epoll:mod(s, events) epoll_ctl(self, EPOLL_CTL_MOD, s, events) end
function Epoll:del(s) epoll_ctl(self, EPOLL_CTL_DEL, s) end

-- What is ready, as a list of { socket = s, events = { ["in"] = true } }; empty: nothing in time.
function Epoll:wait(timeout, max)
  settle(self.host)
  max = max or 64
  local result, err = native.sys("epoll_wait", { host = self.host.id, fd = self.fd, arg0 = max,
    size = 12 * max, timeout = timeout and duration(timeout, "wait") })
  if not result then raise("epoll: " .. err) end
  local ready = {}
  for i = 1, result.ret do
    local events, fd = ("<I4I8"):unpack(result.data, 12 * i - 11)
    ready[i] = { socket = self.sockets[fd], events = poll_set(events) }
  end
  return ready
end

function Epoll:close() native.sys("close", { host = self.host.id, fd = self.fd }) end

packet.methods(calls)

return socket
