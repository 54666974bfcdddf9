-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("an echo comes back with the same data, odd, none and as much as fits", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  shows = { "RFC792-Echo-1", "RFC1122-3.2.2.6-1", "RFC1122-3.2.2.6-6" },
})
