-- SPDX-License-Identifier: MIT
-- Which socket a datagram goes to: the most specific one (RFC 1122 4.1.3.5; kernel: compute_score).
-- Binding, sharing of ports, connecting, ephemeral ports.
local tap = require "tap"
local net = require "net"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function station(options)
  options = options or {}
  options.addr = options.addr or { "192.0.2.1/24", "192.0.2.3/24" }
  local host = net.host(options)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

local function udp_socket(host, addr, port, options)
  local socket = host:socket "udp"
  for name, value in pairs(options or {}) do socket:option(name, value) end
  socket:bind(addr, port)
  return socket
end

local function got(socket)
  return (socket:try("recv", { flags = "dontwait" }))
end

tap.test("a socket with a local address takes what is for it, the wildcard one the rest", function(t)
  local host, peer = station()
  local any = udp_socket(host, "0.0.0.0", 8)
  local one = udp_socket(host, "192.0.2.1", 7, { SO_REUSEADDR = 1 })
  local rest = udp_socket(host, "0.0.0.0", 7, { SO_REUSEADDR = 1 })
  peer:send(udp{} / "to .1")
  peer:send(ip{ dst = "192.0.2.3" } / udp{} / "to .3")
  net.sleep("1ms")
  t:shows("RFC1122-4.1.3.5-3", t:is(got(rest), "to .3"))
  t:shows("RFC1122-4.1.3.5-2", t:is(got(one), "to .1"))
  t:is(got(one), nil)
  t:is(got(rest), nil)
  t:is(got(any), nil)
end)

tap.test("a connected socket hears its peer only; others go to the unconnected one", function(t)
  local host, peer = station()
  local other = host.wire:peer { addr = "192.0.2.10", port = 5000 }:to(7)
  local open = udp_socket(host, "0.0.0.0", 7, { SO_REUSEADDR = 1 })
  local connected = udp_socket(host, "0.0.0.0", 7, { SO_REUSEADDR = 1 })
  connected:connect(peer.addr, 5000)
  peer:send(udp{} / "peer")
  peer:send(udp{ sport = 5001 } / "another port")
  other:send(udp{} / "another host")
  net.sleep("1ms")
  t:shows("RFC8085-5.1-1", t:is(got(connected), "peer"))
  t:is(got(connected), nil)
  t:is({ got(open), got(open) }, { "another port", "another host" })
end)

tap.test("a datagram from elsewhere to a port with a connected socket alone gets port unreachable",
  function(t)
    local host, peer = station()
    local connected = udp_socket(host, "0.0.0.0", 7)
    connected:connect(peer.addr, 5000)
    peer:send(udp{ sport = 5001 } / "x")
    t:shows("RFC8085-5.1-1", peer:expect(ip{} / icmp{ type = "dest-unreach", code = "port" }))
    t:is(got(connected), nil)
  end)

tap.test("a socket bound to a device hears that device only", function(t)
  local host, peer = station()
  local second = host:nic { addr = "198.51.100.1/24" }
  local far = second.wire:peer { addr = "198.51.100.9", port = 5000 }:to(7)
  local socket = host:socket "udp"
  socket:option("SO_BINDTODEVICE", "eth1")
  socket:bind(7)
  far:send(udp{} / "eth1")
  net.sleep("1ms")
  t:is(got(socket), "eth1")
  peer:send(ip{ dst = "198.51.100.1" } / udp{} / "eth0")
  peer:expect(ip{ src = "198.51.100.1" } / icmp{ type = "dest-unreach", code = "port" })
  t:is(got(socket), nil)
end)

tap.test("of sockets that share a port by SO_REUSEADDR the last one bound hears unicast", function(t)
  local host, peer = station()
  local first = udp_socket(host, "0.0.0.0", 7, { SO_REUSEADDR = 1 })
  local second = udp_socket(host, "0.0.0.0", 7, { SO_REUSEADDR = 1 })
  peer:send(udp{} / "one")
  net.sleep("1ms")
  t:is({ got(second), got(first) }, { "one" })
  second:close()
  peer:send(udp{} / "two")
  net.sleep("1ms")
  t:is(got(first), "two")
end)

