-- SPDX-License-Identifier: MIT
---@meta net
-- What docs/lua.md says of net, for the Lua language server. Nothing loads this file.

---@class tapline.net
---@field C table<string, integer> constants of the C interface
local net = {}

-- Packets ----------------------------------------------------------------------------------------

---@class tapline.Layer
---@operator div(tapline.Layer|string): tapline.Packet
---@field checksum_status? "good"|"bad"|"absent"|"unverified"|"none"

---@class tapline.Eth: tapline.Layer
---@field dst? string
---@field src? string
---@field type? integer|string

---@class tapline.Vlan: tapline.Layer
---@field pcp? integer
---@field dei? boolean
---@field id? integer
---@field type? integer|string

---@class tapline.Arp: tapline.Layer
---@field op? "request"|"reply"|integer
---@field sha? string
---@field spa? string
---@field tha? string
---@field tpa? string
---@field htype? integer
---@field ptype? integer
---@field hlen? integer
---@field plen? integer

---@class tapline.Ip: tapline.Layer
---@field src? string
---@field dst? string
---@field ttl? integer
---@field proto? integer|string
---@field id? integer
---@field df? boolean
---@field mf? boolean
---@field rf? boolean
---@field off? integer in units of 8 bytes
---@field tos? integer
---@field dscp? integer
---@field ecn? integer
---@field len? integer
---@field ihl? integer
---@field version? integer
---@field checksum? integer
---@field options? string

---@class tapline.Icmp: tapline.Layer
---@field type? integer|string
---@field code? integer|string
---@field checksum? integer
---@field id? integer
---@field seq? integer
---@field mtu? integer
---@field gateway? string
---@field pointer? integer
---@field originate? integer
---@field receive? integer
---@field transmit? integer
---@field mask? string
---@field rest? integer

---@class tapline.Igmp: tapline.Layer
---@field type? integer|string
---@field maxresp? integer
---@field group? string
---@field checksum? integer

---@class tapline.Udp: tapline.Layer
---@field sport? integer
---@field dport? integer
---@field len? integer
---@field checksum? integer

---@class tapline.Tcp: tapline.Layer
---@field sport? integer
---@field dport? integer
---@field seq? integer
---@field ack? integer
---@field flags? string
---@field window? integer
---@field urg? integer
---@field doff? integer
---@field checksum? integer
---@field options? table[]

---Layers joined by `/`; a layer that is not there is nil.
---@class tapline.Packet: tapline.Proof
---@operator div(tapline.Packet|tapline.Layer|string): tapline.Packet
---@field eth? tapline.Eth
---@field vlan? tapline.Vlan
---@field llc? tapline.Layer
---@field arp? tapline.Arp
---@field ip? tapline.Ip
---@field ip6? tapline.Layer
---@field icmp? tapline.Icmp
---@field icmp6? tapline.Layer
---@field igmp? tapline.Igmp
---@field udp? tapline.Udp
---@field tcp? tapline.Tcp
---@field inner? tapline.Packet the packet that an ICMP error quotes
---@field payload? string
---@field sent? integer when it left the host, in ns
---@field time? integer when it arrived, in ns
local Packet = {}

---The packet's bytes.
---@return string
function Packet:bytes() end

---All fields as text.
---@return string
function Packet:text() end

---A copy.
---@return tapline.Packet
function Packet:clone() end

---@param fields? tapline.Eth
---@return tapline.Packet
function net.eth(fields) end

---@param fields? tapline.Vlan
---@return tapline.Packet
function net.vlan(fields) end

---@param fields? table
---@return tapline.Packet
function net.llc(fields) end

---@param fields? tapline.Arp
---@return tapline.Packet
function net.arp(fields) end

---@param fields? tapline.Ip
---@return tapline.Packet
function net.ip(fields) end

---@param fields? table
---@return tapline.Packet
function net.ip6(fields) end

