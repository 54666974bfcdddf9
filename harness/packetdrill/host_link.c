/* SPDX-License-Identifier: MIT */
/*
 * What `ip link set` and `ip addr` do to the host of a script: its device up and down, MTU and
 * queue length, further addresses.
 */
#include "packetdrill/runner.h"

#include "stack/errno.h"
#include "stack/nic.h"

#include <stdlib.h>
#include <string.h>

static int result_of(s64 err)
{
	return err < 0 ? (int)err : 0;
}

int pd_host_link_set(void *ctx, const char *dev, const char *key, const char *value)
{
	struct pd_run *r = ctx;
	struct op op = { .kind = OP_LINK_SET };
	char *end = NULL;

	if (strcmp(dev, "tun0") != 0)
		return -ENODEV;
	op.u.link_set.ifindex = PD_TUN_IFINDEX;
	if (!value) {
		op.u.link_set.param = LINK_PARAM_UP;
		op.u.link_set.value = strcmp(key, "up") == 0;
		return result_of(r->sut->ops->apply(r->sut, &op));
	}
	if (strcmp(key, "mtu") == 0)
		op.u.link_set.param = LINK_PARAM_MTU;
	else if (strcmp(key, "txqueuelen") == 0 || strcmp(key, "qlen") == 0)
		op.u.link_set.param = LINK_PARAM_TXQLEN;
	else
		return -EOPNOTSUPP;
	op.u.link_set.value = (u32)strtoul(value, &end, 10);
	if (end == value || *end)
		return -EINVAL;
	return result_of(r->sut->ops->apply(r->sut, &op));
}

int pd_host_addr(void *ctx, bool add, const char *address, const char *dev)
{
	struct pd_run *r = ctx;
	struct op op = { .kind = add ? OP_ADDR_ADD : OP_ADDR_DEL };
	struct op_bytes bytes;
	struct pd_address a;
	u32 prefix;

	if (strcmp(dev, "tun0") != 0)
		return -ENODEV;
	if (!pd_prefix_parse(address, &a, &prefix))
		return -EINVAL;
	bytes = (struct op_bytes){ a.bytes, a.v6 ? 16 : 4 };
	if (add) {
		op.u.addr_add.ifindex = PD_TUN_IFINDEX;
		op.u.addr_add.prefix_len = prefix;
		op.u.addr_add.addr = bytes;
	} else {
		op.u.addr_del.ifindex = PD_TUN_IFINDEX;
		op.u.addr_del.prefix_len = prefix;
		op.u.addr_del.addr = bytes;
	}
	return result_of(r->sut->ops->apply(r->sut, &op));
}
