-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a probe for the host's address is answered", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  shows = "RFC5227-2.5-2",
})
