/* SPDX-License-Identifier: MIT */
/* UDP's tables of calls and its boot (udp.h). */
#include "udp/udp.h"

#include "ipv4/ip_sockglue.h"
#include "udp/udp_ipv4.h"
#include "udp/udp_ipv6.h"

const struct proto udp_prot = {
	.name = "UDP",
	.calls = &sock_def_calls,
	.obj_size = sizeof(struct udp_sock),
	.mem_kind = MEM_UDP_SOCK,
	.memory = PROTO_MEM_UDP,
	.destruct = inet_sock_destruct,
	.close = udp_lib_close,
	.connect = ip4_datagram_connect,
	.disconnect = udp_disconnect,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.splice_eof = udp_splice_eof,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.ioctl = udp_ioctl,
	.poll = udp_poll,
	.get_port = udp_lib_get_port,
	.unhash = udp_lib_unhash,
	.rehash = udp_lib_rehash,
};

int udp_init(struct host *h)
{
	int err = udp_table_init(h);

	if (err)
		return err;
	err = inet_add_protocol(h, IPPROTO_UDP, &udp_protocol);
	if (!err)
		err = udpv4_offload_init(h);
	if (!err)
		err = udpv6_init(h);
	if (err)
		udp_table_free(h);
	return err;
}

void udp_exit(struct host *h)
{
	if (!h->udp_table)
		return;
	udpv6_exit(h);
	inet_del_protocol(h, IPPROTO_UDP, &udp_protocol);
	udp_table_free(h);
}
