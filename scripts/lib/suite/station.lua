-- SPDX-License-Identifier: MIT
-- The smallest network that most suites begin with: a host 192.0.2.1/24 and, on its wire, a peer
-- 192.0.2.9 whose hardware address it knows (not part of the documented library).
local net = require "net"

local station = {}

local function build(o, ports)
  local options = { addr = "192.0.2.1/24" }
  for key, value in pairs(o or {}) do options[key] = value end
  local host = net.host(options)
  local peer = host.wire:peer { addr = "192.0.2.9", port = ports and 5000 or nil }
  if ports then peer:to(7) end
  if options.model ~= "tun" then host:neigh { addr = peer.addr, mac = peer.mac } end
  return host, peer
end

-- o: options of net.host. Returns the host and the peer.
function station.pair(o) return build(o, false) end

-- The same; what the peer sends goes from port 5000 to port 7 where a test does not say otherwise.
function station.ports(o) return build(o, true) end

-- The same, with a UDP socket on that port.
function station.udp(o)
  local host, peer = build(o, true)
  local socket = host:socket "udp"
  socket:bind(7)
  return host, peer, socket
end

return station
