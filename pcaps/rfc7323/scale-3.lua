-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("the peer's window is shifted, that of its SYN is not", {
  program = function(conn, program)
    program:at "10ms"
    conn:send(net.pattern(1, 1500))
  end,
  shows = { "RFC7323-2.2-5", "RFC7323-2.3-3" },
})
