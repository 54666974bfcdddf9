-- SPDX-License-Identifier: MIT
-- A host with a bound UDP socket, a peer whose address it knows; and a router between two peers.
local net = require "net"
local station = require("suite.station").udp

local function router(options)
  options = options or {}
  options.addr = "192.0.2.1/24"
  options.sysctl = options.sysctl or {}
  options.sysctl["net.ipv4.ip_forward"] = 1
  local host = net.host(options)
  local second = host:nic { addr = "198.51.100.1/24" }
  local near = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  local far = second.wire:peer { addr = "198.51.100.9", port = 7 }:to(5000)
  host:neigh { addr = near.addr, mac = near.mac }
  host:neigh { addr = far.addr, mac = far.mac, dev = second }
  return host, near, far, second
end

-- Packets and bytes that the n-th rule of a chain has seen.
local function counts(host, chain, n, family)
  local list = host[family or "iptables"](host, ("-v -S %s %d"):format(chain, n or 1))
  local packets, bytes = list:match(" %-c (%d+) (%d+)")
  return { tonumber(packets), tonumber(bytes) }
end

-- Of which of the packets does one rule that only counts think that it matches?
local function matched(t, host, peer, rule, packets, expect)
  host:iptables "-F INPUT"
  host:iptables("-A INPUT " .. rule)
  for i, packet in ipairs(packets) do
    local before = counts(host, "INPUT")[1]
    peer:send(packet)
    net.sleep "1ms"
    peer:collect { during = "1ms" }
    t:is(counts(host, "INPUT")[1] - before, expect[i], ("%s, packet %d"):format(rule, i))
  end
end

return { station = station, router = router, counts = counts, matched = matched }

