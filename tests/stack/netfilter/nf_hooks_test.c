/* SPDX-License-Identifier: MIT */
/* Chains of hooks: order, verdicts, hooks that change their chain while it runs. */
#include "stack/ipv4/ip_world.h"

#include "netfilter/nf_hooks.h"
#include "skb/ip_way.h"

static char seen[64];
static u32 seen_count;
static struct nf_hook_ops late;

struct hook {
	char name;
	u32 verdict;
	u32 repeats; /* NF_REPEAT so often, then the verdict */
	bool removes_itself;
	bool adds_late;
};

static u32 hook_fn(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct hook *h = priv;
	struct nf_hook_ops ops = {
		.hook = hook_fn, .priv = priv, .pf = state->pf, .hooknum = state->hook
	};

	assert_true(seen_count < sizeof(seen) - 1);
	seen[seen_count++] = h->name;
	seen[seen_count] = 0;
	if (h->removes_itself)
		nf_unregister_net_hook(state->net, &ops);
	if (h->adds_late) {
		assert_int_equal(nf_register_net_hook(state->net, &late), 0);
		h->adds_late = false;
	}
	if (h->repeats) {
		h->repeats--;
		return NF_REPEAT;
	}
	if (h->verdict == NF_STOLEN)
		ip_way_consume(skb); /* it is on its way in */
	return h->verdict;
}

static void add(struct hook *h, s32 priority)
{
	const struct nf_hook_ops ops = { .hook = hook_fn,
					 .priv = h,
					 .pf = AF_INET,
					 .hooknum = NF_INET_LOCAL_IN,
					 .priority = priority };

	assert_int_equal(nf_register_net_hook(iw.net, &ops), 0);
}

static void packet(const char *want)
{
	struct ip4_hdr h = { .protocol = 253 };

	seen_count = 0;
	seen[0] = 0;
	ipw_ip(h, NULL, 0, NULL, 0);
	assert_string_equal(seen, want);
}

static void by_priority(void **state)
{
	struct hook a = { .name = 'a', .verdict = NF_ACCEPT },
		    b = { .name = 'b', .verdict = NF_ACCEPT },
		    c = { .name = 'c', .verdict = NF_ACCEPT };

	(void)state;
	packet("");
	add(&b, 0);
	add(&c, 0);
	add(&a, NF_IP_PRI_CONNTRACK);
	packet("abc");
	assert_int_equal(ipw_counter("IpInUnknownProtos"), 2);
	b.verdict = NF_DROP;
	packet("ab");
	b.verdict = NF_QUEUE; /* nobody listens */
	packet("ab");
	assert_int_equal(ipw_counter("Drop.NETFILTER_DROP"), 2);
	b.verdict = NF_STOLEN;
	packet("ab");
	assert_int_equal(ipw_counter("Drop.NETFILTER_DROP"), 2);
	b.verdict = NF_ACCEPT;
	b.repeats = 2;
	packet("abbbc");
	assert_int_equal(ipw_counter("IpInUnknownProtos"), 3);
	nf_net_exit(iw.net);
}

static void changing_while_it_runs(void **state)
{
	struct hook a = { .name = 'a', .verdict = NF_ACCEPT, .removes_itself = true },
		    b = { .name = 'b', .verdict = NF_ACCEPT, .adds_late = true },
		    z = { .name = 'z', .verdict = NF_ACCEPT };

	(void)state;
	late = (struct nf_hook_ops){ .hook = hook_fn,
				     .priv = &z,
				     .pf = AF_INET,
				     .hooknum = NF_INET_LOCAL_IN,
				     .priority = 5 };
	add(&a, 0);
	add(&b, 1);
	packet("abz");
	packet("bz");
	nf_unregister_net_hook(iw.net, &late);
	packet("b");
	b.removes_itself = true;
	packet("b");
	packet("");
	assert_null(iw.net->nf_hooks[0][NF_INET_LOCAL_IN]);
}

static void refused(void **state)
{
	struct op op = { .kind = OP_HOOK_ADD };
	struct nf_hook_ops ops = { .hook = hook_fn, .pf = AF_INET, .hooknum = NF_INET_NUMHOOKS };

	(void)state;
	assert_int_equal(nf_register_net_hook(iw.net, &ops), -EINVAL);
	op.u.hook_add.family = AF_INET;
	op.u.hook_add.hook = NF_INET_NUMHOOKS;
	assert_int_equal(ipw_apply(&op), -EINVAL);
	op.u.hook_add.hook = 1;
	op.u.hook_add.id = 4;
	assert_int_equal(ipw_apply(&op), 0);
	assert_int_equal(ipw_apply(&op), -EEXIST);
	op = (struct op){ .kind = OP_HOOK_DEL };
	op.u.hook_del.id = 4;
	assert_int_equal(ipw_apply(&op), 0);
	assert_int_equal(ipw_apply(&op), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPW_TEST(by_priority),
		IPW_TEST(changing_while_it_runs),
		IPW_TEST(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
