-- SPDX-License-Identifier: MIT
-- What the internet layer offers to those above it, and how it is set up (RFC 1122 3.1, 3.3.1, 3.3.2,
-- 3.4, 4.1.4; RFC 791 3.3): every field of the header, options, errors, interfaces, sizes.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").ports
local ip, icmp, udp, eth = net.ip, net.icmp, net.udp, net.eth

local function server(host)
  local s = host:socket "udp"
  s:bind(7)
  return s
end

tap.test("IP and ICMP are there: a datagram to a port, an echo, an error for a port that is shut", function(t)
  local host, peer = station()
  local s = server(host)
  peer:send(udp{} / "hello")
  t:is((s:recv()), "hello")
  peer:send(icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect(icmp{ type = "echo-reply", id = 1, seq = 1 })
  peer:send(udp{ sport = 1, dport = 9 })
  t:shows("RFC1122-3.1-1", peer:expect(icmp{ type = "dest-unreach", code = "port" }))
end)

tap.test("forwarding is a switch, off at first", function(t)
  local host, peer = station { addr = { "192.0.2.1/24", "198.51.100.1/24" } }
  local other = host.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = other.addr, mac = other.mac }
  peer:send(ip{ dst = "198.51.100.9" } / udp{} / "x")
  other:expect_nothing { during = "1ms" }
  host:sysctl("net.ipv4.ip_forward", 1)
  peer:send(ip{ dst = "198.51.100.9" } / udp{} / "x")
  local got = other:expect(ip{ src = peer.addr, dst = other.addr }, { within = "1ms", defaults = false })
  t:shows("RFC1122-3.1-5", t:is(got.ip.ttl, 63))
  peer:collect()
end)

tap.test("networks in subnets: the mask that was given counts, not the class of the address", function(t)
  for _, case in ipairs { { "10.1.2.3/30", "10.1.2.2", "10.1.2.4" }, { "192.0.2.1/20", "192.0.15.9", "192.0.16.9" },
    { "172.16.1.1/8", "172.255.1.1", "173.0.0.1" } } do
    local host = net.host { addr = case[1] }
    local gateway = host.wire:peer { addr = "10.9.9.9" }
    local near = host.wire:peer { addr = case[2] }
    local s = host:socket "udp"
    s:sendto("x", case[2], 9)
    t:shows("RFC1122-3.2.1.3-1", near:expect(ip{ dst = case[2] } / udp{}, { within = "1ms" }))
    t:is(select(2, s:try("sendto", "x", case[3], 9)), "ENETUNREACH")
    gateway:expect_nothing { during = "1ms" }
  end
end)

tap.test("what is said by hand holds: addresses, routes, neighbours, each to be taken back", function(t)
  local host, peer = station()
  local gateway = host.wire:peer { addr = "192.0.2.77", arp = false }
  host:addr_add "192.0.2.3/24"
  host:route { dst = "203.0.113.0/24", via = "192.0.2.77" }
  host:neigh { addr = "192.0.2.77", mac = gateway.mac }
  local s = host:socket "udp"
  s:bind("192.0.2.3", 0)
  s:sendto("x", "203.0.113.1", 9)
  local frame = gateway:expect(ip{ src = "192.0.2.3", dst = "203.0.113.1" }, { defaults = false, within = "1ms" })
  t:shows("RFC1122-3.3.1.6-1", t:is(frame.eth.dst, gateway.mac))
  host:route_del { dst = "203.0.113.0/24", via = "192.0.2.77" }
  t:is(select(2, s:try("sendto", "x", "203.0.113.1", 9)), "ENETUNREACH")
  peer:collect()
end)

tap.test("next hops are kept for each destination: what a redirect said of one holds for it alone", function(t)
  local host, peer = station { gateway = "192.0.2.9" }
  host:sysctl("net.ipv4.conf.all.accept_redirects", 1)
  host:sysctl("net.ipv4.conf.eth0.accept_redirects", 1)
  local better = host.wire:peer { addr = "192.0.2.77" }
  host:neigh { addr = better.addr, mac = better.mac }
  local s = host:socket "udp"
  s:sendto("x", "203.0.113.1", 9)
  local first = peer:expect(ip{ dst = "203.0.113.1" } / udp{}, { within = "1ms", defaults = false })
  peer:send(icmp{ type = "redirect", code = 1, gateway = "192.0.2.77" } /
    net.parse(first:bytes():sub(15, 14 + 28), "ip"))
  net.sleep "1ms"
  for _ = 1, 3 do
    s:sendto("x", "203.0.113.1", 9)
    better:expect(ip{ dst = "203.0.113.1" }, { within = "1ms", defaults = false })
    s:sendto("x", "203.0.113.2", 9)
    t:shows("RFC1122-3.3.1.3-1", t:shows("RFC1122-3.3.1.2-1", peer:expect(ip{ dst = "203.0.113.2" }, { within = "1ms", defaults = false })))
  end
end)

