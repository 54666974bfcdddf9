-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("small writes wait for the acknowledgement of the one that is out", {
  program = function(conn, program)
    for i, word in ipairs { "a", "b", "c", "d" } do
      program:at(i * 10 .. "ms")
      conn:send(word)
    end
  end,
  shows = { "RFC9293-SHLD-7" },
})
