-- SPDX-License-Identifier: MIT
-- SO_REUSEPORT groups of listeners and of UDP sockets: who gets a flow (hash, program, CPU), and who
-- takes over what a listener leaves behind (net.ipv4.tcp_migrate_req).
local tap = require "tap"
local net = require "net"
local udp = net.udp

local function station(o)
  o = o or {}
  o.addr = "192.0.2.1/24"
  local host = net.host(o)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

-- A socket that is to share its port.
local function sharing(host, kind)
  local s = host:socket(kind)
  s:option("SO_REUSEPORT", 1)
  return s
end

local function listener(host, o)
  local s = sharing(host, "tcp")
  for name, value in pairs(o or {}) do s:option(name, value) end
  s:listen(80)
  return s
end

local function group(host, n)
  local sockets = {}
  for i = 1, n do sockets[i] = listener(host) end
  return sockets
end

-- A client with a port and an address of its own. `half`: the handshake is left at the SYN,ACK.
local function client(host, port, half)
  local peer = host.wire:peer { addr = "192.0.2." .. port - 5000 + 50, port = port }
  host:neigh { addr = peer.addr, mac = peer.mac }
  peer = peer:to(80)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  if not half then peer:send ". 1:1(0) ack 1" end
  return peer
end

-- How many connections wait at each.
local function waiting(sockets)
  net.sleep "10us"
  local counts = {}
  for i, s in ipairs(sockets) do
    counts[i] = 0
    s:nonblock()
    while s:try "accept" do counts[i] = counts[i] + 1 end
  end
  return counts
end

-- The program ------------------------------------------------------------------------------------------

tap.test("SO_ATTACH_REUSEPORT_CBPF, SO_DETACH_REUSEPORT_BPF: what they refuse", function(t)
  local host = station()
  local s = host:socket "tcp"
  t:is(select(2, s:try("reuseport_filter", "ret #0")), "EINVAL")
  t:is(select(2, s:try("reuseport_filter", false)), "EINVAL")
  s:option("SO_REUSEPORT", 1)
  t:is(select(2, s:try("reuseport_filter", false)), "ENOENT")
  s:reuseport_filter "ret #0"
  s:reuseport_filter(false)
  t:is(select(2, s:try("reuseport_filter", false)), "ENOENT")
  t:is(select(2, s:try("option", "SO_ATTACH_REUSEPORT_CBPF", "")), "EINVAL")
  t:is(select(2, s:try("option", "SO_ATTACH_REUSEPORT_CBPF", ("\0"):rep(7))), "EINVAL")
  s:option("SO_LOCK_FILTER", 1)
  t:is(select(2, s:try("reuseport_filter", "ret #0")), "EPERM")
end)

tap.test("listeners: the program's number says who it is for", function(t)
  local host = station()
  local sockets = group(host, 3)
  sockets[1]:reuseport_filter "ret #2"
  for port = 5001, 5008 do client(host, port) end
  t:is(waiting(sockets), { 0, 0, 8 })
  sockets[3]:reuseport_filter "ret #0" -- any member's is the group's
  for port = 5101, 5104 do client(host, port) end
  t:is(waiting(sockets), { 4, 0, 0 })
end)

tap.test("listeners: a number that nobody has: by hash, as without a program", function(t)
  local function spread(program)
    local host = station()
    local sockets = group(host, 3)
    if program then sockets[1]:reuseport_filter(program) end
    for port = 5001, 5040 do client(host, port) end
    return waiting(sockets)
  end
  for _, program in ipairs { false, "ret #3", "ret #-1" } do
    for i, count in ipairs(spread(program)) do t:ok(count >= 5, ("%d: %d"):format(i, count)) end
  end
end)

tap.test("a program before bind: the first brings it into the group, a later one can not join", function(t)
  local host = station()
  local first = sharing(host, "tcp")
  first:reuseport_filter "ret #1"
  first:listen(80)
  local second = listener(host)
  for port = 5001, 5004 do client(host, port) end
  t:is(waiting { first, second }, { 0, 4 })
  local third = sharing(host, "tcp")
  third:reuseport_filter "ret #0"
  t:is(select(2, third:try("bind", 80)), "EADDRINUSE")
end)

tap.test("UDP: the program sees the datagram behind its header", function(t)
  local host, peer = station()
  local sockets = {}
  for i = 1, 3 do
    sockets[i] = sharing(host, "udp")
    sockets[i]:bind(7)
  end
  sockets[2]:reuseport_filter "ldb [0]\nsub #0x30\nret a" -- '0', '1', '2'
  for _, text in ipairs { "0zero", "2two", "1one", "2deux" } do peer:send(udp { dport = 7 } / text) end
  net.sleep "1ms"
  local got = {}
  for i, s in ipairs(sockets) do
    got[i] = ""
    while true do
      local data = s:try("recv", { flags = "dontwait" })
      if not data then break end
      got[i] = got[i] .. data
    end
  end
  t:is(got, { "0zero", "1one", "2two2deux" })
end)

tap.test("UDP: a datagram too short for the program's load is for the first", function(t)
  local host, peer = station()
  local sockets = {}
  for i = 1, 2 do
    sockets[i] = sharing(host, "udp")
    sockets[i]:bind(7)
  end
  sockets[1]:reuseport_filter "ldb [9]\nret #1"
  peer:send(udp { dport = 7 } / "short")
  peer:send(udp { dport = 7 } / "long enough")
  net.sleep "1ms"
  t:is((sockets[1]:recv()), "short")
  t:is((sockets[2]:recv()), "long enough")
end)

