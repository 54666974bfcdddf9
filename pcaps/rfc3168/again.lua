-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("what is sent again is not ECT", {
  program = function(conn, program)
    program:at "1s"
    conn:send "hello"
    program:at "3s"
    conn:send "world"
  end,
  shows = { "RFC3168-6.1.5-1", "RFC3168-6.1.2-4" },
})
