-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a mark is told until the peer has reduced its window", {
  program = function(conn, program, t)
    program:at "40ms"
    conn:send "ok"
    program:at "60ms"
    t:is((conn:recv()), "firstsecondthirdfourth")
  end,
  shows = { "RFC3168-6.1.3-1", "RFC3168-6.1.4-1", "RFC3168-6.1.1-1" },
})
