-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("datagrams wait for the address, and leave in order when it is known", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  program = function(host, program)
    local socket = host:socket "udp"
    socket:bind(5000)
    socket:sendto("one", "192.0.2.9", 7)
    program:at "10ms"
    socket:sendto("two", "192.0.2.9", 7)
    program:at "50ms"
    socket:sendto("three", "192.0.2.9", 7)
  end,
  shows = { "RFC826-Generation-1", "RFC826-Generation-2", "RFC1122-2.3.2.2-1" },
})
