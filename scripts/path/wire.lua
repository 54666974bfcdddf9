-- SPDX-License-Identifier: MIT
-- The wire and its faults, the way out, loopback, two hosts on one wire.
local tap = require "tap"
local net = require "net"
local stations = require "suite.station"
local ip, icmp, udp, arp = net.ip, net.icmp, net.udp, net.arp

local function station(o)
  local host, peer, socket = stations.udp(o)
  socket:connect(peer.addr, 5000)
  return host, peer, socket
end

local function numbers(frames)
  local list = {}
  for i, frame in ipairs(frames) do list[i] = tonumber(frame.payload) end
  return list
end

tap.test("a frame takes the wire's delay, and at a rate the time of its bits", function(t)
  local host, peer, socket = station { delay = "5ms", rate = 8000000 }
  socket:send(("x"):rep(958))
  -- A frame of 1000 octets at 8 Mbit/s: 1 ms on top of the 5 ms.
  t:is(peer:collect { during = "10ms" }[1].time, 6000000)
  for i = 1, 3 do socket:send(("y"):rep(958)) end
  local frames = peer:collect { during = "20ms" }
  t:is({ frames[2].time - frames[1].time, frames[3].time - frames[2].time }, { 1000000, 1000000 })
end)

tap.test("drop_next loses so many frames of one direction", function(t)
  local host, peer, socket = station()
  host.wire:set { drop_next = 2, from = "host" }
  for i = 1, 5 do socket:send(tostring(i)) end
  t:is(numbers(peer:collect { during = "1ms" }), { 3, 4, 5 })
  t:is(host:counter("wire.0.lost"), 2)
  peer:send(udp{} / "in")
  t:is((socket:recv()), "in")
end)

