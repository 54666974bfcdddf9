-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("no time stamp in the SYN: none is sent, none is looked at", {
  program = function(conn, program, t)
    program:at "30ms"
    t:is((conn:recv()), "helloold")
  end,
  shows = { "RFC7323-3.2-4" },
})
