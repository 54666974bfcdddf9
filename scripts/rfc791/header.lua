-- SPDX-License-Identifier: MIT
-- RFC 791 3.1: the header as received. What is malformed is dropped in silence, counted by cause.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local function echo(seq) return icmp{ type = "echo", id = 1, seq = seq or 1 } end

-- Sends a packet that must vanish, and shows that only these counters grew (of Ip and Drop).
local function vanishes(t, fields, counters)
  local host, peer = station()
  local before = host:counters()
  peer:send(ip(fields) / echo() / ("d"):rep(40))
  local silence = peer:expect_nothing { during = "1min" }
  local changes = host:changes(before, "^Ip%u%l") -- Ip*, and IpExt*
  for name in pairs(host:changes(before, "^Drop")) do changes[name] = host:counter(name) end
  for _, name in ipairs { "IpExtInOctets", "IpExtInNoECTPkts" } do changes[name] = nil end
  t:is(changes, counters)
  return silence
end

tap.test("version 0 is discarded in silence", function(t)
  t:shows("RFC1122-3.2.1.1-1", vanishes(t, { version = 0 },
    { IpInReceives = 1, IpInHdrErrors = 1, ["Drop.IP_INHDR"] = 1 }))
end)

tap.test("version 5 is discarded in silence", function(t)
  t:shows("RFC1122-3.2.1.1-1", vanishes(t, { version = 5 },
    { IpInReceives = 1, IpInHdrErrors = 1, ["Drop.IP_INHDR"] = 1 }))
end)

tap.test("version 6 in a frame of type 0x0800 is discarded in silence", function(t)
  t:shows("RFC1122-3.2.1.1-1", vanishes(t, { version = 6 },
    { IpInReceives = 1, IpInHdrErrors = 1, ["Drop.IP_INHDR"] = 1 }))
end)

tap.test("a wrong header checksum is discarded in silence", function(t)
  local silence = vanishes(t, { checksum = 0xbad0 },
    { IpInReceives = 1, IpInHdrErrors = 1, IpExtInCsumErrors = 1, ["Drop.IP_CSUM"] = 1 })
  t:shows("RFC1122-3.2.1.2-1", silence)
  t:shows("RFC791-3.1-9", silence)
end)

tap.test("every single wrong bit of the header is found", function(t)
  local host, peer = station()
  local header = (ip{ src = peer.addr, dst = host.addr, id = 0x1234 } / echo()):bytes()
  local frame = eth{ dst = host.mac, src = peer.mac, type = 0x0800 }:bytes()
  for bit = 0, 159 do
    local at = bit // 8 + 1
    local flipped = string.char(header:byte(at) ~ (0x80 >> bit % 8))
    peer:send_raw(frame .. header:sub(1, at - 1) .. flipped .. header:sub(at + 1) .. ("\0"):rep(18))
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IpInReceives"), 160)
  t:is(host:counter("IpInHdrErrors"), 160)
  t:shows("RFC791-3.1-8", t:is(host:counter("IpInDelivers"), 0))
end)

tap.test("the checksum field of what the host sends is right", function(t)
  local _, peer = station()
  for seq = 1, 20 do
    peer:send(ip{ tos = seq * 4 } / echo(seq))
    t:is(peer:expect(icmp{ type = "echo-reply", seq = seq }).ip.checksum_status, "good")
  end
  peer:send(echo(21))
  t:shows("RFC1071-1-1", t:is(peer:expect(icmp{ type = "echo-reply" }).ip.checksum_status, "good"))
end)

for ihl = 0, 4 do
  tap.test(("a header length of %d words is discarded"):format(ihl), function(t)
    t:shows("RFC791-3.1-1", vanishes(t, { ihl = ihl },
      { IpInReceives = 1, IpInHdrErrors = 1, ["Drop.IP_INHDR"] = 1 }))
  end)
end

tap.test("a header length beyond the frame is discarded", function(t)
  local host, peer = station()
  peer:send_raw(eth{ dst = host.mac, src = peer.mac, type = 0x0800 }:bytes() ..
    ip{ src = peer.addr, dst = host.addr, ihl = 15 }:bytes())
  t:shows("RFC791-3.1-1", peer:expect_nothing { during = "1s" })
  t:is({ host:counter("IpInHdrErrors"), host:drops("IP_INHDR") }, { 1, 1 })
end)

tap.test("a total length shorter than the header is discarded: 0, 19", function(t)
  vanishes(t, { len = 0 }, { IpInReceives = 1, IpInHdrErrors = 1, ["Drop.IP_INHDR"] = 1 })
  t:shows("RFC791-3.1-2", vanishes(t, { len = 19 },
    { IpInReceives = 1, IpInHdrErrors = 1, ["Drop.IP_INHDR"] = 1 }))
end)