---@param fields? tapline.Icmp
---@return tapline.Packet
function net.icmp(fields) end

---@param fields? table
---@return tapline.Packet
function net.icmp6(fields) end

---@param fields? tapline.Igmp
---@return tapline.Packet
function net.igmp(fields) end

---@param fields? tapline.Udp
---@return tapline.Packet
function net.udp(fields) end

---@param fields? tapline.Tcp
---@return tapline.Packet
function net.tcp(fields) end

---Payload.
---@param bytes string
---@return tapline.Packet
function net.raw(bytes) end

---The packet in these bytes; without "ip" they begin with an Ethernet header.
---@param bytes string
---@param link? "ip"
---@return tapline.Packet
function net.parse(bytes, link) end

---The fragments of an ip{} packet, cut at these offsets of its payload.
---@param packet tapline.Packet
---@param offsets integer[]
---@return tapline.Packet[]
function net.fragments(packet, offsets) end

---Octets that hang on their place in a stream: what a peer sends as TCP data.
---@param first integer
---@param length integer
---@return string
function net.pattern(first, length) end

-- Time and tasks ---------------------------------------------------------------------------------

---Virtual time in ns.
---@return integer
function net.now() end

---@param time tapline.Duration
function net.sleep(time) end

---Another name of net.sleep.
---@param time tapline.Duration
function net.advance(time) end

---A duration in ns.
---@param value tapline.Duration
---@return integer
function net.duration(value) end

---@class tapline.Task
local Task = {}

---Starts a task beside the test; it begins when the present one waits.
---@param f function
---@return tapline.Task
function net.spawn(f, ...) end

---Waits until the task has returned, and gives what it returned.
---@return any ...
function Task:join() end

---Records the named trace events from now on.
---@param ... string
function net.trace(...) end

---Who goes next where several CPUs could: a list of choices, a seed, nil: the world's own choice.
---@param how? integer[]|integer
function net.schedule(how) end

---What was chosen since net.schedule { ... }, and out of how many.
---@return integer[] choices
---@return integer[] of
function net.scheduled() end

---Calls f for every order in which the CPUs could take their steps. Returns how many there were.
---@param f fun(choices: integer[])
---@param options? { max?: integer }
---@return integer
function net.interleavings(f, options) end

---Calls f(seed) for n seeds of the world's own choice.
---@param n integer
---@param f fun(seed: integer)
function net.seeds(n, f) end

---The records so far, which are forgotten then.
---@return { time: integer, event: string, host: integer, cpu: integer, reason: string? }[]
function net.traces() end

-- Wires and peers --------------------------------------------------------------------------------

---@class tapline.WireOptions
---@field delay? tapline.Duration
---@field rate? integer bits per second, 0: no limit

---@class tapline.WireFaults: tapline.WireOptions
---@field loss? integer parts per million
---@field duplicate? integer parts per million
---@field reorder? integer parts per million
---@field reorder_by? tapline.Duration
---@field corrupt? integer parts per million
---@field jitter? tapline.Duration
---@field drop_next? integer
---@field queue? integer bytes
---@field from? tapline.Host|"host"|"peer"

---@class tapline.PeerOptions
---@field addr? string
---@field mac? string
---@field port? integer
---@field isn? integer its initial sequence number
---@field arp? boolean false: it does not answer ARP requests

---@class tapline.Wire
local Wire = {}

---@class tapline.Peer
---@field addr? string
---@field mac string
---@field port? integer
local Peer = {}

---@param options? tapline.WireOptions
---@return tapline.Wire
function net.wire(options) end

---A station that the script plays.
---@param options? tapline.PeerOptions
---@return tapline.Peer
function Wire:peer(options) end

---Faults and speed of a wire.
---@param options tapline.WireFaults
function Wire:set(options) end

---Sets the port that its packets go to.
---@param port integer
---@return tapline.Peer
function Peer:to(port) end

