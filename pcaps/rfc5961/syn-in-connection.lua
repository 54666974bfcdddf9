-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a SYN in a connection is challenged, in the window or not", {
  program = function(conn, program, t)
    t:is((conn:recv()), "hello")
    program:at "3s"
    t:is(conn:info().state, "ESTABLISHED")
  end,
  shows = { "RFC5961-4.2-1" },
})
