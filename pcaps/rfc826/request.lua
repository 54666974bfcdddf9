-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("requests for the host's address are answered, to all or to it alone", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  shows = { "RFC826-Reception-5", "RFC826-Reception-7" },
})
