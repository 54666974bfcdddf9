-- SPDX-License-Identifier: MIT
-- RFC 768: the header's fields, on the wire and for the user.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").udp
local ip, udp, icmp, raw = net.ip, net.udp, net.icmp, net.raw

local function empty(t, socket)
  return t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
end

-- The sum of pseudo-header, header and data as the receiver of RFC 768 computes it.
local function sum(packet)
  local bytes = packet:bytes()
  local segment = bytes:sub(21, packet.ip.len)
  local pseudo = bytes:sub(13, 20) .. "\0\17" .. (">I2"):pack(#segment)
  local total = 0
  for word in (pseudo .. segment .. ("\0"):rep(#segment % 2)):gmatch("..") do
    total = total + (">I2"):unpack(word)
  end
  while total > 0xffff do total = (total & 0xffff) + (total >> 16) end
  return total
end

local function datagram(frame)
  return net.parse(frame:bytes():sub(15), "ip")
end

-- Length ------------------------------------------------------------------------------------------

for _, size in ipairs { 0, 1, 2, 3, 17, 18, 511, 512, 1471, 1472 } do
  tap.test(("%d octets of data go out and come in with length %d"):format(size, size + 8), function(t)
    local _, peer, socket = station()
    local data = ("tapline!"):rep(200):sub(1, size)
    peer:send(udp{} / data)
    t:shows("RFC768-Interface-1", t:is((socket:recv()), data))
    socket:sendto(data, peer.addr, peer.port)
    local packet = datagram(peer:expect(udp{ sport = 7, dport = 5000, len = size + 8 } / data))
    t:shows("RFC768-Fields-1", t:is(packet.ip.len, size + 28))
    t:shows("RFC768-Fields-2", t:is(sum(packet), 0xffff))
  end)
end

for _, len in ipairs { 0, 1, 7 } do
  tap.test(("a length field of %d, below the header's 8, is malformed"):format(len), function(t)
    local host, peer, socket = station()
    peer:send(udp{ len = len, checksum = 0 } / "data")
    t:shows("RFC768-Fields-1", peer:expect_nothing { during = "1s" })
    empty(t, socket)
    t:is(host:counter("UdpInErrors"), 1)
    t:is(host:drops("UDP_LENGTH"), 1)
  end)
end

for _, more in ipairs { 1, 8, 65535 - 12 } do
  tap.test(("a length field %d beyond the IP payload is malformed"):format(more), function(t)
    local host, peer, socket = station()
    peer:send(udp{ len = 12 + more, checksum = 0 } / "data")
    t:shows("RFC768-Fields-1", peer:expect_nothing { during = "1s" })
    empty(t, socket)
    t:is(host:drops("UDP_LENGTH"), 1)
    t:is(host:counter("UdpNoPorts"), 0)
  end)
end

tap.test("octets of the IP payload behind the length field are no data", function(t)
  local _, peer, socket = station()
  peer:send(ip{} / udp{ len = 12, checksum = 0 } / "datarest")
  t:shows("RFC768-Fields-1", t:is((socket:recv()), "data"))
  peer:send(ip{} / udp{ len = 8, checksum = 0 } / "rest")
  t:is((socket:recv()), "")
  empty(t, socket)
end)

tap.test("an IP payload shorter than the UDP header is malformed", function(t)
  local host, peer, socket = station()
  for size = 0, 7 do peer:send(ip{ proto = 17 } / raw(("\0\7"):rep(4):sub(1, size))) end
  peer:expect_nothing { during = "1s" }
  empty(t, socket)
  t:is(host:counter("UdpInErrors"), 8)
  t:is(host:drops("PKT_TOO_SMALL"), 8)
end)

-- Checksum ----------------------------------------------------------------------------------------

for _, size in ipairs { 1, 67, 68, 69, 700 } do
  tap.test(("a datagram of %d octets with a wrong checksum is silently discarded"):format(size),
    function(t)
      local host, peer, socket = station()
      local before = host:counters()
      peer:send(udp{ checksum = 0x1234 } / ("c"):rep(size))
      t:shows("RFC1122-4.1.3.4-2", peer:expect_nothing { during = "1s" })
      empty(t, socket)
      t:is(host:changes(before, "^Udp"), { UdpInErrors = 1, UdpInCsumErrors = 1 })
      t:is(host:drops("UDP_CSUM"), 1)
    end)
end

tap.test("a checksum of zero is none: the datagram is delivered as it is", function(t)
  local host, peer, socket = station()
  peer:send(udp{ checksum = 0 } / "unprotected")
  t:shows("RFC768-Fields-4", t:is((socket:recv()), "unprotected"))
  t:is(host:counter("UdpInCsumErrors"), 0)
end)

tap.test("the checksum covers the addresses of the pseudo-header", function(t)
  local host, peer, socket = station { addr = { "192.0.2.1/24", "192.0.2.3/24" } }
  local right = net.parse((ip{ src = peer.addr, dst = "192.0.2.1" } / udp{ sport = 5000, dport = 7 } /
    "addr"):bytes(), "ip").udp.checksum
  peer:send(ip{ dst = "192.0.2.3" } / udp{ checksum = right } / "addr")
  peer:send(ip{ src = "192.0.2.10" } / udp{ checksum = right } / "addr")
  peer:expect_nothing { during = "1ms" }
  t:shows("RFC768-Fields-2", t:is(host:counter("UdpInCsumErrors"), 2))
  peer:send(udp{ checksum = right } / "addr")
  t:is((socket:recv()), "addr")
end)

tap.test("a checksum that computes to zero is sent as all ones", function(t)
  local _, peer, socket = station()
  -- Two octets of data that make the sum of all others complete.
  socket:sendto("\0\0", peer.addr, peer.port)
  local plain = peer:expect(udp{} / "\0\0").udp.checksum
  socket:sendto((">I2"):pack(plain), peer.addr, peer.port)
  local frame = peer:expect(udp{ checksum = 0xffff })
  t:shows("RFC768-Fields-3", t:is(frame.udp.checksum, 0xffff))
end)

tap.test("the same on a card without checksum offload", function(t)
  local host, peer, socket = station()
  host:ethtool { tx_csum = 0 }
  socket:sendto("\0\0", peer.addr, peer.port)
  local plain = peer:expect(udp{} / "\0\0").udp.checksum
  socket:sendto((">I2"):pack(plain), peer.addr, peer.port)
  t:shows("RFC768-Fields-3", peer:expect(udp{ checksum = 0xffff }))
end)

tap.test("an all-ones checksum is right for a datagram that sums up to zero", function(t)
  local host, peer, socket = station()
  local plain = net.parse((ip{ src = peer.addr, dst = host.addr } / udp{ sport = 5000, dport = 7 } /
    "\0\0"):bytes(), "ip").udp.checksum
  peer:send(udp{ checksum = 0xffff } / (">I2"):pack(plain))
  t:shows("RFC768-Fields-3", t:is((socket:recv()), (">I2"):pack(plain)))
end)

tap.test("checksums are sent unless the user says no, with SO_NO_CHECK", function(t)
  local _, peer, socket = station()
  socket:sendto("sum", peer.addr, peer.port)
  t:shows("RFC8085-3.4-1", t:shows("RFC1122-4.1.3.4-4", t:isnt(peer:expect(udp{} / "sum").udp.checksum, 0)))
  socket:option("SO_NO_CHECK", 1)
  socket:sendto("sum", peer.addr, peer.port)
  t:shows("RFC1122-4.1.3.4-3", peer:expect(udp{ checksum = 0 } / "sum"))
  socket:option("SO_NO_CHECK", 0)
  socket:sendto("sum", peer.addr, peer.port)
  t:isnt(peer:expect(udp{} / "sum").udp.checksum, 0)
end)

tap.test("a datagram sent in fragments has one checksum over all of it", function(t)
  local _, peer, socket = station()
  local data = ("fragment"):rep(500)
  socket:sendto(data, peer.addr, peer.port)
  local frames = peer:collect { during = "1ms" }
  t:is(#frames, 3)
  local body = ""
  for _, frame in ipairs(frames) do body = body .. frame:bytes():sub(35, 14 + frame.ip.len) end
  local whole = net.parse((ip{ src = "192.0.2.1", dst = peer.addr, proto = 17 } / body):bytes(), "ip")
  t:is(whole.udp.len, 4008)
  t:shows("RFC1122-4.1.3.4-1", t:is(whole.udp.checksum_status, "good"))
end)

-- Ports -------------------------------------------------------------------------------------------

tap.test("a source port of zero is one: the datagram is delivered with it", function(t)
  local _, peer, socket = station()
  peer:send(udp{ sport = 0 } / "anonymous")
  local data, from = socket:recv()
  t:is(data, "anonymous")
  t:shows("RFC768-Fields-5", t:is({ from.addr, from.port }, { peer.addr, 0 }))
end)

tap.test("a datagram to port zero finds nobody", function(t)
  local host, peer = station()
  peer:send(udp{ dport = 0 } / "x")
  t:ok(peer:expect(icmp{ type = "dest-unreach", code = "port" }))
  t:is(host:counter("UdpNoPorts"), 1)
end)

tap.test("port zero is no destination to send to", function(t)
  local _, peer, socket = station()
  t:is(select(2, socket:try("sendto", "x", peer.addr, 0)), "EINVAL")
  peer:expect_nothing { during = "1s" }
end)

for _, port in ipairs { 1, 1023, 1024, 65535 } do
  tap.test(("port %d can be bound, sent from and received on"):format(port), function(t)
    local host, peer = station()
    local socket = host:socket "udp"
    socket:bind(port)
    peer:send(udp{ dport = port } / "in")
    local data, from = socket:recv()
    t:is({ data, from.addr, from.port }, { "in", peer.addr, 5000 })
    socket:sendto("out", peer.addr, 5000)
    t:shows("RFC768-Interface-1", peer:expect(udp{ sport = port, dport = 5000 } / "out"))
  end)
end