tap.test("a loss of 100 % loses all, of 0 nothing, of 10 % about a tenth, the same in each run",
  function(t)
    local host, peer, socket = station()
    host.wire:set { loss = 1000000, from = "host" }
    for i = 1, 20 do socket:send("x") end
    t:is(#peer:collect { during = "1ms" }, 0)
    host.wire:set { loss = 100000, from = "host" }
    for i = 1, 1000 do socket:send(tostring(i)) end
    local n = #peer:collect { during = "1ms" }
    t:ok(n > 850 and n < 950, "about 900: " .. n)
    t:is(host:counter("wire.0.lost"), 20 + 1000 - n)
  end)

tap.test("duplication delivers a frame twice, and UDP passes both on", function(t)
  local host, peer, socket = station()
  host.wire:set { duplicate = 1000000, from = "peer" }
  peer:send(udp{} / "twin")
  t:is({ (socket:recv()), (socket:recv()) }, { "twin", "twin" })
  t:is(host:counter("wire.0.duplicated"), 1)
end)

tap.test("reordering holds frames back for reorder_by, and loses none", function(t)
  local host, peer, socket = station()
  host.wire:set { reorder = 500000, reorder_by = "1ms", from = "host" }
  for i = 1, 40 do
    socket:send(tostring(i))
    net.sleep("100us")
  end
  local list = numbers(peer:collect { during = "10ms" })
  local sorted, ordered = {}, true
  for i, n in ipairs(list) do
    sorted[i] = n
    if i > 1 and n < list[i - 1] then ordered = false end
  end
  table.sort(sorted)
  t:is(#sorted, 40)
  for i = 1, 40 do t:is(sorted[i], i) end
  t:ok(not ordered)
  t:ok(host:counter("wire.0.reordered") > 0)
end)

tap.test("a flipped bit is found by address filter or checksum, or it was in the padding: no wrong octet is delivered", function(t)
  local host, peer, socket = station()
  host.wire:set { corrupt = 1000000, from = "peer" }
  for i = 1, 50 do peer:send(udp{} / "intact") end
  net.sleep("1ms")
  peer:collect()
  host.wire:set { corrupt = 0, from = "peer" }
  t:is(host:counter("wire.0.corrupted"), 50)
  local delivered = 0
  for data in function() return (socket:try("recv", { flags = "dontwait" })) end do
    t:is(data, "intact")
    delivered = delivered + 1
  end
  t:ok(delivered < 35, "most of the 60 octets are protected")
end)

tap.test("a frame with a bad CRC is counted by the card and goes no further", function(t)
  local host, peer, socket = station()
  peer:send(udp{} / "x", { fcs = "bad" })
  net.sleep("1ms")
  t:is(host:counter("eth0.rx_crc_errors"), 1)
  t:is(host:counter("IpInReceives"), 0)
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
end)

tap.test("jitter changes the times and not the number of frames", function(t)
  local host, peer, socket = station { delay = "1ms" }
  host.wire:set { jitter = "500us", from = "host" }
  local times = {}
  for i = 1, 20 do
    local start = t:now()
    socket:send(tostring(i))
    local took = peer:collect { during = "5ms" }[1].time - start
    times[took] = true
    t:ok(took >= 1000000 and took <= 1500000)
  end
  local different = 0
  for _ in pairs(times) do different = different + 1 end
  t:ok(different > 5)
end)

-- The way out -------------------------------------------------------------------------------------

tap.test("datagrams wait for the neighbour up to unres_qlen_bytes; older ones make room", function(t)
  local host, peer, socket = station { sysctl = {
    ["net.ipv4.neigh.default.unres_qlen_bytes"] = 4096 } }
  host:sysctl("net.ipv4.neigh.eth0.unres_qlen_bytes", 4096)
  local quiet = host.wire:peer { addr = "192.0.2.50", arp = false, port = 9 }:to(7)
  for i = 1, 20 do socket:sendto(tostring(i), quiet.addr, 9) end
  quiet:expect(arp{ op = "request", tpa = quiet.addr }, { within = "1ms" })
  quiet:send(arp{ op = "reply", sha = quiet.mac, spa = quiet.addr, tha = host.mac, tpa = host.addr })
  local list = numbers(quiet:collect { during = "1ms" })
  t:ok(#list > 0 and #list < 20)
  for i, n in ipairs(list) do t:is(n, 20 - #list + i) end
  t:is(host:counter("arp_cache.unres_discards"), 20 - #list)
  t:is(host:drops("NEIGH_QUEUEFULL"), 20 - #list)
end)

tap.test("datagrams to a neighbour that never answers end after three requests, and the sender is told",
  function(t)
    local host, peer, socket = station()
    local quiet = host.wire:peer { addr = "192.0.2.50", arp = false, port = 9 }
    local other = host:socket "udp"
    other:connect(quiet.addr, 9)
    other:send("x")
    for _ = 1, 3 do quiet:expect(arp{ op = "request", tpa = quiet.addr }, { within = "2s" }) end
    net.sleep("2s")
    t:is(host:drops("NEIGH_FAILED"), 1)
    t:is(host:counter("arp_cache.res_failed"), 1)
    quiet:expect_nothing()
  end)

tap.test("a full transmit ring loses nothing: the queue stops and goes on", function(t)
  local host, peer, socket = station { tx_ring = 64, rate = 10000000 }
  for i = 1, 90 do socket:send(("%04d"):format(i)) end
  local list = numbers(peer:collect { during = "1s" })
  t:is(#list, 90)
  for i = 1, 90 do t:is(list[i], i) end
end)

tap.test("a card that is down refuses what is sent and hears nothing", function(t)
  local host, peer, socket = station()
  host:link { up = false }
  t:isnt(select(2, socket:try("send", "x")), nil)
  peer:send(udp{} / "x")
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IpInReceives"), 0)
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
end)

-- Loopback, two hosts -----------------------------------------------------------------------------

tap.test("127.0.0.1 and the host's own address are reached without the wire", function(t)
  local host, peer = station()
  for _, addr in ipairs { "127.0.0.1", "127.255.255.254", "192.0.2.1" } do
    local server, client = host:socket "udp", host:socket "udp"
    server:bind(addr, 53)
    client:sendto("hello", addr, 53)
    local data, from = server:recv()
    t:is({ data, from.addr }, { "hello", addr == "127.255.255.254" and "127.0.0.1" or addr })
    server:sendto("world", from.addr, from.port)
    t:is((client:recv()), "world")
    server:close()
    client:close()
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("lo.rx_packets"), 6)
  t:is(host:counter("eth0.tx_packets"), 0)
end)

tap.test("a closed port of the loopback address refuses at once", function(t)
  local host, peer = station()
  local client = host:socket "udp"
  client:connect("127.0.0.1", 53)
  client:send("x")
  t:is(select(2, client:try("recv")), "ECONNREFUSED")
  t:is(t:now(), 0)
  peer:expect_nothing { during = "1s" }
end)

tap.test("errors on the loopback device are not rate limited", function(t)
  local host = station()
  local client = host:socket "udp"
  client:connect("127.0.0.1", 53)
  for _ = 1, 20 do
    client:send("x")
    t:is(select(2, client:try("recv")), "ECONNREFUSED")
  end
  t:is(host:counter("IcmpOutDestUnreachs"), 20)
end)

tap.test("packets from or to 127/8 on a real wire are martians", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "127.0.0.1" } / udp{} / "x")
  peer:send(ip{ src = "127.0.0.1" } / udp{} / "x")
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IpInDelivers"), 0)
end)

tap.test("two hosts on a wire find each other and exchange datagrams of every size", function(t)
  local a = net.host { addr = "192.0.2.1/24" }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire }
  local sender, receiver = a:socket "udp", b:socket "udp"
  receiver:bind(7)
  for _, size in ipairs { 0, 1, 100, 1472, 1473, 9000, 65507 } do
    sender:sendto(("z"):rep(size), "192.0.2.2", 7)
    t:is(#(receiver:recv()), size)
  end
  t:is(b:counter("IpReasmOKs"), 3)
  t:is(b:counter("ArpInRequests") + a:counter("ArpInReplies"), 2)
  t:is(a:counter("IcmpInMsgs") + b:counter("IcmpInMsgs"), 0)
end)
