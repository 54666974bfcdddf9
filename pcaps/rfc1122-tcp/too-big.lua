-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("a smaller path MTU: what was too big goes again in smaller segments", {
  program = function(conn, program, t)
    program:at "10ms"
    conn:send(net.pattern(1, 1460))
    program:at "30ms"
    t:is(conn:info().pmtu, 1000)
  end,
  shows = { "RFC1191-3-1" },
})
