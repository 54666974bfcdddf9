-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("without an MSS option segments have 536 octets", {
  program = function(conn, program)
    program:at "10ms"
    conn:send(net.pattern(1, 1200))
  end,
  shows = { "RFC9293-MUST-15" },
})
