-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("what is sent again with other boundaries is taken once", {
  program = function(conn, program, t)
    program:at "50ms"
    t:is((conn:recv()), "abcdefghi")
  end,
})
