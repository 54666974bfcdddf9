-- SPDX-License-Identifier: MIT
-- Shapes of packets that broke other stacks: fragments and options of IPv4.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local function alive(peer)
  peer:send(icmp{ type = "echo", id = 99, seq = 99 })
  return peer:expect(icmp{ type = "echo-reply", id = 99, seq = 99 })
end

tap.test("the identification of a datagram thrown away for an overlap can be used at once", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(16))
  peer:send(ip{ id = 5, off = 1, mf = true, proto = 253 } / ("b"):rep(16))
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("c"):rep(16))
  peer:send(ip{ id = 5, off = 2, proto = 253 } / ("d"):rep(16))
  local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  t:is(error.inner.ip.len, 52)
  t:is({ host:counter("IpReasmOKs"), host:counter("IpExtReasmOverlaps") }, { 1, 1 })
end)

tap.test("a fragment at the very instant of the time-out is in time: what arrives goes first", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("a"):rep(8))
  net.sleep "30s"
  peer:send(ip{ id = 5, off = 1, proto = 253 } / ("b"):rep(8))
  peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  t:is({ host:counter("IpReasmOKs"), host:counter("IpReasmTimeout") }, { 1, 0 })
end)

for length = 0, 7 do
  tap.test(("fragments that join to %d octets of UDP: no header, dropped"):format(length), function(t)
    local host, peer = station()
    if length > 0 then
      peer:send(ip{ id = 5, mf = true, proto = 17, len = 28 } / ("\0"):rep(8))
      peer:send(ip{ id = 6, proto = 17 } / ("\0"):rep(length))
    else
      peer:send(ip{ id = 6, proto = 17, len = 20 })
    end
    peer:expect_nothing { during = "20s" }
    t:is(host:drops("PKT_TOO_SMALL") + host:drops("UDP_LENGTH"), 1)
    t:is(host:counter("UdpInErrors"), 1)
    peer:collect { during = "20s" }
  end)
end

tap.test("a transport header split between fragments is found by its protocol", function(t)
  local host, peer = station()
  local server = host:socket "udp"
  server:bind(7)
  local packet = ip{ src = peer.addr, dst = host.addr, id = 5 } / udp{ sport = 5000, dport = 7 } /
    "split across fragments"
  local parts = net.fragments(packet, { 8, 16 })
  peer:send(parts[3])
  peer:send(parts[2])
  peer:send(parts[1])
  t:is((server:recv()), "split across fragments")
end)

tap.test("UDP corked beyond the MTU goes out as one datagram in fragments", function(t)
  local host, peer = station()
  local server = host.wire:peer { addr = "192.0.2.20" }
  host:neigh { addr = server.addr, mac = server.mac }
  local socket = host:socket "udp"
  socket:connect(server.addr, 9)
  socket:send(("a"):rep(1000), { flags = "more" })
  socket:send(("b"):rep(1000), { flags = "more" })
  peer:expect_nothing { during = "1s" }
  socket:send "c"
  local frames = server:collect { during = "1ms" }
  t:is(#frames, 2)
  local joined = ""
  for _, frame in ipairs(frames) do
    joined = joined .. frame:bytes():sub(35, 14 + frame.ip.len)
  end
  t:is(#joined, 2009)
  t:ok(joined:sub(9) == ("a"):rep(1000) .. ("b"):rep(1000) .. "c")
  t:is(host:counter("UdpOutDatagrams"), 1)
end)

tap.test("options that were not validated are not reflected: an unknown one with a wild length", function(t)
  local _, peer = station()
  peer:send(ip{ options = "\7\7\4\0\0\0\0" .. "\xf0\4\xff\xff" .. "\0" } /
    icmp{ type = "echo", id = 1, seq = 1 })
  local reply = peer:expect(icmp{ type = "echo-reply" })
  t:is(reply.ip.options, "\7\7\8\xc0\0\2\1\0")
end)

tap.test("every length of every option type at the end of a header: no crash, host alive", function(t)
  local host, peer = station()
  for _, kind in ipairs { 7, 68, 130, 131, 133, 134, 136, 137, 148, 200 } do
    for length = 0, 12 do
      peer:send(ip{ options = string.char(1, 1, kind, length) .. ("\4"):rep(4) } /
        icmp{ type = "echo", id = kind, seq = length })
      net.sleep "1s"
      peer:collect()
    end
  end
  t:is(host:counter("IpInReceives"), 130)
  t:is(host:counter("IpInDelivers") + host:drops("IP_OPTIONS"), 130)
  t:ok(alive(peer))
end)

tap.test("malformed IGMP is dropped and the host lives on", function(t)
  local host, peer = station()
  for length = 0, 8 do
    peer:send(ip{ dst = "224.0.0.1", ttl = 1, proto = 2 } / ("\0"):rep(length))
  end
  peer:expect_nothing { during = "20s" }
  t:ok(alive(peer))
end)

tap.test("frames of random octets behind an IPv4 type: all counted, none delivered", function(t)
  local host, peer = station()
  local header = eth{ dst = host.mac, src = peer.mac, type = 0x0800 }:bytes()
  for _ = 1, 200 do
    local junk = {}
    for i = 1, math.random(1, 120) do junk[i] = string.char(math.random(0, 255)) end
    peer:send_raw(header .. table.concat(junk))
    net.sleep "10us"
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IpInReceives"), 200)
  t:is(host:counter("IpInHdrErrors") + host:counter("IpExtInTruncatedPkts"), 200)
  t:ok(alive(peer))
end)

tap.test("fragments of many datagrams interleaved backwards are all made whole", function(t)
  local host, peer = station()
  for block = 7, 0, -1 do
    for id = 1, 8 do
      peer:send(ip{ id = id, off = block, mf = block < 7, proto = 253 } / string.char(64 + id):rep(8))
    end
    net.sleep "1us"
  end
  net.sleep "1ms"
  t:is({ host:counter("IpReasmReqds"), host:counter("IpReasmOKs") }, { 64, 8 })
  t:is(host:counter("IpInUnknownProtos"), 8)
  peer:collect()
end)

tap.test("the world ends while fragments wait: all is given back", function(t)
  local host, peer = station()
  for id = 1, 50 do peer:send(ip{ id = id, mf = true, proto = 253 } / ("w"):rep(8)) end
  net.sleep "1ms"
  t:is(host:counter("IpReasmReqds"), 50)
end)

tap.test("the interface goes down while fragments wait: no error is sent", function(t)
  local host, peer = station()
  peer:send(ip{ id = 5, mf = true, proto = 253 } / ("w"):rep(8))
  net.sleep "1s"
  host:link { up = 0 }
  peer:expect_nothing { during = "1min" }
  t:is({ host:counter("IpReasmTimeout"), host:counter("IcmpOutTimeExcds") }, { 1, 0 })
end)
