-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a reset that is in the window, but not exact, is challenged", {
  program = function(conn, program, t)
    program:at "2900ms"
    t:is({ conn:recv(), conn:info().state }, { "hello", "ESTABLISHED" })
    program:at "3100ms"
    t:is(select(2, conn:try "recv"), "ECONNRESET")
  end,
  shows = { "RFC5961-3.2-1", "RFC5961-3.2-2", "RFC5961-3.2-3" },
})
