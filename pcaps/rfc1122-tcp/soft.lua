-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("unreachables do not end a connection", {
  program = function(conn, program, t)
    program:at "10ms"
    conn:send "hello"
    program:at "30ms"
    conn:send "world"
    t:is(conn:info().state, "ESTABLISHED")
  end,
  shows = { "RFC9293-MUST-56", "RFC5927-5.2-1" },
})
