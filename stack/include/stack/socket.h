/* SPDX-License-Identifier: MIT */
/*
 * Constants of the socket interface, with Linux x86-64's values. A file that includes this includes
 * no <sys/socket.h>.
 */
#ifndef TAPLINE_STACK_SOCKET_H
#define TAPLINE_STACK_SOCKET_H

#define AF_UNSPEC 0
#define AF_INET	  2
#define AF_INET6  10
#define AF_PACKET 17

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_TYPE_MASK 0xf
#define SOCK_NONBLOCK  0x800
#define SOCK_CLOEXEC   0x80000

#define IPPROTO_IP	0
#define IPPROTO_ICMP	1
#define IPPROTO_IGMP	2
#define IPPROTO_IPIP	4
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_IPV6	41
#define IPPROTO_GRE	47
#define IPPROTO_ESP	50
#define IPPROTO_AH	51
#define IPPROTO_ICMPV6	58
#define IPPROTO_SCTP	132
#define IPPROTO_UDPLITE 136
#define IPPROTO_RAW	255

#define SOL_SOCKET 1
#define SOL_IP	   0
#define SOL_TCP	   6
#define SOL_UDP	   17
#define SOL_IPV6   41
#define SOL_PACKET 263

#define SO_DEBUG		 1
#define SO_REUSEADDR		 2
#define SO_TYPE			 3
#define SO_ERROR		 4
#define SO_DONTROUTE		 5
#define SO_BROADCAST		 6
#define SO_SNDBUF		 7
#define SO_RCVBUF		 8
#define SO_KEEPALIVE		 9
#define SO_OOBINLINE		 10
#define SO_NO_CHECK		 11
#define SO_PRIORITY		 12
#define SO_LINGER		 13
#define SO_BSDCOMPAT		 14
#define SO_REUSEPORT		 15
#define SO_PASSCRED		 16
#define SO_PEERCRED		 17
#define SO_RCVLOWAT		 18
#define SO_SNDLOWAT		 19
#define SO_RCVTIMEO		 20
#define SO_SNDTIMEO		 21
#define SO_BINDTODEVICE		 25
#define SO_ATTACH_FILTER	 26 /* data: the instructions themselves, eight bytes each */
#define SO_GET_FILTER		 26
#define SO_DETACH_FILTER	 27
#define SO_PEERNAME		 28
#define SO_TIMESTAMP		 29
#define SO_ACCEPTCONN		 30
#define SO_SNDBUFFORCE		 32
#define SO_RCVBUFFORCE		 33
#define SO_PASSSEC		 34
#define SO_TIMESTAMPNS		 35
#define SO_MARK			 36
#define SO_TIMESTAMPING		 37
#define SO_PROTOCOL		 38
#define SO_DOMAIN		 39
#define SO_RXQ_OVFL		 40
#define SO_WIFI_STATUS		 41
#define SO_PEEK_OFF		 42
#define SO_NOFCS		 43
#define SO_LOCK_FILTER		 44
#define SO_SELECT_ERR_QUEUE	 45
#define SO_BUSY_POLL		 46
#define SO_MAX_PACING_RATE	 47
#define SO_BPF_EXTENSIONS	 48
#define SO_INCOMING_CPU		 49
#define SO_ATTACH_REUSEPORT_CBPF 51 /* data as of SO_ATTACH_FILTER */
#define SO_CNX_ADVICE		 53
#define SO_INCOMING_NAPI_ID	 56
#define SO_PREFER_BUSY_POLL	 69
#define SO_BUSY_POLL_BUDGET	 70
#define SO_MEMINFO		 55
#define SO_PEERGROUPS		 59
#define SO_ZEROCOPY		 60
#define SO_BINDTOIFINDEX	 62
#define SO_TIMESTAMP_NEW	 63
#define SO_TIMESTAMPNS_NEW	 64
#define SO_TIMESTAMPING_NEW	 65
#define SO_RCVTIMEO_NEW		 66
#define SO_SNDTIMEO_NEW		 67
#define SO_DETACH_REUSEPORT_BPF	 68
#define SO_BUF_LOCK		 72
#define SO_RESERVE_MEM		 73
#define SO_TXREHASH		 74
#define SO_RCVMARK		 75
#define SO_PASSPIDFD		 76
#define SO_PEERPIDFD		 77
#define SO_RCVPRIORITY		 82
#define SO_PASSRIGHTS		 83

