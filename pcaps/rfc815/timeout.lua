-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("after 30 s the source of a first piece hears that the rest is missing", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  shows = { "RFC1122-3.3.2-5", "RFC792-TimeExceeded-1", "RFC791-3.2-9" },
})
