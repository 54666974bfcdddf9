-- SPDX-License-Identifier: MIT
-- Hosts behind a card of a given model, and what their sockets have got: for the suites of
-- scripts/path (not part of the documented library).
local stations = require "suite.station"

local card = {}

-- A host with a UDP socket on port 7, connected to a peer whose hardware address it knows.
-- o.ethtool: settings of the card; the rest are options of net.host.
function card.station(model, o)
  local options, ethtool = { model = model }, nil
  for key, value in pairs(o or {}) do
    if key == "ethtool" then ethtool = value else options[key] = value end
  end
  local host, peer, socket = stations.udp(options)
  if ethtool then host:ethtool(ethtool) end
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
