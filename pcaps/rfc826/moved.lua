-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("an announcement changes the entry that is there", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  program = function(host, program)
    local socket = host:socket "udp"
    socket:bind(5000)
    program:at "3s"
    socket:sendto("hello", "192.0.2.9", 7)
  end,
  shows = "RFC826-Reception-3",
})
