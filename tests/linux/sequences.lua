-- SPDX-License-Identifier: MIT
-- The sequences that both sides run: a file of this folder, and a part of it.
local list = {}

for line in ([[
  options tcp-closed
  options tcp-listening
  options tcp-connecting
  options tcp-connected
  options tcp-close-wait
  options tcp-listening-request
  options tcp-syn-recv
  options tcp-fin-wait-1
  options tcp-fin-wait-2
  options tcp-closing
  options tcp-last-ack
  options tcp-time-wait
  options tcp-reset
  options udp
  options tcp6-closed
  options tcp6-listening
  options tcp6-connected
  options tcp6-close-wait
  states
  states ipv6
  segments CLOSED
  segments LISTEN
  segments ESTABLISHED
  segments SHUT_RD
  segments ORPHAN
  segments LAST_ACK
  segments CLOSE_WAIT
  segments TIME_WAIT
  segments CLOSING
  segments FIN_WAIT2
  segments FIN_WAIT1
  segments GAP
  segments UNACKED
  segments UNREAD
  segments SYN_RECV_SOCK
  segments SYN_SENT
  segments SYN_RECV
  ports
  stream
  stream ipv6
  datagram
  counters
  sysctls net.ipv4.tcp
  sysctls net.ipv4.i
  sysctls net.ipv4.f
  sysctls net.ipv4.nexthop
  sysctls net.ipv4.ping
  sysctls net.ipv4.raw
  sysctls net.ipv4.udp
  sysctls net.ipv4.route
  sysctls net.ipv4.conf.all
  sysctls net.ipv4.conf.default
  sysctls net.ipv4.conf.veth0
  sysctls net.ipv4.neigh
  sysctls net.core
  sysctls net.netfilter
  sysctls net.ipv6
]]):gmatch "[^\n]+" do
  local file, part = line:match "(%S+)%s*(%S*)"
  list[#list + 1] = { name = part ~= "" and file .. "." .. part or file, file = file, part = part }
end

return list
