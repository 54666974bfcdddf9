-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("data with an acknowledgement out of its range is challenged and dropped", {
  program = function(conn, program, t)
    t:is((conn:recv()), "hello")
    program:at "3s"
    t:is({ conn:pending(), conn:info().state }, { 0, "ESTABLISHED" })
  end,
  shows = { "RFC5961-5.2-1", "RFC5961-5.2-2" },
})
