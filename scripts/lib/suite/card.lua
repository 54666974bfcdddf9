-- SPDX-License-Identifier: MIT
-- Hosts behind a card of a given model, and what their sockets have got: for the suites of
-- scripts/path (not part of the documented library).
local net = require "net"

local card = {}

-- A host with a UDP socket on port 7, connected to a peer whose hardware address it knows.
-- o.ethtool: settings of the card; the rest are options of net.host.
function card.station(model, o)
  o = o or {}
  o.addr, o.model = "192.0.2.1/24", model
  local ethtool = o.ethtool
  o.ethtool = nil
  local host = net.host(o)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  if ethtool then host:ethtool(ethtool) end
  local socket = host:socket "udp"
  socket:bind(7)
  socket:connect(peer.addr, 5000)
  return host, peer, socket
end

-- The datagrams that wait, without waiting for more.
function card.drain(socket)
  local list = {}
  while true do
    local data = socket:try("recv", { flags = "dontwait" })
    if not data then return list end
    list[#list + 1] = data
  end
end

return card