---A TCP segment in packetdrill's notation as a packet, to be changed before it is sent.
---@param text string "S 0:0(0) win 65535 <mss 1460>"
---@param data? string
---@return tapline.Packet
function Peer:segment(text, data) end

---Another connection: what was learned of the host's numbers is forgotten.
---@param options { port: integer?, to: integer?, isn: integer? }
---@return tapline.Peer
function Peer:fresh(options) end

---Puts a frame on the wire, now; a text is a TCP segment in packetdrill's notation.
---@param packet tapline.Packet|string
---@param options? { fcs: "bad"?, pad: boolean?, data: string?, auth: tapline.Signature|false? }
function Peer:send(packet, options) end

---@class tapline.Signature what net.tcp_ao and net.tcp_md5 return

---@class tapline.AoKeyOptions
---@field key? string
---@field alg? "hmac(sha1)"|"cmac(aes128)"
---@field sndid? integer KeyID of what the peer sends (100)
---@field rcvid? integer RNextKeyID that it asks for
---@field maclen? integer
---@field exclude_options? boolean

---What a peer signs with, and checks by: TCP-AO (RFC 5925).
---@param options tapline.AoKeyOptions
---@return tapline.Signature
function net.tcp_ao(options) end

---The same with TCP MD5 signatures (RFC 2385).
---@param key string
---@return tapline.Signature
function net.tcp_md5(key) end

---From now on what it sends is signed; false: no more.
---@param with tapline.Signature|false
---@return tapline.Peer
function Peer:auth(with) end

---A packet as it would go, signed, to be changed before it is sent.
---@param packet tapline.Packet|string
---@param numbers? { sne: integer?, sisn: integer?, disn: integer?, keyid: integer?, rnext: integer? }
---@param data? string
---@return tapline.Packet
function Peer:signed(packet, numbers, data) end

---Is the host's frame signed as it must be? With TCP-AO also its KeyID and RNextKeyID.
---@param frame tapline.Packet
---@param with? tapline.Signature
---@return boolean, integer?, integer?
function Peer:verify(frame, with) end

---The initial sequence numbers that TCP-AO's traffic keys are made of.
---@return { isn: integer, peer_isn: integer? }
function Peer:numbers() end

---The same with bytes, from the destination MAC on.
---@param bytes string
---@param options? { fcs: "bad"? }
function Peer:send_raw(bytes, options) end

---@class tapline.ExpectOptions
---@field within? tapline.Duration any time from now on for so long
---@field at? tapline.Duration|string virtual time, or "+200ms" after the cause
---@field data? string|true of a TCP segment: these octets, true: those of net.pattern
---@field defaults? boolean false: addresses that are left out are not compared

---Takes the next frame for this peer, which must match.
---@param template tapline.Packet|string
---@param options? tapline.ExpectOptions
---@return tapline.Packet
function Peer:expect(template, options) end

---That many frames, in any order.
---@param templates (tapline.Packet|string)[]
---@param options? tapline.ExpectOptions
---@return tapline.Packet[]
function Peer:expect_all(templates, options) end

---No frame comes for so long; without `during`: none is here.
---@param options? { during: tapline.Duration? }
---@return tapline.Proof
function Peer:expect_nothing(options) end

---Takes all frames that come for so long.
---@param options? { during: tapline.Duration? }
---@return tapline.Packet[]
function Peer:collect(options) end

-- Hosts ------------------------------------------------------------------------------------------

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

---@class tapline.RouteOptions
---@field dst string prefix, or "default"
---@field via? string
---@field dev? tapline.Device
---@field src? string
---@field metric? integer
---@field mtu? integer
---@field tos? integer
---@field type? "unicast"|"blackhole"|"unreachable"|"prohibit"|string
---@field table? integer
---@field scope? integer
---@field onlink? boolean
---@field verb? "add"|"replace"|"change"|"append"|"prepend"
---@field nexthops? { via: string?, dev: tapline.Device?, weight: integer?, onlink: boolean? }[]
---@field advmss? integer
---@field window? integer
---@field rtt? tapline.Duration
---@field rttvar? tapline.Duration
---@field ssthresh? integer
---@field cwnd? integer
---@field reordering? integer
---@field hoplimit? integer
---@field initcwnd? integer
---@field initrwnd? integer
---@field rto_min? tapline.Duration
---@field quickack? boolean
---@field features? "ecn"
---@field congctl? string
---@field lock? string names of metrics