#define PACKET_ADD_MEMBERSHIP  1
#define PACKET_DROP_MEMBERSHIP 2
#define PACKET_STATISTICS      6
#define PACKET_AUXDATA	       8
#define PACKET_TX_TIMESTAMP    16
#define PACKET_FANOUT	       18
#define PACKET_ROLLOVER_STATS  21
#define PACKET_ORIGDEV	       9
#define PACKET_IGNORE_OUTGOING 23

#define PACKET_FANOUT_HASH		   0
#define PACKET_FANOUT_LB		   1
#define PACKET_FANOUT_CPU		   2
#define PACKET_FANOUT_ROLLOVER		   3
#define PACKET_FANOUT_RND		   4
#define PACKET_FANOUT_QM		   5
#define PACKET_FANOUT_FLAG_ROLLOVER	   0x1000u
#define PACKET_FANOUT_FLAG_UNIQUEID	   0x2000u
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000u

#define PACKET_MR_MULTICAST 0
#define PACKET_MR_PROMISC   1
#define PACKET_MR_ALLMULTI  2
#define PACKET_MR_UNICAST   3

#define TP_STATUS_USER		  0x1
#define TP_STATUS_CSUMNOTREADY	  0x8
#define TP_STATUS_VLAN_VALID	  0x10
#define TP_STATUS_VLAN_TPID_VALID 0x40
#define TP_STATUS_CSUM_VALID	  0x80

#define IP_TOS			1
#define IP_TTL			2
#define IP_HDRINCL		3
#define IP_OPTIONS		4
#define IP_RECVOPTS		6
#define IP_ROUTER_ALERT		5
#define IP_RETOPTS		7
#define IP_PKTINFO		8
#define IP_MTU_DISCOVER		10
#define IP_RECVERR		11
#define IP_RECVTTL		12
#define IP_RECVTOS		13
#define IP_MTU			14
#define IP_FREEBIND		15
#define IP_PASSSEC		18
#define IP_TRANSPARENT		19
#define IP_RECVORIGDSTADDR	20
#define IP_MINTTL		21
#define IP_NODEFRAG		22
#define IP_CHECKSUM		23
#define IP_BIND_ADDRESS_NO_PORT 24
#define IP_RECVFRAGSIZE		25
#define IP_RECVERR_RFC4884	26
#define IP_MULTICAST_IF		32
#define IP_MULTICAST_TTL	33
#define IP_MULTICAST_LOOP	34
#define IP_ADD_MEMBERSHIP	35
#define IP_DROP_MEMBERSHIP	36
#define MCAST_JOIN_GROUP	42
#define MCAST_LEAVE_GROUP	45
#define IP_MULTICAST_ALL	49
#define IP_UNICAST_IF		50
#define IP_LOCAL_PORT_RANGE	51
#define IP_PROTOCOL		52

#define IPV6_UNICAST_HOPS 16
#define IPV6_MTU	  24
#define IPV6_RECVERR	  25
#define IPV6_V6ONLY	  26
#define IPV6_TCLASS	  67
#define IPV6_MINHOPCOUNT  73
#define IPV6_FREEBIND	  78

#define IP_PMTUDISC_DONT      0
#define IP_PMTUDISC_WANT      1
#define IP_PMTUDISC_DO	      2
#define IP_PMTUDISC_PROBE     3
#define IP_PMTUDISC_INTERFACE 4
#define IP_PMTUDISC_OMIT      5

