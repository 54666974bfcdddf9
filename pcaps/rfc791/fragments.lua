-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a datagram too long for the link goes out in as few pieces as fit", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host)
    local socket = host:socket "udp"
    socket:bind(5000)
    socket:sendto(require "net".pattern(1, 4000), "192.0.2.9", 7)
  end,
  shows = { "RFC791-3.2-4", "RFC791-3.2-5", "RFC1812-4.2.2.7-2" },
})
