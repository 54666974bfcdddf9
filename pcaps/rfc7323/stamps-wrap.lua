-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("time stamps wrap, and one of before is old", {
  program = function(conn, program, t)
    t:is((conn:recv()), "hello")
    program:at "30ms"
    t:is(conn:pending(), 0)
  end,
  shows = { "RFC7323-5.2-1" },
})