-- Upwards --------------------------------------------------------------------------------------------

tap.test("who receives may know source, destination, TOS, TTL, options, time and interface", function(t)
  local host, peer = station()
  local s = server(host)
  for _, name in ipairs { "IP_PKTINFO", "IP_RECVTOS", "IP_RECVTTL", "IP_RECVOPTS" } do s:option(name, 1) end
  peer:send(ip{ ttl = 9, tos = 0x28, options = "\x5e\4ab" } / udp{} / "x")
  local _, info = s:recv()
  t:is({ info.addr, info.port }, { "192.0.2.9", 5000 })
  t:shows("RFC1122-3.4-2", t:is({ info.cmsg.IP_PKTINFO.ifindex, info.cmsg.IP_PKTINFO.addr }, { 2, "192.0.2.1" }))
  t:shows("RFC1122-3.4-3", t:is(info.cmsg.IP_RECVOPTS, "\x5e\4ab"))
  t:shows("RFC1122-3.2.1.6-2", t:is({ info.cmsg.IP_TTL, info.cmsg.IP_TOS }, { 9, 0x28 }))
end)

tap.test("who sends chooses destination, source, TOS, TTL, options and DF", function(t)
  local host, peer = station { addr = { "192.0.2.1/24", "192.0.2.3/24" } }
  local s = host:socket "udp"
  s:bind("192.0.2.3", 1000)
  s:option("IP_TOS", 0x28)
  s:option("IP_TTL", 17)
  s:option("IP_OPTIONS", "\x5e\4ab")
  s:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_DONT)
  s:sendto("x", peer.addr, 9)
  local sent = peer:expect(udp{ dport = 9 }, { defaults = false })
  t:shows("RFC1122-3.4-1", t:is({ sent.ip.src, sent.ip.tos, sent.ip.ttl, sent.ip.options, sent.ip.df },
    { "192.0.2.3", 0x28, 17, "\x5e\4ab", false }))
  s:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_DO)
  s:sendto("x", peer.addr, 9)
  t:shows("RFC1122-4.1.4-1", t:is(peer:expect(udp{ dport = 9 }, { defaults = false }).ip.df, true))
end)

tap.test("a transport sends the ICMP messages that are its own: UDP port unreachable, with what it is about", function(t)
  local host, peer = station()
  peer:send(udp{ sport = 1, dport = 9 } / "question")
  local error = peer:expect(icmp{ type = "dest-unreach", code = "port" })
  t:shows("RFC1122-3.4-4", t:is({ error.inner.udp.dport, error.inner.payload }, { 9, "question" }))
end)

tap.test("errors come to the socket that they are about, with the header and data that they quote", function(t)
  local host, peer = station()
  local s = host:socket "udp"
  s:option("IP_RECVERR", 1)
  for code, errno in pairs { [0] = "ENETUNREACH", [1] = "EHOSTUNREACH", [2] = "ENOPROTOOPT", [3] = "ECONNREFUSED" } do
    s:sendto("question", peer.addr, 9)
    local sent = peer:expect(udp{ dport = 9 }, { defaults = false })
    peer:send(icmp{ type = "dest-unreach", code = code, rest = 0 } / net.parse(sent:bytes():sub(15, 14 + sent.ip.len), "ip"))
    net.sleep "1ms"
    local data, info = s:recv { flags = "errqueue" }
    t:shows("RFC1122-3.4-5", t:is({ info.cmsg.IP_RECVERR.code, info.cmsg.IP_RECVERR.errno }, { code, net.C[errno] }))
    t:shows("RFC1122-3.4-6", t:is(data, "question"))
  end
end)

