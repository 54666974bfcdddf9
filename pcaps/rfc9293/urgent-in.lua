-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("the urgent octet is told apart from the stream", {
  program = function(conn, program, t)
    program:at "20ms"
    t:is((conn:recv { size = 1, flags = "oob" }), "!")
    t:is((conn:recv()), "ab")
    t:is((conn:recv()), "cd")
  end,
  shows = { "RFC9293-MUST-30" },
})
