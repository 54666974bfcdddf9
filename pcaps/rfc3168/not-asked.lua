-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a SYN with ECE alone does not ask for ECN", {
  program = function(conn) conn:send(conn:recv():upper()) end,
  shows = { "RFC3168-6.1.1-2", "RFC3168-6.1.1-3" },
})