tap.test("sockets of a SO_REUSEPORT group share the load, a flow stays with one", function(t)
  local host, peer = station()
  local group = {}
  for i = 1, 4 do group[i] = udp_socket(host, "0.0.0.0", 7, { SO_REUSEPORT = 1 }) end
  for round = 1, 2 do
    for port = 1, 64 do peer:send(udp{ sport = port } / tostring(port)) end
  end
  net.sleep("1ms")
  local owner, total = {}, 0
  for i, socket in ipairs(group) do
    local mine = 0
    for data in function() return got(socket) end do
      t:ok(owner[data] == nil or owner[data] == i, "a flow has one socket")
      owner[data] = i
      mine = mine + 1
    end
    t:ok(mine > 0, "each gets some")
    total = total + mine
  end
  t:is(total, 128)
end)

for _, case in ipairs {
  { "two wildcards", { "0.0.0.0" }, { "0.0.0.0" }, "EADDRINUSE" },
  { "wildcard, then one address", { "0.0.0.0" }, { "192.0.2.1" }, "EADDRINUSE" },
  { "one address, then wildcard", { "192.0.2.1" }, { "0.0.0.0" }, "EADDRINUSE" },
  { "two addresses", { "192.0.2.1" }, { "192.0.2.3" }, nil },
  { "the same address", { "192.0.2.1" }, { "192.0.2.1" }, "EADDRINUSE" },
  { "SO_REUSEADDR on the second only", { "0.0.0.0" }, { "0.0.0.0", "SO_REUSEADDR" }, "EADDRINUSE" },
  { "SO_REUSEADDR on both", { "0.0.0.0", "SO_REUSEADDR" }, { "0.0.0.0", "SO_REUSEADDR" }, nil },
  { "SO_REUSEPORT on the first only", { "0.0.0.0", "SO_REUSEPORT" }, { "0.0.0.0" }, "EADDRINUSE" },
  { "SO_REUSEPORT on both", { "0.0.0.0", "SO_REUSEPORT" }, { "0.0.0.0", "SO_REUSEPORT" }, nil },
  { "SO_REUSEPORT and SO_REUSEADDR", { "0.0.0.0", "SO_REUSEPORT" }, { "0.0.0.0", "SO_REUSEADDR" },
    "EADDRINUSE" },
} do
  tap.test("binding a port twice, " .. case[1] .. ": " .. (case[4] or "allowed"), function(t)
    local host = station()
    local results = {}
    for i = 2, 3 do
      local socket = host:socket "udp"
      if case[i][2] then socket:option(case[i][2], 1) end
      results[i - 1] = select(2, socket:try("bind", case[i][1], 7)) or "ok"
    end
    t:is(results, { "ok", case[4] or "ok" })
  end)
end

tap.test("bind refuses an address that is not the host's, and a second bind", function(t)
  local host = station()
  local socket = host:socket "udp"
  t:is(select(2, socket:try("bind", "192.0.2.77", 7)), "EADDRNOTAVAIL")
  socket:bind("192.0.2.1", 7)
  t:is(select(2, socket:try("bind", "192.0.2.1", 8)), "EINVAL")
  local free = host:socket "udp"
  free:option("IP_FREEBIND", 1)
  t:ok(free:bind("192.0.2.77", 7))
end)

tap.test("a port is free again as soon as its socket is closed", function(t)
  local host, peer = station()
  local socket = udp_socket(host, "0.0.0.0", 7)
  peer:send(udp{} / "never read")
  net.sleep("1ms")
  socket:close()
  t:is(host:drops("SOCKET_CLOSE"), 1)
  peer:send(udp{} / "x")
  peer:expect(icmp{ type = "dest-unreach", code = "port" })
  t:ok(udp_socket(host, "0.0.0.0", 7))
end)

-- Connect -----------------------------------------------------------------------------------------

tap.test("connect chooses the local address by the route and tells it; nothing is sent", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:connect(peer.addr, 5000)
  local name = socket:name()
  t:shows("RFC1122-4.1.3.5-4", t:is(name.addr, "192.0.2.1"))
  local low, high = host:sysctl("net.ipv4.ip_local_port_range"):match("(%d+)%s+(%d+)")
  t:ok(name.port >= tonumber(low) and name.port <= tonumber(high))
  t:is(socket:peername(), { addr = peer.addr, port = 5000 })
  peer:expect_nothing { during = "1s" }
end)

