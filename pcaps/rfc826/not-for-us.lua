-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("requests for others, of another operation, of another hardware get no answer", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  shows = { "RFC826-Reception-1", "RFC826-Reception-4" },
})
