-- SPDX-License-Identifier: MIT
-- Which source addresses can be right: rp_filter off, strict and loose (RFC 3704 2.2, 2.4), of the
-- device and of `all` (the greater counts), accept_local; and routes of several next hops. The
-- matrix was read off Linux 6.18 (`ip route get ... iif`).
local tap = require "tap"
local net = require "net"
local ip, udp = net.ip, net.udp

local function router(o)
  local host = net.host { addr = "192.0.2.1/24", sysctl = o }
  host:nic { addr = "198.51.100.1/24" }
  for route in ([[10.0.0.0/24 via 192.0.2.8
    10.1.0.0/24 via 198.51.100.8
    10.2.0.0/24 nexthop via 192.0.2.8 nexthop via 198.51.100.8
    10.3.0.0/24 nexthop via 198.51.100.8 nexthop via 192.0.2.8
    unreachable 10.4.0.0/24
    blackhole 10.5.0.0/24
    local 10.7.0.0/24 dev lo]]):gmatch "[^\n]+" do
    host:ip("route add " .. route)
  end
  return host
end

local sources = { "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", "10.5.0.1", "10.6.0.1", "10.7.0.1",
  "192.0.2.1", "192.0.2.255", "198.51.100.1" }

-- "y" where a packet from the source may come in by eth0, "-" where not.
local function taken(host)
  local row = ""
  for _, source in ipairs(sources) do
    local answer = host:ip("route get 192.0.2.1 from " .. source .. " iif eth0")
    row = row .. (answer:find("^local 192.0.2.1 from") and "y" or "-")
  end
  return row
end

-- Each: off; strict; loose. Own addresses, a broadcast address and a local route are never right.
local rows = { [0] = "yyyyyyy----", [1] = "y-yy-------", [2] = "yyyy-------" }

for all = 0, 2 do
  for dev = 0, 2 do
    tap.test(("rp_filter all %d, device %d"):format(all, dev), function(t)
      local host = router()
      host:sysctl("net.ipv4.conf.all.rp_filter", tostring(all))
      host:sysctl("net.ipv4.conf.eth0.rp_filter", tostring(dev))
      t:is(taken(host), rows[math.max(all, dev)])
    end)
  end
end

tap.test("accept_local: own addresses too, strictly only by their device", function(t)
  local host = router()
  host:sysctl("net.ipv4.conf.eth0.accept_local", "1")
  t:is(taken(host), "yyyyyyyyyyy")
  host:sysctl("net.ipv4.conf.eth0.rp_filter", "1")
  t:is(taken(host), "y-yy----y--")
  host:sysctl("net.ipv4.conf.eth0.rp_filter", "2")
  t:like(host:ip "route get 192.0.2.1 from 198.51.100.1 iif eth0", "^local 192")
end)

tap.test("goes wrong: asymmetric routing under a strict filter; the counter and the reason tell", function(t)
  local host = router { ["net.ipv4.ip_forward"] = "1" }
  host:sysctl("net.ipv4.conf.eth0.rp_filter", "1")
  local peer = host.wire:peer { addr = "192.0.2.8" }
  local s = host:socket "udp"
  s:bind(9)
  peer:send(ip { src = "10.1.0.1", dst = "192.0.2.1" } / udp { sport = 5, dport = 9 } / "elsewhere")
  peer:send(ip { src = "10.3.0.1", dst = "192.0.2.1" } / udp { sport = 5, dport = 9 } / "one of two ways")
  t:is((s:recv()), "one of two ways")
  t:is(host:counter "TcpExtIPReversePathFilter", 1)
  t:is(host:drops "IP_RPFILTER", 1)
end)
