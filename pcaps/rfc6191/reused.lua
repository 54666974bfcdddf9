-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("TIME-WAIT: a SYN beyond the old numbers opens again", {
  program = function(conn, program)
    program:at "10ms"
    conn:close()
    program:at "2s"
  end,
  shows = { "RFC6191-2-3" },
})
