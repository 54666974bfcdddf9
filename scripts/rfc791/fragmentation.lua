-- SPDX-License-Identifier: MIT
-- RFC 791 3.2 and RFC 1122 3.3.3: datagrams that the host itself has to fragment.
local tap = require "tap"
local net = require "net"
local stations = require "suite.station"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function station(o)
  local host, peer = stations.pair(o)
  return host, peer, host:socket "udp"
end

local function pattern(n)
  local out = {}
  for i = 1, (n + 3) // 4 do out[i] = (">I4"):pack(i) end
  return table.concat(out):sub(1, n)
end

-- Joins what was sent; checks each part. Returns the payload of IP.
local function join(t, frames, mtu)
  local parts, at = {}, 0
  for i, frame in ipairs(frames) do
    local bytes = frame:bytes():sub(15, 14 + frame.ip.len)
    local data = bytes:sub(frame.ip.ihl * 4 + 1)
    t:is(frame.ip.off * 8, at)
    t:is(frame.ip.mf, i < #frames)
    t:is(frame.ip.checksum_status, "good")
    t:is(frame.ip.id, frames[1].ip.id)
    t:ok(#bytes <= mtu)
    if i < #frames then t:is(#data % 8, 0) end
    parts[i] = data
    at = at + #data
  end
  return table.concat(parts)
end

tap.test("1472 octets of UDP data are one packet, 1473 are two", function(t)
  local host, peer, socket = station()
  socket:sendto(pattern(1472), peer.addr, 9)
  t:is(#peer:collect { during = "1ms" }, 1)
  t:is(host:counter("IpFragCreates"), 0)
  socket:sendto(pattern(1473), peer.addr, 9)
  local frames = peer:collect { during = "1ms" }
  t:shows("RFC1122-3.3.3-2", t:is(#frames, 2))
  t:is({ frames[1].ip.len, frames[2].ip.len }, { 1500, 21 })
  t:is({ host:counter("IpFragOKs"), host:counter("IpFragCreates"), host:counter("IpFragFails") },
    { 1, 2, 0 })
end)

tap.test("fragments are multiples of 8 octets, have the flags right and join to the datagram",
  function(t)
    local _, peer, socket = station()
    local data = pattern(5000)
    socket:sendto(data, peer.addr, 9)
    local frames = peer:collect { during = "1ms" }
    t:is(#frames, 4)
    local joined = join(t, frames, 1500)
    t:shows("RFC791-3.2-4", t:is(#joined, 5008))
    t:shows("RFC791-3.2-5", t:ok(joined:sub(9) == data))
    t:shows("RFC791-3.2-11", t:is(joined:sub(5, 6), (">I2"):pack(5008)))
  end)

for _, mtu in ipairs { 68, 69, 75, 76, 576 } do
  tap.test(("an MTU of %d octets"):format(mtu), function(t)
    local host, peer, socket = station { mtu = mtu }
    local data = pattern(1000)
    socket:sendto(data, peer.addr, 9)
    local frames = peer:collect { during = "1ms" }
    local most = (mtu - 20) // 8 * 8
    t:is(#frames, (1008 + most - 1) // most)
    local joined = join(t, frames, mtu)
    t:shows("RFC791-3.2-4", t:ok(joined:sub(9) == data))
    t:is(host:counter("IpFragCreates"), #frames)
  end)
end

tap.test("with DF asked for a datagram beyond the MTU is refused with EMSGSIZE", function(t)
  local host, peer, socket = station()
  socket:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_DO)
  t:is({ socket:try("sendto", pattern(1473), peer.addr, 9) }, { nil, "EMSGSIZE" })
  t:shows("RFC791-3.2-1", peer:expect_nothing { during = "1s" })
  socket:sendto(pattern(1472), peer.addr, 9)
  local frame = peer:expect(udp{ dport = 9 })
  t:shows("RFC6864-4.3-2", t:is(frame.ip.df, true))
  t:is(host:counter("IpFragCreates"), 0)
end)

tap.test("the greatest UDP datagram is sent, one octet more is EMSGSIZE", function(t)
  local _, peer, socket = station()
  socket:option("SO_SNDBUF", 1000000)
  local data = pattern(65507)
  socket:sendto(data, peer.addr, 9)
  local joined = join(t, peer:collect { during = "1ms" }, 1500)
  t:ok(joined:sub(9) == data)
  t:is({ socket:try("sendto", pattern(65508), peer.addr, 9) }, { nil, "EMSGSIZE" })
  t:ok(peer:expect_nothing { during = "1s" })
end)

tap.test("of options only those to be copied are in every fragment", function(t)
  local _, peer, socket = station()
  socket:option("IP_OPTIONS", "\x07\7\4\0\0\0\0" .. "\x94\4\0\0" .. "\0")
  socket:sendto(pattern(3000), peer.addr, 9)
  local frames = peer:collect { during = "1ms" }
  t:is(#frames, 3)
  t:is(frames[1].ip.options:sub(1, 11), "\7\7\8\xc0\0\2\1" .. "\x94\4\0\0")
  local alert = "\x94\4\0\0"
  for i = 2, 3 do
    local options = frames[i].ip.options
    t:ok(options:find(alert, 1, true), "router alert in fragment " .. i)
    t:shows("RFC791-3.1-12", t:is(options:find("\7\7", 1, true), nil))
  end
end)

tap.test("an echo request that came in fragments is answered in fragments", function(t)
  local host, peer = station()
  local data = pattern(4000)
  local request = ip{ src = peer.addr, dst = host.addr, id = 9 } /
    icmp{ type = "echo", id = 1, seq = 1 } / data
  for _, fragment in ipairs(net.fragments(request, { 1480, 2960 })) do peer:send(fragment) end
  local joined = join(t, peer:collect { during = "1ms" }, 1500)
  t:is(joined:byte(1), 0)
  t:shows("RFC1122-3.3.2-1", t:ok(joined:sub(9) == data))
end)

tap.test("fragments to an unknown neighbour wait together and go out in order", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  host:socket "udp":sendto(pattern(5000), peer.addr, 9)
  peer:expect(net.arp{ op = "request" })
  peer:expect_nothing { during = "100ms" }
  peer:send(net.arp{ op = "reply" })
  net.sleep "10us"
  local joined = join(t, peer:collect(), 1500)
  t:ok(joined:sub(9) == pattern(5000))
end)
