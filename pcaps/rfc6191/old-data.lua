-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("TIME-WAIT: old data and the FIN again are acknowledged", {
  program = function(conn, program)
    program:at "10ms"
    conn:close()
    program:at "2s"
  end,
  shows = { "RFC9293-3.10.7.4-27" },
})