---@param options tapline.RouteOptions
function Host:route(options) end

---@param options tapline.RouteOptions
function Host:route_del(options) end

---@class tapline.RuleOptions
---@field priority? integer
---@field from? string
---@field to? string
---@field tos? integer
---@field fwmark? integer
---@field mask? integer
---@field iif? tapline.Device
---@field oif? tapline.Device
---@field table? integer|string
---@field action? "lookup"|"goto"|"nop"|"blackhole"|"unreachable"|"prohibit"
---@field target? integer
---@field inverted? boolean
---@field suppress_prefixlength? integer

---`ip rule add`.
---@param options tapline.RuleOptions
function Host:rule(options) end

---`ip rule del`.
---@param options tapline.RuleOptions
function Host:rule_del(options) end

---@param options { addr: string, mac: string?, state: string?, dev: tapline.Device? }
function Host:neigh(options) end

---@param addr string
---@param options? { dev: tapline.Device? }
function Host:neigh_del(addr, options) end

---`tc qdisc replace ... root`: "pfifo_fast", or "pfifo" of so many packets.
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

---@class tapline.LinkOptions
---@field up? boolean
---@field mtu? integer
---@field promisc? boolean
---@field allmulti? boolean
---@field address? string
---@field carrier? boolean
---@field txqlen? integer
---@field anyip? boolean
---@field arp? boolean
---@field name? string
---@field netns? string|tapline.Host
---@field master? tapline.Device|false
---@field reorder_hdr? boolean
---@field loose_binding? boolean
---@field ingress_qos? table<integer, integer>
---@field egress_qos? table<integer, integer>
---@field ageing_time? integer in 1/100 s
---@field group_fwd_mask? integer
---@field fdb_max_learned? integer
---@field learning? boolean
---@field flood? boolean
---@field mcast_flood? boolean
---@field bcast_flood? boolean
---@field hairpin? boolean
---@field isolated? boolean
---@field port_fwd_mask? integer
---@field state? "disabled"|"listening"|"learning"|"forwarding"|"blocking"|integer
---@field dev? tapline.Device

---@param options tapline.LinkOptions
function Host:link(options) end

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

---@param name string
---@return tapline.Host
function Host:netns(name) end

---@param name string|tapline.Host
function Host:netns_del(name) end

---@class tapline.LinkAddOptions
---@field type "veth"|"vlan"|"bridge"|"dummy"
---@field name? string
---@field link? tapline.Device the device below a VLAN device
---@field id? integer
---@field protocol? "802.1Q"|"802.1ad"
---@field peer? string|{ name?: string, netns?: string|tapline.Host }
---@field netns? string|tapline.Host
---@field mtu? integer
---@field address? string
---@field addr? string|string[]
---@field up? boolean
---@field master? tapline.Device
---@field reorder_hdr? boolean
---@field loose_binding? boolean
---@field ingress_qos? table<integer, integer>
---@field egress_qos? table<integer, integer>
---@field ageing_time? integer
---@field group_fwd_mask? integer
---@field fdb_max_learned? integer

---@param options tapline.LinkAddOptions
---@return tapline.Device
function Host:link_add(options) end

---@param dev tapline.Device
function Host:link_del(dev) end

---@param name string
---@return tapline.Device
function Host:dev(name) end

---@return { ifindex: integer, name: string, flags: table<string, boolean>, mtu: integer, state: string, mac: string?, master: string? }[]
function Host:links() end

