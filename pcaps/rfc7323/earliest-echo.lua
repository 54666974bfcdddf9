-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a delayed ACK echoes the first segment that it is for", {
  program = function(conn, program, t)
    conn:option("TCP_QUICKACK", 0)
    t:is((conn:recv()), "hello")
    conn:send "one"
    program:at "70ms"
    t:is((conn:recv()), "againmore!")
  end,
  shows = { "RFC7323-3.2-2", "RFC7323-4.3-1" },
})
