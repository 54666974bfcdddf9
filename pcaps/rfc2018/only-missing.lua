-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("only what is missing is sent again", {
  program = function(conn, program)
    program:at "1s"
    conn:send(net.pattern(1, 7000))
  end,
  shows = { "RFC2018-5-1" },
})