-- By hash, by CPU --------------------------------------------------------------------------------------

tap.test("one that leaves: its flows, and of the others only the last one's, move", function(t)
  local host = station()
  local sockets = group(host, 4)
  local function owners()
    net.sleep "10us"
    local owner = {}
    for i, s in ipairs(sockets) do
      s:nonblock()
      while true do
        local conn = s:try "accept"
        if not conn then break end
        local port = conn:peername().port
        owner[port] = i
        conn:option("SO_LINGER", { 1, 0 })
        conn:close()
      end
    end
    return owner
  end
  local function round()
    local peers = {}
    for port = 5001, 5040 do peers[#peers + 1] = client(host, port) end
    local owner = owners()
    for _, peer in ipairs(peers) do peer:expect "R. 1:1(0) ack 1" end
    return owner
  end
  local before = round()
  local again = round()
  t:is(again, before)
  table.remove(sockets, 4):close() -- the last: the places of the others stay
  t:ok(next(before))
  local after = round()
  local n = 0
  for _ in pairs(after) do n = n + 1 end
  t:is(n, 40)
end)

tap.test("SO_INCOMING_CPU: a member of the CPU that the packet came to is preferred", function(t)
  local host = station { cpus = 2 }
  local sockets = group(host, 4)
  sockets[2]:option("SO_INCOMING_CPU", 1)
  sockets[3]:option("SO_INCOMING_CPU", 0) -- where the card interrupts
  for port = 5001, 5010 do client(host, port) end
  t:is(waiting(sockets), { 0, 0, 10, 0 })
  sockets[3]:option("SO_INCOMING_CPU", -1)
  for port = 5101, 5140 do client(host, port) end
  local counts = waiting(sockets)
  t:is(counts[1] + counts[2] + counts[3] + counts[4], 40) -- nobody's CPU: all by hash
  t:ok(counts[1] > 0 and counts[2] > 0 and counts[3] > 0 and counts[4] > 0)
end)

-- What a listener leaves behind -------------------------------------------------------------------------

local function migrates(on)
  return station { sysctl = { ["net.ipv4.tcp_migrate_req"] = on and 1 or 0 } }
end

tap.test("tcp_migrate_req off: connections that nobody accepted are reset with their listener", function(t)
  local host = migrates(false)
  local first = listener(host)
  local peers = {}
  for port = 5001, 5004 do peers[#peers + 1] = client(host, port) end
  net.sleep "10us"
  local second = listener(host)
  first:close()
  for _, peer in ipairs(peers) do peer:expect "R. 1:1(0) ack 1" end
  t:is(waiting { second }, { 0 })
  t:is(host:counter "TcpExtTCPMigrateReqSuccess", 0)
end)

tap.test("tcp_migrate_req: another listener of the group accepts them, and is told", function(t)
  local host = migrates(true)
  local first = listener(host)
  local peers = {}
  for port = 5001, 5004 do peers[#peers + 1] = client(host, port) end
  local second = listener(host)
  local accepted
  net.spawn(function() accepted = second:accept() end)
  net.sleep "1ms"
  first:close()
  net.sleep "1ms"
  t:ok(accepted)
  t:is(waiting { second }, { 3 })
  t:is({ host:counter "TcpExtTCPMigrateReqSuccess", host:counter "TcpExtTCPMigrateReqFailure" }, { 4, 0 })
  accepted:send "hello"
  local heard = 0
  for _, peer in ipairs(peers) do
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      heard = heard + (frame.tcp.flags:find "P" and 1 or 0)
    end
  end
  t:is(heard, 1)
end)

tap.test("tcp_migrate_req: a handshake under way ends with another listener", function(t)
  local host = migrates(true)
  local first = listener(host)
  local peer = client(host, 5001, true)
  local second = listener(host)
  first:close()
  peer:send ". 1:1(0) ack 1"
  peer:send "P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  local conn = second:accept()
  t:ok(conn)
  t:is(#conn:recv(), 5)
  t:is(host:counter "TcpExtTCPMigrateReqSuccess", 1)
end)

tap.test("tcp_migrate_req: the SYN,ACK goes on being sent again", function(t)
  local function again(on)
    local host = migrates(on)
    local first = listener(host)
    local peer = client(host, 5001, true)
    local second = listener(host)
    first:close()
    local n = #peer:collect { during = "4s" }
    if on then
      peer:send ". 1:1(0) ack 1"
      t:is(waiting { second }, { 1 })
    end
    return n
  end
  t:is(again(true), 2) -- after 1 s and 3 s
  t:is(again(false), 0)
end)

tap.test("tcp_migrate_req: without another listener the handshake fails, and that is counted", function(t)
  local host = migrates(true)
  local first = listener(host)
  local peer = client(host, 5001, true)
  first:close()
  peer:send ". 1:1(0) ack 1"
  peer:expect "R 1:1(0)"
  t:is(host:counter "TcpExtTCPMigrateReqFailure", 1)
end)

tap.test("a listener that was shut down and listens again is in its group again", function(t)
  local host = migrates(true)
  local first, second = listener(host), listener(host)
  second:reuseport_filter "ret #0"
  first:shutdown "rd"
  client(host, 5001)
  t:is(waiting { second }, { 1 })
  first:listen()
  second:reuseport_filter "ret #1"
  client(host, 5002)
  t:is(waiting { first, second }, { 1, 0 })
end)
