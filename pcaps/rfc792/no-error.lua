-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("no error about errors, broadcasts, later fragments and nobody's datagrams", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  silent = true,
  after = "40s", -- the fragment's time is over after 30 s
  shows = { "RFC1122-3.2.2-6", "RFC1122-3.2.2-7", "RFC1122-3.2.2-10" },
})