tap.test("the sizes that transports may send and receive", function(t)
  local host, peer = station { mtu = 1400 }
  local s = host:socket "udp"
  s:connect(peer.addr, 9)
  t:shows("RFC1122-3.3.3-1", t:is(s:option "IP_MTU", 1400))
  host:route { verb = "replace", dst = "192.0.2.0/24", dev = "eth0", mtu = 1000 }
  local other = host:socket "udp"
  other:connect(peer.addr, 9)
  t:is(other:option "IP_MTU", 1000)
  -- What can be put together is all that a length can say: a datagram of 65535 octets comes whole.
  local whole = ip{ src = peer.addr, dst = "192.0.2.1", id = 5 } / udp{ sport = 5000, dport = 7 } / ("w"):rep(65507)
  local cuts = {}
  for at = 1376, 65500, 1376 do cuts[#cuts + 1] = at end
  local big = server(host)
  big:option("SO_RCVBUF", 200000)
  for _, piece in ipairs(net.fragments(whole, cuts)) do peer:send(piece) end
  net.sleep "1ms"
  t:shows("RFC1122-3.3.2-4", t:is(#big:recv { size = 70000, flags = "dontwait" }, 65507))
end)

-- Below ----------------------------------------------------------------------------------------------

tap.test("a datagram in a broadcast frame is known as such to IP", function(t)
  local host, peer = station()
  peer:send(eth{ dst = "ff:ff:ff:ff:ff:ff" } / ip{} / udp{ sport = 1, dport = 9 } / "x") -- a closed port
  t:shows("RFC1122-2.4-1", peer:expect_nothing { during = "1s" }) -- no error for what was broadcast
  local tapped = host:socket("packet", { dev = "eth0" })
  peer:send(eth{ dst = "ff:ff:ff:ff:ff:ff" } / ip{} / udp{ sport = 1, dport = 9 } / "x")
  t:is(select(2, tapped:recv()).pkttype, "broadcast")
end)

tap.test("no trailers: whatever is sent has a type of its own and its header in front", function(t)
  local host, peer = station { addr = { "192.0.2.1/24" } }
  local s = host:socket "udp"
  for _, size in ipairs { 0, 512, 1024, 1472 } do -- multiples of 512 were what trailers were for
    s:sendto(("x"):rep(size), peer.addr, 9)
    local frame = peer:expect(udp{ dport = 9 }, { defaults = false })
    t:shows("RFC1122-2.3.1-2", t:is({ frame.eth.type, frame:bytes():byte(15) }, { 0x0800, 0x45 }))
  end
end)

tap.test("a bad source never gets to UDP", function(t)
  local host, peer = station()
  local s = server(host)
  for _, src in ipairs { "127.0.0.1", "224.0.0.5", "255.255.255.255", "192.0.2.1" } do
    peer:send(ip{ src = src } / udp{} / src)
  end
  peer:expect_nothing { during = "1s" }
  t:shows("RFC1122-4.1.3.6-1", t:is({ s:pending(), host:counter "UdpInDatagrams" }, { 0, 0 }))
end)

tap.test("the identification of whole datagrams means nothing: the same one again is no duplicate", function(t)
  local host, peer = station()
  local s = server(host)
  for _ = 1, 3 do peer:send(ip{ id = 77, df = true } / udp{} / "the same") end
  net.sleep "1ms"
  for _ = 1, 3 do t:shows("RFC6864-4.1-1", t:is((s:recv { flags = "dontwait" }), "the same")) end
end)

tap.test("what is discarded is counted, and can be logged with its reason and bytes", function(t)
  local host, peer = station()
  net.trace "kfree_skb"
  local tapped = host:socket("packet", { dev = "eth0" })
  peer:send(ip{ checksum = 0xbad } / udp{} / "one")
  peer:send(ip{ proto = 253 } / "two")
  peer:send(ip{ dst = "203.0.113.1" } / udp{} / "three")
  peer:collect { during = "1s" }
  local reasons = {}
  for i, record in ipairs(net.traces()) do reasons[i] = record.reason end
  t:shows("RFC1122-3.1-8", t:is(reasons, { "IP_CSUM", "IP_NOPROTO", "NOT_FORWARDING" }))
  t:like((tapped:recv()), "one")
  t:shows("RFC1122-3.1-9", t:is({ host:counter "IpInHdrErrors", host:counter "IpInUnknownProtos",
    host:drops "NOT_FORWARDING" }, { 1, 1, 1 }))
end)

tap.test("a gateway that worked is not believed in for ever: it is asked again, and given up", function(t)
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254" }
  local gateway = host.wire:peer { addr = "192.0.2.254", arp = false }
  local s = host:socket "udp"
  s:option("IP_RECVERR", 1)
  s:connect("203.0.113.5", 9)
  s:send "x"
  t:is(#gateway:collect { during = "1ms" }, 1, "the question")
  gateway:send(net.arp { op = "reply" })
  gateway:expect(udp{ dport = 9 }, { within = "1ms", defaults = false }) -- and that was its last answer
  local lost
  for _ = 1, 100 do
    gateway:collect { during = "1s" }
    local _, err = s:try("send", "x")
    if err == "EHOSTUNREACH" then lost = true end
  end
  gateway:collect()
  t:shows("RFC1122-3.3.1.4-2", t:ok(lost, "after a minute or two the host says so"))
end)
