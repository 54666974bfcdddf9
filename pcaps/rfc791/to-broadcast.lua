-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a datagram to all, of the link and of the network", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01", gateway = "192.0.2.254" },
  program = function(host, program)
    local socket = host:socket "udp"
    socket:bind(5000)
    socket:option("SO_BROADCAST", 1)
    socket:sendto("all", "255.255.255.255", 7)
    program:at "1s"
    socket:sendto("all", "192.0.2.255", 7)
  end,
  shows = { "RFC1122-3.3.6-5", "RFC1122-3.3.6-3" },
})
