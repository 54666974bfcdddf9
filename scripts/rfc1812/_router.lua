-- SPDX-License-Identifier: MIT
-- A router between two links with a station on each, for the suites of this folder.
local net = require "net"

local M = {}

M.NEAR, M.FAR = "192.0.2.9", "198.51.100.9"

-- router, the near station (192.0.2.9), the far one (198.51.100.9). o.mtu: of the far link.
function M.new(o)
  o = o or {}
  local sysctl = { ["net.ipv4.ip_forward"] = 1 }
  for name, value in pairs(o.sysctl or {}) do sysctl[name] = value end
  local router = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local card = router:nic { addr = "198.51.100.1/24", mtu = o.mtu }
  local near = router.wire:peer { addr = M.NEAR }
  local far = card.wire:peer { addr = M.FAR }
  router:neigh { addr = M.NEAR, mac = near.mac, dev = "eth0" }
  router:neigh { addr = M.FAR, mac = far.mac, dev = "eth1" }
  return router, near, far
end

-- What the far station gets of a datagram that the near one sends to it; the host's checks see to the
-- checksums.
function M.through(near, far, packet, template)
  near:send(packet)
  return far:expect(template or net.ip { src = M.NEAR, dst = M.FAR }, { within = "1ms", defaults = false })
end

-- A source route of these hops: kind 0x83 (loose) or 0x89, and the pointer.
function M.route(kind, pointer, ...)
  local hops = ""
  for _, addr in ipairs { ... } do
    hops = hops .. addr:gsub("(%d+)%.?", function(n) return string.char(tonumber(n)) end)
  end
  return string.char(kind, 3 + #hops, pointer) .. hops .. "\0"
end

return M