---@param options { addr?: string, dev?: tapline.Device, action?: "add"|"replace"|"del"|"flush", permanent?: boolean, static?: boolean, sticky?: boolean, self?: boolean }
function Host:fdb(options) end

---@param bridge? string
---@return { addr: string, dev: string, permanent: boolean, static: boolean, sticky: boolean }[]
function Host:fdbs(bridge) end

---@class tapline.EthtoolOptions
---@field rx_usecs? integer
---@field rx_csum? boolean
---@field tx_csum? boolean
---@field tso? boolean
---@field rps_cpus? integer
---@field rps_flow_cnt? integer
---@field xps_cpus? integer
---@field xps_rxqs? integer
---@field bql? boolean
---@field bql_limit_max? integer
---@field bql_limit_min? integer
---@field bql_hold_time? integer
---@field adaptive_rx? boolean
---@field channels? integer
---@field rss_equal? integer
---@field rss_indir? integer[]
---@field rss_key? string
---@field rss_sym_xor? boolean
---@field rss_udp? boolean
---@field tx_udp_segmentation? boolean
---@field gro? boolean
---@field lro? boolean
---@field sg? boolean
---@field rx_udp_gro_forwarding? boolean
---@field rx_gro_list? boolean
---@field virtio_event_idx? boolean
---@field rx_vlan_offload? boolean
---@field tx_vlan_offload? boolean
---@field rx_timestamp? boolean
---@field tx_timestamp? boolean
---@field rx_pause? boolean
---@field tx_pause? boolean
---@field loopback? boolean
---@field irq_late? tapline.Duration
---@field rx_stall? boolean
---@field rx_bad_desc? integer
---@field tx_bad_desc? integer
---@field gro_flush_timeout? integer
---@field napi_defer_hard_irqs? integer
---@field irq_cpu? integer
---@field rx_ring? integer
---@field tx_ring? integer
---@field tx_stall? boolean
---@field irq_lost? integer
---@field irq_spurious? integer
---@field queue? integer
---@field dev? tapline.Device

---Sets; with a text, such as "-S eth0", gives what ethtool prints.
---@param options tapline.EthtoolOptions|string
---@return string?
function Host:ethtool(options) end

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

---@class tapline.Hook
---@field remove fun() ends it
local Hook = {}

---@class tapline.Held
---@field packet tapline.Packet
local Held = {}

---Lets it go on behind the hook that held it, or another packet in its place.
---@param packet? tapline.Packet
function Held:accept(packet) end

---Drops it; a sender sees the errno.
---@param errno? string
function Held:drop(errno) end

---Ends it without counting a drop.
function Held:steal() end

---Has the hook that held it see it again.
---@param packet? tapline.Packet
function Held:again(packet) end

---The packets that it holds.
---@return tapline.Held[]
function Hook:queued() end

---Calls f for every packet at a place; it may not wait. It returns a verdict ("drop" with the errno
---that a sender sees), or a packet that goes on instead.
---@param place "pre_routing"|"local_in"|"forward"|"local_out"|"post_routing"
---@param f fun(packet: tapline.Packet, where: { place: string, family: string, iif: integer?, oif: integer?, id: integer }): "drop"|"accept"|"stolen"|"queue"|"repeat"|tapline.Packet|nil, string?
---@param options? { priority: integer?, family: ("ipv4"|"ipv6")? }
---@return tapline.Hook
function Host:hook(place, f, options) end

---Words of iptables: does what they say, returns what they print.
---@param words string
---@return string
function Host:iptables(words) end

---Words of ip6tables.
---@param words string
---@return string
function Host:ip6tables(words) end

---All tables as iptables-save prints them.
---@param words? string "-c": with counters
---@return string
function Host:iptables_save(words) end

---@param words? string
---@return string
function Host:ip6tables_save(words) end

---Words of conntrack(8), "-L" when there are none: what it prints; of -D and -F how many ended.
---@param words? string
---@return string|integer
function Host:conntrack(words) end

