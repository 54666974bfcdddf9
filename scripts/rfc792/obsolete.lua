-- SPDX-License-Identifier: MIT
-- ICMP types that no host needs any more (RFC 6633, RFC 6918), and types that do not exist.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").ports
local message = require "_message"
local ip, icmp, udp = net.ip, net.icmp, net.udp

tap.test("an information request gets no reply", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "info", id = 1, seq = 1 })
  t:shows("RFC1122-3.2.2.7-1", peer:expect_nothing { during = "1s" })
  t:is(host:counter("IcmpOutMsgs"), 0)
  t:is(host:drops("ICMP_TYPE"), 1)
end)

tap.test("an address mask request gets no reply from a host that is no mask agent", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "mask", id = 1, seq = 1, mask = "0.0.0.0" })
  peer:send(ip{ dst = "192.0.2.255" } / icmp{ type = "mask", id = 1, seq = 1, mask = "0.0.0.0" })
  t:shows("RFC1122-3.2.2.9-9", peer:expect_nothing { during = "1s" })
  t:is(host:counter("IcmpInAddrMasks"), 2)
  t:is(host:counter("IcmpOutAddrMaskReps"), 0)
end)

tap.test("an address mask reply changes nothing and gets no answer", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "mask-reply", id = 1, seq = 1, mask = "255.0.0.0" })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInAddrMaskReps"), 1)
  -- 192.0.3.9 would be on the link by that mask.
  local socket = host:socket "udp"
  t:is(select(2, socket:try("sendto", "x", "192.0.3.9", 9)), "ENETUNREACH")
end)

tap.test("address mask requests cut short (CVE-2020-11911) get no answer", function(t)
  local host, peer = station()
  for _, type in ipairs { 17, 18 } do
    peer:send(message(type, 0, "\0\1\0\1"))
    peer:send(message(type, 0, "\0\1\0\1\255\0"))
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("no ICMP type but echo and timestamp requests makes a host answer", function(t)
  local host, peer = station()
  for type = 0, 255 do
    if type ~= 8 and type ~= 13 then
      peer:send(message(type, 0, "\0\1\0\1" .. ("\0"):rep(40)))
    end
  end
  t:shows("RFC6918-2-1", peer:expect_nothing { during = "2s" })
  t:is(host:counter("IcmpOutMsgs"), 0)
  t:is(host:counter("IcmpInMsgs"), 254)
end)

tap.test("an ICMP message of an unknown type is silently discarded and counted", function(t)
  local host, peer = station()
  for _, type in ipairs { 19, 44, 127, 128, 254, 255 } do
    local before = host:counters()
    peer:send(icmp{ type = type, code = 3, rest = 0 } / "payload")
    t:shows("RFC1122-3.2.2-1", peer:expect_nothing { during = "1s" })
    t:is(host:changes(before, "^Icmp"),
      { IcmpInMsgs = 1, IcmpInErrors = 1, ["IcmpMsgInType" .. type] = 1 })
  end
  t:is(host:drops("ICMP_TYPE"), 6)
end)

tap.test("router advertisements and solicitations of RFC 1256 are discarded by the kernel", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "224.0.0.2" } / icmp{ type = "router-solicit", rest = 0 })
  t:shows("RFC1256-5.2-2", peer:expect_nothing { during = "1s" })
  peer:send(ip{ dst = "224.0.0.1" } / icmp{ type = "router-advert", rest = 0x01020708 } /
    "\192\0\2\254\0\0\0\0")
  peer:expect_nothing { during = "1s" }
  local socket = host:socket "udp"
  t:is(select(2, socket:try("sendto", "x", "198.51.100.1", 9)), "ENETUNREACH")
end)

tap.test("source quench reaches no socket and slows nothing down", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:bind(7)
  socket:option("IP_RECVERR", 1)
  socket:connect(peer.addr, 5000)
  socket:send("one")
  local sent = peer:expect(udp{} / "one")
  peer:send(icmp{ type = "source-quench", rest = 0 } / net.parse(sent:bytes():sub(15), "ip"):bytes())
  peer:expect_nothing { during = "1ms" }
  t:is(host:counter("IcmpInSrcQuenchs"), 1)
  t:shows("RFC6633-5-1", t:is(socket:option("SO_ERROR"), 0))
  socket:send("two")
  peer:expect(udp{} / "two")
end)

tap.test("a host whose buffers overflow sends no source quench", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:bind(7)
  socket:option("SO_RCVBUF", 1)
  for i = 1, 20 do peer:send(udp{} / ("x"):rep(1000)) end
  t:shows("RFC6633-3-1", peer:expect_nothing { during = "1s" })
  t:ok(host:counter("UdpRcvbufErrors") > 0)
end)