#define UDP_CORK	 1
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#define UDP_SEGMENT	 103
#define UDP_GRO		 104

#define MSG_OOB	      0x1
#define MSG_PEEK      0x2
#define MSG_DONTROUTE 0x4
#define MSG_CTRUNC    0x8
#define MSG_TRUNC     0x20
#define MSG_DONTWAIT  0x40
#define MSG_EOR	      0x80
#define MSG_WAITALL   0x100
#define MSG_CONFIRM   0x800
#define MSG_ERRQUEUE  0x2000
#define MSG_NOSIGNAL  0x4000
#define MSG_MORE      0x8000
#define MSG_ZEROCOPY  0x4000000
#define MSG_FASTOPEN  0x20000000

#define SHUT_RD	  0
#define SHUT_WR	  1
#define SHUT_RDWR 2

#define POLLIN	   0x001
#define POLLPRI	   0x002
#define POLLOUT	   0x004
#define POLLERR	   0x008
#define POLLHUP	   0x010
#define POLLNVAL   0x020
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLRDHUP  0x2000

#define F_GETFL	   3
#define F_SETFL	   4
#define O_RDWR	   02
#define O_NONBLOCK 04000

#define FIONBIO	    0x5421
#define FIONREAD    0x541B
#define SIOCINQ	    0x541B
#define SIOCOUTQ    0x5411
#define SIOCOUTQNSD 0x894B
#define SIOCATMARK  0x8905

#define SOMAXCONN 4096

#define SO_EE_ORIGIN_NONE	  0
#define SO_EE_ORIGIN_LOCAL	  1
#define SO_EE_ORIGIN_ICMP	  2
#define SO_EE_ORIGIN_ICMP6	  3
#define SO_EE_ORIGIN_TIMESTAMPING 4
#define SO_EE_ORIGIN_ZEROCOPY	  5

#define SO_EE_CODE_ZEROCOPY_COPIED 1
/* ee_data of SO_EE_ORIGIN_ICMP (struct sock_ee_data_rfc4884): length, and above it flags. */
#define SO_EE_RFC4884_FLAG_INVALID 1

/* ee_info of SO_EE_ORIGIN_TIMESTAMPING */
#define SCM_TSTAMP_SND	 0
#define SCM_TSTAMP_SCHED 1
#define SCM_TSTAMP_ACK	 2

#define SCM_TIMESTAMPING	   SO_TIMESTAMPING
#define SCM_TIMESTAMPING_OPT_STATS 54
#define SCM_TS_OPT_ID		   81

/* SO_TIMESTAMPING (linux/net_tstamp.h) */
#define SOF_TIMESTAMPING_TX_HARDWARE   0x1
#define SOF_TIMESTAMPING_TX_SOFTWARE   0x2
#define SOF_TIMESTAMPING_RX_HARDWARE   0x4
#define SOF_TIMESTAMPING_RX_SOFTWARE   0x8
#define SOF_TIMESTAMPING_SOFTWARE      0x10
#define SOF_TIMESTAMPING_RAW_HARDWARE  0x40
#define SOF_TIMESTAMPING_OPT_ID	       0x80
#define SOF_TIMESTAMPING_TX_SCHED      0x100
#define SOF_TIMESTAMPING_TX_ACK	       0x200
#define SOF_TIMESTAMPING_OPT_CMSG      0x400
#define SOF_TIMESTAMPING_OPT_TSONLY    0x800
#define SOF_TIMESTAMPING_OPT_STATS     0x1000
#define SOF_TIMESTAMPING_OPT_TX_SWHW   0x4000
#define SOF_TIMESTAMPING_BIND_PHC      0x8000
#define SOF_TIMESTAMPING_OPT_ID_TCP    0x10000
#define SOF_TIMESTAMPING_OPT_RX_FILTER 0x20000
#define SOF_TIMESTAMPING_MASK	       0x7ffff

#endif
