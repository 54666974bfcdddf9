-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("Source Quench is ignored", {
  program = function(conn, program, t)
    program:at "10ms"
    conn:send(net.pattern(1, 1460))
    program:at "20ms"
    conn:send(net.pattern(1461, 1460))
    t:is(conn:info().snd_cwnd, 10)
  end,
  shows = { "RFC6633-3-3" },
})
