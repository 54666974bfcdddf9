-- SPDX-License-Identifier: MIT
-- Captures of IPv4 (RFC 791, RFC 1122 3.2.1, RFC 1112), made from the RFCs' rules.
local make = require "make"
local net = require "net"
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1", port = 5000 }
local peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9", port = 7 }
local ID = 0x0fff

local function echo(kind, id, fields, data)
  fields.ttl, fields.id = 64, id
  return ip(fields) / icmp{ type = kind, id = 7, seq = 1 } / (data or "data")
end

-- RFC 791 3.2: 8 octets times the offset; the last one says that no more follow. 1480 octets of
-- payload fit a packet of 1500.
make.capture("fragments", function(c)
  local whole = ip{ src = host.ip, dst = peer.ip, id = ID, ttl = 64 } /
    udp{ sport = 5000, dport = 7 } / net.pattern(1, 4000)
  for _, fragment in ipairs(net.fragments(whole, { 1480, 2960 })) do c:send(host, peer, fragment) end
end)

-- An MTU that is no multiple of 8 and 20: the pieces are the largest multiple of 8 that fits.
make.capture("fragments-577", function(c)
  local whole = ip{ src = host.ip, dst = peer.ip, id = ID, ttl = 64, tos = 0x08 } /
    udp{ sport = 5000, dport = 7 } / net.pattern(1, 1000)
  for _, fragment in ipairs(net.fragments(whole, { 552 })) do c:send(host, peer, fragment) end
end)

-- Record route: the host adds its address where the request ends, and where the reply sets out
-- (RFC 1122 3.2.2.6, RFC 791 3.1).
make.capture("record-route", function(c)
  local asked = "\7\15\4" .. ("\0"):rep(12) .. "\0"
  local answered = "\7\15\12\192\0\2\1\192\0\2\1" .. ("\0"):rep(4) .. "\0"
  c:send(peer, host, echo("echo", 1, { options = asked }))
  c:send(host, peer, echo("echo-reply", ID, { options = answered }))
end)

-- Options that nobody knows, and no operations, are passed over (RFC 1122 3.2.1.8).
make.capture("unknown-option", function(c)
  c:send(peer, host, ip{ id = 1, options = "\1\1\30\4\7\7\0\0" } / udp{ sport = 7, dport = 5000 } / "hello")
  c:send(host, peer, ip{ id = ID, ttl = 64, df = true } / udp{} / "HELLO")
end)

-- What is no IPv4 packet for us ends in silence.
make.capture("broken", function(c)
  local function asks(fields)
    return ip(fields) / icmp{ type = "echo", id = 7, seq = 1 } / "data"
  end
  c:send(peer, host, asks{ version = 5 })
  c:send(peer, host, asks{ ihl = 4 })
  c:send(peer, host, asks{ ihl = 15 })
  c:send(peer, host, asks{ len = 19 })
  c:send(peer, host, asks{ len = 1400 })
  c:send(peer, host, asks{ checksum = 0 })
  c:send(peer, host, asks{ dst = "192.0.2.2" })
  c:send(peer, host, asks{ src = "192.0.2.1" })
end)

-- What follows the total length is padding of the link layer, and no part of the packet.
make.capture("padded", function(c)
  c:frame((eth{ src = peer.mac, dst = host.mac } / ip{ src = peer.ip, dst = host.ip } /
    icmp{ type = "echo", id = 7, seq = 1 } / "data"):bytes() .. ("padding"):rep(20))
  c:send(host, peer, echo("echo-reply", ID, {}))
end)

-- A datagram to a group that the host joined is heard; to another one it is not; no error in any
-- case (RFC 1112 7.2).
make.capture("group", function(c)
  local function to(group, last, text)
    c:frame(eth{ src = peer.mac, dst = "01:00:5e:01:02:" .. last } /
      ip{ src = peer.ip, dst = group, ttl = 1 } / udp{ sport = 7, dport = 5000 } / text)
  end
  to("239.1.2.4", "04", "others")
  to("224.1.2.3", "03", "also others") -- the same MAC address as 239.1.2.3
  c:at "1ms"
  c:send(peer, host, ip{} / udp{} / "hello")
  c:send(host, peer, ip{ id = ID, ttl = 64, df = true } / udp{} / "HELLO")
end)

-- RFC 1112 6.4, 6.1: the group's low 23 bits in the MAC address, TTL 1 unless told.
make.capture("to-group", function(c)
  c:frame(eth{ src = host.mac, dst = "01:00:5e:01:02:03" } / ip{ src = host.ip, dst = "239.129.2.3",
    id = ID, ttl = 1, df = true } / udp{ sport = 5000, dport = 7 } / "all")
end)

make.capture("to-broadcast", function(c)
  for i, all in ipairs { "255.255.255.255", "192.0.2.255" } do
    c:at(i .. "s")
    c:frame(eth{ src = host.mac, dst = "ff:ff:ff:ff:ff:ff" } / ip{ src = host.ip, dst = all, id = ID,
      ttl = 64, df = true } / udp{ sport = 5000, dport = 7 } / "all")
  end
end)
