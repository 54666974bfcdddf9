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

return { station = station, router = router }