-- Sockets ----------------------------------------------------------------------------------------

---@class tapline.Socket
local Socket = {}

---@class tapline.Epoll
local Epoll = {}

---@class tapline.Endpoint
---@field addr string
---@field port integer

---@class tapline.Received: tapline.Endpoint
---@field length integer
---@field flags integer
---@field control string
---@field cmsg table<string, any>

---@class tapline.SendOptions
---@field flags? string|integer
---@field control? table<string, any>|string

---@param kind "udp"|"tcp"|"tcp6"|"packet"|"packet-dgram"
---@param options? { nonblock: boolean?, protocol: (integer|string)?, dev: tapline.Device?, filter: tapline.Bpf?, auxdata: boolean? }
---@return tapline.Socket
function Host:socket(kind, options) end

---@return tapline.Epoll
function Host:epoll() end

---The end that is read, and the one that is written.
---@param options? { nonblock: boolean? }
---@return tapline.Socket read, tapline.Socket write
function Host:pipe(options) end

---A file with these bytes; "/dev/zero": zero bytes without end.
---@param bytes string
---@return tapline.Socket file
function Host:file(bytes) end

---Calls a method; an error is returned as nil and the name of the errno.
---@param call string
---@return any result, string? errno
function Socket:try(call, ...) end

---@param addr string
---@param port integer
---@overload fun(self: tapline.Socket, port: integer): tapline.Proof
function Socket:bind(addr, port) end

---nil dissolves the association.
---@param addr string?
---@param port? integer
function Socket:connect(addr, port) end

---@param port? integer
---@param backlog? integer
---@return tapline.Socket self
function Socket:listen(port, backlog) end

---@return tapline.Socket, tapline.Endpoint
function Socket:accept() end

---@param data string
---@param options? tapline.SendOptions
---@return integer bytes
function Socket:send(data, options) end

---@param data string
---@param addr string
---@param port integer
---@param options? tapline.SendOptions
---@return integer bytes
function Socket:sendto(data, addr, port, options) end

---@param options? { size: integer?, flags: (string|integer)?, control_size: integer?, fault: boolean? }
---@return string data, tapline.Received from
function Socket:recv(options) end

---splice(2): one of the two is an end of a pipe.
---@param to tapline.Socket
---@param bytes integer
---@param options? { flags: string? } "nonblock more"
---@return integer bytes
function Socket:splice(to, bytes, options) end

---sendfile(2); without an offset from the file's own position.
---@param file tapline.Socket
---@param bytes integer
---@param offset? integer
---@return integer bytes
function Socket:sendfile(file, bytes, offset) end

---@param events string "in out"
---@param timeout? tapline.Duration
---@return table<string, boolean>
function Socket:poll(events, timeout) end

---Reads an option by its C name; with a value: sets it.
---@param name string
---@param value? any
---@return any
function Socket:option(name, value) end

---getsockopt(2); the level may be left out.
---@param level string|integer
---@param name? string|integer
---@param size? integer
---@return any
function Socket:getsockopt(level, name, size) end

---setsockopt(2); the level may be left out.
---@param level string|integer
---@param name any
---@param value? any
---@return boolean
function Socket:setsockopt(level, name, value) end

---@return tapline.Endpoint
function Socket:name() end

---@return tapline.Endpoint
function Socket:peername() end

---@return integer
function Socket:pending() end

---@param on boolean
function Socket:nonblock(on) end

---@param how "rd"|"wr"|"rdwr"
function Socket:shutdown(how) end

function Socket:close() end

---fcntl(2): the number that it returned.
---@param command integer
---@param value? integer
---@return integer
function Socket:fcntl(command, value) end

---ioctl(2): the number that it returned.
---@param request integer
---@return integer
function Socket:ioctl(request) end

---@alias tapline.Bpf string|integer[][] a program of bpf_asm, bytes, or a list of { code, jt, jf, k }

