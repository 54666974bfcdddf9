-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a datagram to a group: its MAC address, TTL 1", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  program = function(host)
    local socket = host:socket "udp"
    socket:bind(5000)
    host:route{ dst = "224.0.0.0/4", dev = host.nics[1] }
    socket:sendto("all", "239.129.2.3", 7)
  end,
  shows = { "RFC1112-6.1-1", "RFC1112-6.2-2", "RFC1122-3.3.6-5" },
})