tap.test("a total length of the header alone is a datagram without data", function(t)
  local host, peer = station()
  peer:send(ip{ len = 20, proto = 253 } / ("d"):rep(40))
  local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  t:shows("RFC791-3.1-2", t:is(error.inner.ip.len, 20))
  t:is(error.ip.len, 20 + 8 + 20)
  t:is(host:counter("IpInUnknownProtos"), 1)
end)

tap.test("a total length one above the frame is truncated and discarded", function(t)
  t:shows("RFC791-3.1-2", vanishes(t, { len = 20 + 8 + 40 + 1 },
    { IpInReceives = 1, IpExtInTruncatedPkts = 1, ["Drop.PKT_TOO_SMALL"] = 1 }))
end)

tap.test("a total length of 65535 in a short frame is discarded", function(t)
  t:shows("RFC791-3.1-2", vanishes(t, { len = 65535 },
    { IpInReceives = 1, IpExtInTruncatedPkts = 1, ["Drop.PKT_TOO_SMALL"] = 1 }))
end)

tap.test("datagrams of 576 octets are accepted whole", function(t)
  local _, peer = station()
  peer:send(echo() / ("x"):rep(576 - 28))
  local reply = peer:expect(icmp{ type = "echo-reply" })
  t:shows("RFC791-3.1-3", t:is(reply.ip.len, 576))
end)

tap.test("the reserved flag is no reason to drop; the host sends it as zero", function(t)
  local _, peer = station()
  peer:send(ip{ rf = true } / echo())
  local reply = peer:expect(ip{ rf = false } / icmp{ type = "echo-reply" })
  t:shows("RFC791-3.1-5", t:is(reply.ip.rf, false))
end)

tap.test("a datagram with TTL 0 or 1 is delivered", function(t)
  local host, peer = station()
  peer:send(ip{ ttl = 0 } / echo(1))
  peer:expect(icmp{ type = "echo-reply", seq = 1 })
  peer:send(ip{ ttl = 1 } / echo(2))
  t:shows("RFC1122-3.2.1.7-2", peer:expect(icmp{ type = "echo-reply", seq = 2 }))
  t:is(host:counter("IpInDelivers"), 2)
end)

tap.test("codepoints of RFC 3168 are counted as they came", function(t)
  local host, peer = station()
  for ecn = 0, 3 do
    for _ = 0, ecn do peer:send(ip{ ecn = ecn } / udp{ sport = 1, dport = 2, checksum = 1 }) end
  end
  net.sleep "1ms"
  t:is({ host:counter("IpExtInNoECTPkts"), host:counter("IpExtInECT1Pkts"),
    host:counter("IpExtInECT0Pkts"), host:counter("IpExtInCEPkts") }, { 1, 2, 3, 4 })
end)

tap.test("octets are counted with header and without padding of the link", function(t)
  local host, peer = station()
  peer:send(echo())
  peer:expect(icmp{ type = "echo-reply" })
  t:is({ host:counter("IpExtInOctets"), host:counter("IpExtOutOctets") }, { 46, 28 },
    "in: as Linux, before the frame is trimmed")
end)

tap.test("datagrams sent in fragments have identifications of their own", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  local seen = {}
  for _ = 1, 4 do
    socket:sendto(("f"):rep(2000), peer.addr, 9)
    local first = peer:expect(ip{ mf = true, off = 0 })
    local second = peer:expect(ip{ mf = false })
    t:is(second.ip.id, first.ip.id)
    t:shows("RFC791-3.1-4", t:ok(not seen[first.ip.id]))
    seen[first.ip.id] = true
    net.sleep "3s"
  end
end)

tap.test("land: source and destination both the host's own address", function(t)
  local host, peer = station()
  peer:send(ip{ src = host.addr } / net.tcp{ sport = 139, dport = 139, flags = "S" })
  peer:expect_nothing { during = "1min" }
  t:is(host:drops("IP_MARTIAN_SOURCE"), 1)
  t:is(host:counter("IpInDelivers"), 0)
end)

tap.test("IP in IP is not unpacked without a tunnel", function(t)
  local host, peer = station()
  peer:send(ip{ proto = 4 } / net.raw((ip{ src = "198.51.100.1", dst = host.addr } / echo()):bytes()))
  peer:expect(icmp{ type = "dest-unreach", code = "protocol" })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInMsgs"), 0)
end)

tap.test("frames of 14 to 33 octets of type IPv4 are dropped, whatever they hold", function(t)
  local host, peer = station()
  local frame = (eth{ dst = host.mac, src = peer.mac, type = 0x0800 } /
    ip{ src = peer.addr, dst = host.addr }):bytes()
  for length = 14, 33 do peer:send_raw(frame:sub(1, length)) end
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("IP_INHDR"), 20)
  t:is(host:counter("IpInHdrErrors"), 20)
end)
