-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("what came again below the acknowledgement is told in the first block", {
  program = function(conn, program, t)
    program:at "40ms"
    t:is(conn:pending(), 1000)
    t:is(#conn:recv(), 1000)
  end,
  shows = { "RFC2883-4-1" },
})