tap.test("connect again moves to another peer; connect to nobody dissolves", function(t)
  local host, peer = station()
  local other = host.wire:peer { addr = "192.0.2.10", port = 6000 }:to(7)
  host:neigh { addr = other.addr, mac = other.mac }
  local socket = udp_socket(host, "0.0.0.0", 7)
  socket:connect(peer.addr, 5000)
  socket:connect(other.addr, 6000)
  socket:send("hello")
  other:expect(udp{ sport = 7, dport = 6000 } / "hello")
  socket:connect(nil)
  t:is(select(2, socket:try("send", "x")), "EDESTADDRREQ")
  t:is(select(2, socket:try("peername")), "ENOTCONN")
  t:is(socket:name(), { addr = "0.0.0.0", port = 7 })
  peer:send(udp{} / "all welcome")
  t:is((socket:recv()), "all welcome")
end)

tap.test("dissolving the association of a socket that was never bound gives its port back", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:connect(peer.addr, 5000)
  local port = socket:name().port
  socket:connect(nil)
  t:is(socket:name(), { addr = "0.0.0.0", port = 0 })
  peer:send(udp{ dport = port } / "x")
  t:ok(peer:expect(icmp{ type = "dest-unreach", code = "port" }))
end)

tap.test("sendto works on a connected socket, to another address than its peer's", function(t)
  local host, peer = station()
  local other = host.wire:peer { addr = "192.0.2.10", port = 6000 }:to(7)
  host:neigh { addr = other.addr, mac = other.mac }
  local socket = udp_socket(host, "0.0.0.0", 7)
  socket:connect(peer.addr, 5000)
  socket:sendto("aside", other.addr, 6000)
  t:ok(other:expect(udp{ sport = 7 } / "aside"))
  peer:expect_nothing()
end)

tap.test("sending without a route is ENETUNREACH and counted", function(t)
  local host = station()
  local socket = host:socket "udp"
  t:is(select(2, socket:try("sendto", "x", "203.0.113.1", 9)), "ENETUNREACH")
  t:is(select(2, socket:try("connect", "203.0.113.1", 9)), "ENETUNREACH")
  t:is(host:counter("IpOutNoRoutes"), 2)
end)

-- Ephemeral ports ---------------------------------------------------------------------------------

tap.test("ephemeral ports are random in ip_local_port_range and free of each other", function(t)
  local host = station()
  local low, high = host:sysctl("net.ipv4.ip_local_port_range"):match("(%d+)%s+(%d+)")
  local seen, ordered = {}, true
  local last = 0
  for _ = 1, 50 do
    local socket = host:socket "udp"
    socket:bind("0.0.0.0", 0)
    local port = socket:name().port
    t:ok(port >= tonumber(low) and port <= tonumber(high) and not seen[port])
    seen[port] = true
    if port < last then ordered = false end
    last = port
  end
  t:ok(not ordered, "not one after the other")
end)

tap.test("when all ephemeral ports are taken bind is EADDRINUSE", function(t)
  local host = station { sysctl = { ["net.ipv4.ip_local_port_range"] = "40000 40003" } }
  local seen = {}
  for _ = 1, 4 do
    local socket = host:socket "udp"
    socket:bind("0.0.0.0", 0)
    seen[socket:name().port - 40000] = true
  end
  t:is(seen, { [0] = true, true, true, true })
  local socket = host:socket "udp"
  t:is(select(2, socket:try("bind", "0.0.0.0", 0)), "EADDRINUSE")
  t:is(select(2, socket:try("sendto", "x", "192.0.2.9", 9)), "EAGAIN")
end)

tap.test("ephemeral ports hang on the seed alone", function(t)
  local function ports(host)
    local list = {}
    for i = 1, 8 do
      local socket = host:socket "udp"
      socket:bind("0.0.0.0", 0)
      list[i] = socket:name().port
    end
    return list
  end
  local a, b = ports(station()), ports(net.host { addr = "192.0.2.2/24" })
  local same = 0
  for i = 1, 8 do same = same + (a[i] == b[i] and 1 or 0) end
  t:ok(same < 2, "two hosts draw their own")
end)
