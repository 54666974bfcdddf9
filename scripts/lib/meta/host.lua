-- SPDX-License-Identifier: MIT
---@meta _
-- Hosts of net (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.net
local net = {}

---@class tapline.NicOptions: tapline.WireOptions
---@field addr? string|string[] with prefix length: "192.0.2.1/24"
---@field mac? string
---@field mtu? integer
---@field wire? tapline.Wire
---@field queues? integer
---@field rx_ring? integer
---@field tx_ring? integer
---@field model? "ring"|"virtio"|"tun"
---@field up? boolean
---@field name? string

---@class tapline.HostOptions: tapline.NicOptions
---@field gateway? string
---@field cpus? integer
---@field sysctl? table<string, string|integer>

---@class tapline.Nic

---@alias tapline.Device tapline.Nic|string|integer

---@class tapline.Host
---@field wire tapline.Wire of the first card
---@field mac string
---@field addr? string
local Host = {}

---Boots a host.
---@param options? tapline.HostOptions
---@return tapline.Host
function net.host(options) end

---One more card.
---@param options? tapline.NicOptions
---@return tapline.Nic
function Host:nic(options) end

---@param addr string "192.0.2.5/24"
---@param options? { dev: tapline.Device?, broadcast: string? }
function Host:addr_add(addr, options) end

---@param addr string
---@param options? { dev: tapline.Device? }
function Host:addr_del(addr, options) end

---@param options { kind: string?, limit: integer?, dev: string? }
function Host:qdisc(options) end

---`taskset -p`: the calls that the present task (net.spawn) makes on this host run on that CPU from now on.
---@param cpu integer
function Host:taskset(cpu) end

---A system call by its own numbers and bytes: "setsockopt", { fd, arg0 = level, arg1 = name, data }. What came of it
---(`ret`, `data`, `addr`, `port`, `family`, `msg_flags`, `control`, `revents`), or nil and the name of the errno.
---@param name string
---@param fields table `fd arg0 arg1 arg2 arg3 data size control control_size addr port family fds timeout`
---@return table|nil result, string|nil errno
function Host:syscall(name, fields) end

---`tc` with the same words: "qdisc replace dev eth0 root fq maxrate 1mbit", "-s qdisc show dev eth0". Returns what
---tc prints, raises what it complains about.
---@param words string
---@return string
function Host:tc(words) end

---`ip tcp_metrics flush`: what TCP remembers of one peer, of all without an address.
---@param addr string?
function Host:tcp_metrics_flush(addr) end

-- Runs what a user types behind `ip`; the text of what shows something, the device of `link add`.
---@param command string "link add veth0 type veth peer name veth1"
---@return string|tapline.Device|tapline.Host|nil
function Host:ip(command) end

---@param command string "fdb show br br0"
---@return string|nil
function Host:bridge(command) end

---@param options string "-tan"
---@return string
function Host:ss(options) end

--- The counters as nstat(8) prints them: those that grew since it was last asked; "-a" all that they are, "-z" zeros too.
---@param options string? "-az Tcp*"
---@return string
function Host:nstat(options) end

---@class tapline.Trace
local Trace = {}

---@return { skb: integer, proto: string|integer|nil, src: string?, dst: string?, sport: integer?, dport: integer?, len: integer?, reason: string?, steps: table[] }[]
function Trace:packets() end

---@return string
function Trace:text() end

---@return string[]
function Trace:way(packet) end

function Trace:stop() end

-- The way of packets through the host; of those that fit.
---@param filter? { src?: string, dst?: string, sport?: integer, dport?: integer, proto?: string, drops?: boolean }
---@return tapline.Trace
function Host:trace(filter) end

---Reads a sysctl; with a value: sets it.
---@param name string
---@param value? string|integer
---@return string
function Host:sysctl(name, value) end

---Names of all sysctls.
---@return string[]
function Host:sysctls() end

---@param name string
---@return integer
function Host:counter(name) end

---@return table<string, integer>
function Host:counters() end

---Counters that changed since, and by how much.
---@param before table<string, integer>
---@param pattern? string
---@return table<string, integer>
function Host:changes(before, pattern) end

---Packets dropped for that reason.
---@param reason string
---@return integer
function Host:drops(reason) end

---The text of a view, such as "/proc/net/snmp".
---@param path string
---@return string
function Host:proc(path) end

---@class tapline.SocketLine
---@field proto "tcp"|"udp"
---@field state string "ESTAB", "LISTEN", "TIME-WAIT", "UNCONN", ...
---@field laddr string
---@field lport integer
---@field raddr string
---@field rport integer
---@field recv_q integer
---@field send_q integer
---@field timer? string "on", "keepalive", "timewait", "persist"
---@field timer_ms? integer
---@field retransmits integer

---The TCP and UDP sockets as `ss -an` lists them, by ports.
---@return tapline.SocketLine[]
function Host:sockets() end

---Lets `skip` chances pass, then fails `count` times.
---@param point "alloc"|"rx_missed"|"tx_busy"|"neigh_full"|"frame_lost"|"irq_lost"
---@param options? { skip: integer?, count: integer? }
function Host:fault(point, options) end

---What steps cost the CPU.
---@param options table<string, tapline.Duration>
function Host:cost(options) end

---Raises a softirq; kinds that the stack does not use take `cost`, and come again.
---@param kind "hi"|"timer"|"net_tx"|"net_rx"|"block"|"irq_poll"|"tasklet"|"sched"|"hrtimer"|"rcu"
---@param options? { cpu?: integer, cost?: tapline.Duration, again?: integer }
function Host:softirq(kind, options) end