-- A filter for what the socket is to hear; false takes it off.
---@param program tapline.Bpf|false
function Socket:filter(program) end

--- The program of its SO_REUSEPORT group: which socket a flow is for; false takes it off.
---@param program tapline.Bpf|false
function Socket:reuseport_filter(program) end

-- Of a packet socket, since it was asked last.
---@return { packets: integer, drops: integer }
function Socket:statistics() end

---PACKET_FANOUT: shares the packets with the other sockets of this id; without an id: what it is in.
---@param id? integer
---@param kind? "hash"|"lb"|"cpu"|"rollover"|"rnd"|"qm"
---@param options? { rollover?: boolean, unique?: boolean, ignore_outgoing?: boolean, max?: integer }
---@return { id: integer, type: string }?
function Socket:fanout(id, kind, options) end

---PACKET_ROLLOVER_STATS.
---@return { all: integer, huge: integer, failed: integer }
function Socket:rollover_statistics() end

---@param kind "promisc"|"allmulti"|"multicast"|"unicast"
---@param options? { dev?: tapline.Device, addr?: string, drop?: boolean }
function Socket:membership(kind, options) end

---TCP_INFO of a TCP socket, fields without `tcpi_`; `state` and `ca_state` are names.
---@return table<string, any>
function Socket:info() end

---TCP_AO_INFO as a table.
---@return { current: integer?, rnext: integer?, ao_required: boolean, accept_icmps: boolean, pkt_good: integer, pkt_bad: integer, pkt_key_not_found: integer, pkt_ao_required: integer, pkt_dropped_icmp: integer }
function Socket:ao_info() end

---TCP_AO_GET_KEYS: all keys of TCP-AO, those of a peer, or those in use.
---@param options? { addr: string?, prefix: integer?, sndid: integer?, rcvid: integer?, current: boolean?, rnext: boolean? }
---@return { addr: string, prefix: integer, sndid: integer, rcvid: integer, alg: string, key: string, maclen: integer, exclude_options: boolean, current: boolean, rnext: boolean, pkt_good: integer, pkt_bad: integer }[]
function Socket:ao_keys(options) end

---SO_MEMINFO: what the buffers of a socket hold and may hold, as `ss -m` shows it.
---@return { rmem: integer, rcvbuf: integer, wmem: integer, sndbuf: integer, forward: integer, queued: integer, options: integer, backlog: integer, drops: integer }
function Socket:meminfo() end

---@param entries { [1]: tapline.Socket, [2]: string }[]
---@param timeout? tapline.Duration
---@return table<string, boolean>[]
function net.poll(entries, timeout) end

---@param socket tapline.Socket
---@param events string "in et oneshot"
function Epoll:add(socket, events) end

---@param socket tapline.Socket
---@param events string
function Epoll:mod(socket, events) end

---@param socket tapline.Socket
function Epoll:del(socket) end

---@param timeout? tapline.Duration
---@param max? integer
---@return { socket: tapline.Socket, events: table<string, boolean> }[]
function Epoll:wait(timeout, max) end

function Epoll:close() end

---A world that a log of ops drives.
---@class tapline.OpLog
local Log = {}

---Goes on until so many events have run in all and the clock shows this time.
---@param time integer nanoseconds
---@param events integer
function Log:at(time, events) end

---Applies an op now. Returns its number, or an errno below 0.
---@param name string as in stack/include/stack/op.def
---@param fields table<string, integer|string>
---@return integer
function Log:op(name, fields) end

---What the hooks with this id decide: { "accept", 3, "drop", 1 }.
---@param id integer
---@param verdicts (string|integer)[]
function Log:hook(id, verdicts) end

---@return string digest 16 hexadecimal digits
function Log:digest() end

---Makes the test's world for a log of ops.
---@param options? { seed?: integer }
---@return tapline.OpLog
function net.oplog(options) end

return net
